import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { kinds } from '../kinds/catalog.js';
import { validateObject } from './validate-object.js';

const metadata = { name: 'x', namespace: 'default' };
const of = (apiVersion: string, kind: string, content: object): ConfigObject => ({
  apiVersion,
  kind,
  metadata,
  ...content,
});
const virtualService = (spec: unknown) => of('networking.istio.io/v1', 'VirtualService', { spec });
const http = (...rules: readonly unknown[]) => virtualService({ hosts: ['reviews'], http: rules });
const destinationRule = (spec: unknown) => of('networking.istio.io/v1', 'DestinationRule', { spec });
const service = (spec: unknown) => of('v1', 'Service', { spec });
const ok = { destination: { host: 'reviews' } };

type Case = readonly [
  what: string,
  object: ConfigObject,
  severity: 'error' | 'warning',
  code: string,
  path: string | undefined,
  message: string | RegExp,
];

const wrong: readonly Case[] = [
  [
    'a text for a number',
    http({ route: [{ ...ok, weight: 'abc' }] }),
    'error',
    'SEINE-SCHEMA',
    'spec.http[0].route[0].weight',
    'Got string "abc", expected a whole number ≥ 0.',
  ],
  [
    'a fraction for a whole number',
    http({ route: [{ ...ok, weight: 1.5 }] }),
    'error',
    'SEINE-SCHEMA',
    'spec.http[0].route[0].weight',
    'Got number 1.5, expected a whole number ≥ 0.',
  ],
  [
    'a number out of its range',
    http({ match: [{ port: 70000 }], route: [ok] }),
    'error',
    'SEINE-SCHEMA',
    'spec.http[0].match[0].port',
    'Got number 70000, expected a whole number from 0 to 65535.',
  ],
  [
    'a missing field',
    http({ route: [{ weight: 1 }] }),
    'error',
    'SEINE-SCHEMA',
    'spec.http[0].route[0].destination',
    'spec.http[0].route[0].destination is required, but it is missing.',
  ],
  [
    'a misspelt field',
    http({ route: [ok], timeOut: '5s' }),
    'warning',
    'SEINE-UNKNOWN-FIELD',
    'spec.http[0].timeOut',
    'There is no field "timeOut" here, so it has no effect. Did you mean timeout?',
  ],
  [
    'a misspelt field of a policy',
    of('security.istio.io/v1', 'AuthorizationPolicy', { spec: { rule: [] } }),
    'error',
    'SEINE-UNKNOWN-FIELD',
    'spec.rule',
    'There is no field "rule" here. Did you mean rules?',
  ],
  [
    'a field beside the spec',
    of('networking.istio.io/v1', 'DestinationRule', { spec: { host: 'a' }, subsets: [] }),
    'warning',
    'SEINE-UNKNOWN-FIELD',
    'subsets',
    /no field "subsets"/,
  ],
  [
    'a duration without unit',
    http({ route: [ok], timeout: '5' }),
    'error',
    'SEINE-SCHEMA',
    'spec.http[0].timeout',
    'Got string "5", expected a duration as 5s, 1m30s or 100ms, of at least 1ms.',
  ],
  [
    'a value that an enum does not have',
    destinationRule({ host: 'a', trafficPolicy: { loadBalancer: { simple: 'RONDROBIN' } } }),
    'error',
    'SEINE-SCHEMA',
    'spec.trafficPolicy.loadBalancer.simple',
    /^Got string "RONDROBIN", expected one of UNSPECIFIED, .*\. Did you mean ROUND_ROBIN\?$/,
  ],
  [
    'a number for a text',
    destinationRule({ host: 'a', subsets: [{ name: 'v1', labels: { version: 1 } }] }),
    'error',
    'SEINE-SCHEMA',
    'spec.subsets[0].labels.version',
    'Got number 1, expected a text; put it in quotes.',
  ],
  [
    'an object for a list',
    virtualService({ hosts: ['a'], http: { route: [] } }),
    'error',
    'SEINE-SCHEMA',
    'spec.http',
    'Got an object, expected a list.',
  ],
  [
    'nothing in a list',
    virtualService({ hosts: ['a'], http: [null] }),
    'error',
    'SEINE-SCHEMA',
    'spec.http[0]',
    'Got null, expected an object.',
  ],
  [
    'two fields of which one may be set',
    http({ match: [{ uri: { exact: '/a', prefix: '/' } }], route: [ok] }),
    'error',
    'SEINE-SCHEMA',
    'spec.http[0].match[0].uri',
    'Only one of exact, prefix, regex can be set, but exact and prefix are.',
  ],
  [
    'a rule between fields',
    of('networking.istio.io/v1', 'WorkloadEntry', { spec: { address: 'unix:///x', ports: { http: 80 } } }),
    'error',
    'SEINE-SCHEMA',
    'spec',
    'UDS may not include ports.',
  ],
  [
    'too many entries',
    of('networking.istio.io/v1', 'ServiceEntry', {
      spec: { hosts: Array.from({ length: 257 }, (_, i) => `h${i}.example.com`) },
    }),
    'error',
    'SEINE-SCHEMA',
    'spec.hosts',
    'The list of 257 should have at most 256 items.',
  ],
  [
    'no spec',
    of('networking.istio.io/v1', 'VirtualService', {}),
    'error',
    'SEINE-SCHEMA',
    'spec',
    'spec is required, but it is missing.',
  ],
  [
    'a version that nobody serves',
    of('networking.istio.io/v1b', 'DestinationRule', { spec: { host: 'a' } }),
    'error',
    'SEINE-SCHEMA',
    'apiVersion',
    'DestinationRule has no version v1b; use networking.istio.io/v1, networking.istio.io/v1beta1, networking.istio.io/v1alpha3.',
  ],
  [
    'a misspelt kind',
    of('networking.istio.io/v1', 'VirtualServise', { spec: {} }),
    'error',
    'SEINE-SCHEMA',
    'kind',
    'There is no kind VirtualServise in the API group networking.istio.io. Did you mean VirtualService?',
  ],
  [
    'a misspelt kind of Kubernetes',
    of('v1', 'Sevice', { spec: {} }),
    'error',
    'SEINE-SCHEMA',
    'kind',
    'There is no kind Sevice in the core API group. Did you mean Service?',
  ],
  [
    'a kind of a group that nobody knows',
    of('example.com/v1', 'Thing', {}),
    'warning',
    'SEINE-UNSUPPORTED',
    undefined,
    'Seine does not read Thing of example.com; it has no effect.',
  ],
  [
    'a kind that has no effect',
    of('gateway.networking.k8s.io/v1', 'UDPRoute', { spec: { anything: 1 } }),
    'warning',
    'SEINE-UNSUPPORTED',
    undefined,
    'Seine knows UDPRoute of gateway.networking.k8s.io, but does not act on it: it has no effect.',
  ],
  [
    'a port of a Service',
    service({ ports: [{ port: 'http' }] }),
    'error',
    'SEINE-SCHEMA',
    'spec.ports[0].port',
    'Got string "http", expected a whole number from 1 to 65535.',
  ],
  [
    'a target port that is neither number nor name',
    service({ ports: [{ port: 80, targetPort: true }] }),
    'error',
    'SEINE-SCHEMA',
    'spec.ports[0].targetPort',
    'Got boolean true, expected a whole number or a name.',
  ],
  [
    'no name',
    { apiVersion: 'v1', kind: 'Service', metadata: { name: '', namespace: 'default' } },
    'error',
    'SEINE-SCHEMA',
    'metadata.name',
    'metadata.name is required.',
  ],
  [
    'a name that Kubernetes would refuse',
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'My_Service', namespace: 'default' } },
    'warning',
    'SEINE-SCHEMA',
    'metadata.name',
    /^Kubernetes would refuse the name "My_Service"/,
  ],
  [
    'a name of derived objects',
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'gw~istio-autogenerated-k8s-gateway~https', namespace: 'default' },
    },
    'error',
    'SEINE-SCHEMA',
    'metadata.name',
    /^Names with ~istio-autogenerated- are kept/,
  ],
  [
    'a namespace that is none',
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x', namespace: 'a.b' } },
    'error',
    'SEINE-SCHEMA',
    'metadata.namespace',
    /^Got "a\.b"; a namespace has/,
  ],
  [
    'a label that is no text',
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, labels: { 'app.kubernetes.io/version': 1 } } as unknown as ConfigObject['metadata'],
    },
    'error',
    'SEINE-SCHEMA',
    'metadata.labels["app.kubernetes.io/version"]',
    'Got 1, expected a text; put it in quotes.',
  ],
  [
    'labels that are a list',
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, labels: ['a'] } as unknown as ConfigObject['metadata'],
    },
    'error',
    'SEINE-SCHEMA',
    'metadata.labels',
    'metadata.labels should be an object of texts.',
  ],
];

