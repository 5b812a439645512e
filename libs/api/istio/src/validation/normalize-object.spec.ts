import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { normalizeObject } from './normalize-object.js';

const metadata = { name: 'x', namespace: 'default' };
const of = (kind: string, spec: unknown): ConfigObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  metadata,
  spec,
});

describe('normalizeObject', () => {
  it.each<[string, string, unknown, unknown]>([
    [
      'proto names become JSON names',
      'VirtualService',
      { hosts: ['a'], http: [{ direct_response: { status: 200 }, cors_policy: { allow_methods: ['GET'] } }] },
      { hosts: ['a'], http: [{ directResponse: { status: 200 }, corsPolicy: { allowMethods: ['GET'] } }] },
    ],
    [
      'numbers written as text become numbers',
      'VirtualService',
      { http: [{ route: [{ destination: { host: 'a', port: { number: '80' } }, weight: '5' }] }] },
      { http: [{ route: [{ destination: { host: 'a', port: { number: 80 } }, weight: 5 }] }] },
    ],
    [
      'fractions too, where the field takes them',
      'VirtualService',
      { http: [{ mirrorPercentage: { value: '12.5' } }] },
      { http: [{ mirrorPercentage: { value: 12.5 } }] },
    ],
    [
      'numbers in maps become numbers',
      'WorkloadEntry',
      { address: '1.2.3.4', ports: { http: '8080' } },
      { address: '1.2.3.4', ports: { http: 8080 } },
    ],
    [
      'header changes of the first versions',
      'VirtualService',
      {
        http: [
          {
            websocketUpgrade: true,
            appendHeaders: { a: '1' },
            removeResponseHeaders: ['x'],
            route: [{ destination: { host: 'a' }, appendResponseHeaders: { b: '2' }, removeRequestHeaders: ['y'] }],
          },
        ],
      },
      {
        http: [
          {
            headers: { request: { add: { a: '1' } }, response: { remove: ['x'] } },
            route: [
              {
                destination: { host: 'a' },
                headers: { request: { remove: ['y'] }, response: { add: { b: '2' } } },
              },
            ],
          },
        ],
      },
    ],
    [
      "today's spelling goes before the old one",
      'VirtualService',
      { http: [{ appendRequestHeaders: { a: 'old' }, headers: { request: { add: { a: 'new' } } } }] },
      { http: [{ headers: { request: { add: { a: 'new' } } } }] },
    ],
    [
      'headers to remove as a map',
      'VirtualService',
      { http: [{ removeResponseHeaders: { a: '', b: '' } }] },
      { http: [{ headers: { response: { remove: ['a', 'b'] } } }] },
    ],
    [
      'a whole percentage of aborts',
      'VirtualService',
      { http: [{ fault: { abort: { percent: 10, httpStatus: 400 }, delay: { percent: 5 } } }] },
      { http: [{ fault: { abort: { percentage: { value: 10 }, httpStatus: 400 }, delay: { percent: 5 } } }] },
    ],
    [
      'outlier detection of HTTP, and the header to hash by',
      'DestinationRule',
      {
        trafficPolicy: { outlierDetection: { http: { consecutiveErrors: 1, interval: '1s' } } },
        subsets: [{ name: 'v1', trafficPolicy: { loadBalancer: { consistentHash: { httpHeader: 'x' } } } }],
      },
      {
        trafficPolicy: { outlierDetection: { consecutiveErrors: 1, interval: '1s' } },
        subsets: [{ name: 'v1', trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: 'x' } } } }],
      },
    ],
    ['null fields are left out', 'VirtualService', { hosts: ['a'], http: null }, { hosts: ['a'] }],
  ])('%s', (_, kind, spec, expected) => {
    expect(normalizeObject(of(kind, spec)).spec).toEqual(expected);
  });

  it.each<[string, string, unknown]>([
    ['text that is no number', 'VirtualService', { http: [{ route: [{ weight: 'abc' }] }] }],
    ['numbers in text fields', 'DestinationRule', { host: 'a', subsets: [{ name: 1 }] }],
    ['keys of maps', 'WorkloadEntry', { address: 'a', labels: { snake_case: 'x' } }],
    [
      'both spellings of one field',
      'VirtualService',
      { http: [{ match: [{ ignore_uri_case: true, ignoreUriCase: false }] }] },
    ],
    ['fields that do not exist', 'VirtualService', { no_such: 1 }],
    ['null in a list', 'VirtualService', { http: [null] }],
    [
      'patches of an EnvoyFilter',
      'EnvoyFilter',
      {
        configPatches: [
          { applyTo: 'CLUSTER', patch: { operation: 'MERGE', value: { connect_timeout: '5', x: null } } },
        ],
      },
    ],
  ])('leaves alone %s', (_, kind, spec) => {
    const object = of(kind, spec);
    expect(normalizeObject(object)).toBe(object);
  });

  it('keeps the parts that need no change as they are', () => {
    const route = { destination: { host: 'a' } };
    const object = of('VirtualService', { http: [{ route: [route] }, { direct_response: { status: 200 } }] });
    const spec = normalizeObject(object).spec as { readonly http: readonly { readonly route?: readonly unknown[] }[] };
    expect(spec.http[0]?.route?.[0]).toBe(route);
  });

  it('leaves out null fields of the metadata, and of kinds that have no schema', () => {
    const object = {
      apiVersion: 'example.com/v1',
      kind: 'Other',
      metadata: { ...metadata, creationTimestamp: null, labels: null },
      spec: { a_b: null },
    } as unknown as ConfigObject;
    expect(normalizeObject(object)).toEqual({ ...object, metadata });
  });
});