describe('validateObject', () => {
  it.each(wrong)('reports %s', (_, object, severity, code, path, message) => {
    const found = validateObject(object).filter((diagnostic) => diagnostic.path === path);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ severity, code, object: { kind: object.kind, name: object.metadata.name } });
    expect(found[0]?.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it.each([
    ['a route', http({ route: [ok], timeout: '1h30m', retries: { attempts: 3, perTryTimeout: '2s' } })],
    ['proto JSON', http({ route: [{ ...ok, weight: '100' }], cors_policy: { allow_credentials: true } })],
    ['an older version', of('networking.istio.io/v1alpha3', 'DestinationRule', { spec: { host: 'a' } })],
    [
      'a status, which is not read',
      of('networking.istio.io/v1', 'DestinationRule', { spec: { host: 'a' }, status: 5 }),
    ],
    ['a Service', service({ selector: { app: 'a' }, ports: [{ port: 80, targetPort: 'http', unread: [] }] })],
    ['a kind that nobody reads', of('batch/v1', 'Job', { spec: 5 })],
    ['a kind that Kubernetes has and nobody reads', of('v1', 'PersistentVolumeClaim', { spec: 5 })],
    ['a kind of a built-in group that is not known', of('storage.k8s.io/v1', 'NewKind', {})],
  ])('is silent about %s', (_, object) => {
    expect(validateObject(object)).toEqual([]);
  });

  it.each([
    ['nothing', {}],
    ['no kind', { apiVersion: 'v1', metadata }],
    ['a kind that is a number', { apiVersion: 'v1', kind: 5, metadata }],
    ['no metadata', { apiVersion: 'v1', kind: 'Service' }],
    ['metadata that is a list', { apiVersion: 'v1', kind: 'Service', metadata: [] }],
    ['a name that is a number', { apiVersion: 'v1', kind: 'Service', metadata: { name: 5, namespace: 'default' } }],
    ['a namespace that is a number', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x', namespace: 5 } }],
    ['a spec that is a text', { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata, spec: 'x' }],
  ])('says an error about %s instead of throwing', (_, value) => {
    const errors = validateObject(value as unknown as ConfigObject).filter((found) => found.severity === 'error');
    expect(errors).not.toEqual([]);
  });

  it('reports everything that is wrong, not the first thing only', () => {
    const object = http({ route: [{ weight: 'a' }] }, { timeout: 'x', foo: 1 });
    expect(validateObject(object).map((found) => found.path)).toEqual([
      'spec.http[0].route[0].destination',
      'spec.http[0].route[0].weight',
      'spec.http[1].foo',
      'spec.http[1].timeout',
    ]);
  });

  it.each(kinds.filter((info) => info.schema).map((info) => [info.kind, info] as const))(
    'compiles the schema of %s',
    (kind, { group, versions }) => {
      const apiVersion = `${group ? `${group}/` : ''}${versions[0]?.name ?? ''}`;
      const found = validateObject(of(apiVersion, kind, { spec: 5, data: 5, subsets: 5, endpoints: 5 }));
      // Kinds of which no field is read take anything.
      const readsNothing = ['Namespace', 'ServiceAccount'].includes(kind);
      expect(found.some((diagnostic) => diagnostic.code === 'SEINE-SCHEMA')).toBe(!readsNothing);
    },
  );
});
