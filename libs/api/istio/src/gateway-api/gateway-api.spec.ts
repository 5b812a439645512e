import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { findKind, findKinds } from '../kinds/catalog.js';
import { validateObject } from '../validation/validate-object.js';
import { gatewayApiKinds } from './kinds.js';

function an(kind: string, spec: object, apiVersion = 'gateway.networking.k8s.io/v1'): ConfigObject {
  return { apiVersion, kind, metadata: { name: 'shop', namespace: 'default' }, spec };
}

const listener = { name: 'http', port: 80, protocol: 'HTTP' };
const gateway = (...listeners: object[]) => an('Gateway', { gatewayClassName: 'istio', listeners });
const rule = (fields: object) => an('HTTPRoute', { parentRefs: [{ name: 'shop' }], rules: [fields] });
const filter = (fields: object) => rule({ filters: [fields] });
const grpc = (method: object) => an('GRPCRoute', { rules: [{ matches: [{ method }] }] });

describe('objects of the Gateway API', () => {
  it.each<[string, ConfigObject]>([
    [
      'a Gateway',
      gateway(listener, { ...listener, name: 'tls', port: 443, protocol: 'HTTPS', hostname: '*.example.com' }),
    ],
    [
      'an older version',
      an('Gateway', { gatewayClassName: 'istio', listeners: [listener] }, 'gateway.networking.k8s.io/v1beta1'),
    ],
    ['a route for everything', an('HTTPRoute', {})],
    [
      'a match with everything',
      rule({
        matches: [
          {
            path: { type: 'RegularExpression', value: '/a.*' },
            method: 'GET',
            headers: [{ name: 'x', value: 'y' }],
            queryParams: [{ name: 'q', value: '.', type: 'RegularExpression' }],
          },
        ],
      }),
    ],
    ['timeouts that are off', rule({ timeouts: { request: '0s' } })],
    [
      'a grant',
      an(
        'ReferenceGrant',
        {
          from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'a' }],
          to: [{ group: '', kind: 'Service' }],
        },
        'gateway.networking.k8s.io/v1beta1',
      ),
    ],
    [
      'a policy',
      an('BackendTLSPolicy', {
        targetRefs: [{ group: '', kind: 'Service', name: 'web' }],
        validation: { hostname: 'a.example.com', wellKnownCACertificates: 'System' },
      }),
    ],
    [
      'a set of listeners',
      an('ListenerSet', { parentRef: { name: 'shop' }, listeners: [{ name: 'a', protocol: 'HTTP' }] }),
    ],
    ['a gRPC method', grpc({ service: 'shop.Cart', method: 'Add' })],
  ])('%s is taken', (_, object) => {
    expect(validateObject(object)).toEqual([]);
  });

  it.each<[string, ConfigObject, string, string, string | undefined]>([
    [
      'a field that is not there',
      gateway({ ...listener, hostName: 'a' }),
      'warning',
      'SEINE-UNKNOWN-FIELD',
      'spec.listeners[0].hostName',
    ],
    [
      'a listener without a port',
      gateway({ name: 'a', protocol: 'HTTP' }),
      'error',
      'SEINE-SCHEMA',
      'spec.listeners[0].port',
    ],
    ['two listeners of one name', gateway(listener, listener), 'error', 'SEINE-SCHEMA', 'spec.listeners[1].name'],
    ['TLS where there is none', gateway({ ...listener, tls: {} }), 'error', 'SEINE-INVALID', 'spec.listeners[0].tls'],
    [
      'a host where there is none',
      gateway({ ...listener, protocol: 'TCP', hostname: 'a.com' }),
      'error',
      'SEINE-INVALID',
      'spec.listeners[0].hostname',
    ],
    [
      'HTTPS that is passed on',
      gateway({ ...listener, protocol: 'HTTPS', tls: { mode: 'Passthrough' } }),
      'error',
      'SEINE-INVALID',
      'spec.listeners[0].tls.mode',
    ],
    ['a host with a port', an('HTTPRoute', { hostnames: ['a.com:80'] }), 'error', 'SEINE-SCHEMA', 'spec.hostnames[0]'],
    [
      'a path without a slash',
      rule({ matches: [{ path: { value: 'a' } }] }),
      'error',
      'SEINE-INVALID',
      'spec.rules[0].matches[0].path.value',
    ],
    [
      'a path with two',
      rule({ matches: [{ path: { value: '/a//b' } }] }),
      'error',
      'SEINE-INVALID',
      'spec.rules[0].matches[0].path.value',
    ],
    [
      'no expression',
      rule({ matches: [{ path: { type: 'RegularExpression', value: '/(' } }] }),
      'error',
      'SEINE-INVALID',
      'spec.rules[0].matches[0].path.value',
    ],
    [
      'no expression of a header',
      rule({ matches: [{ headers: [{ name: 'a', type: 'RegularExpression', value: '[' }] }] }),
      'error',
      'SEINE-INVALID',
      'spec.rules[0].matches[0].headers[0].value',
    ],
    [
      'a weight below 0',
      rule({ backendRefs: [{ name: 'a', port: 80, weight: -1 }] }),
      'error',
      'SEINE-SCHEMA',
      'spec.rules[0].backendRefs[0].weight',
    ],
    ['a filter without its settings', filter({ type: 'CORS' }), 'error', 'SEINE-INVALID', 'spec.rules[0].filters[0]'],
    [
      'a filter with those of another',
      filter({ type: 'CORS', cors: {}, urlRewrite: {} }),
      'error',
      'SEINE-INVALID',
      'spec.rules[0].filters[0].urlRewrite',
    ],
    ['a filter that nobody knows', filter({ type: 'Cors' }), 'error', 'SEINE-INVALID', 'spec.rules[0].filters[0].type'],
    [
      'a filter that is not followed',
      filter({ type: 'ExtensionRef', extensionRef: { name: 'a' } }),
      'warning',
      'SEINE-UNSUPPORTED',
      'spec.rules[0].filters[0]',
    ],
    [
      'a filter on a backend',
      rule({ backendRefs: [{ name: 'a', filters: [{ type: 'CORS', cors: {} }] }] }),
      'warning',
      'SEINE-UNSUPPORTED',
      'spec.rules[0].backendRefs[0].filters[0]',
    ],
    [
      'a header value of two lines',
      filter({ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'a', value: 'b\nc' }] } }),
      'error',
      'SEINE-INVALID',
      'spec.rules[0].filters[0].requestHeaderModifier.set[0].value',
    ],
    [
      'a redirect with a backend',
      rule({ filters: [{ type: 'RequestRedirect', requestRedirect: {} }], backendRefs: [{ name: 'a' }] }),
      'error',
      'SEINE-INVALID',
      'spec.rules[0].backendRefs',
    ],
    [
      'a session',
      rule({ sessionPersistence: { sessionName: 'a' } }),
      'warning',
      'SEINE-UNSUPPORTED',
      'spec.rules[0].sessionPersistence',
    ],
    [
      'a method that is none',
      grpc({ service: 'a/b' }),
      'error',
      'SEINE-INVALID',
      'spec.rules[0].matches[0].method.service',
    ],
    ['a match of no method', grpc({}), 'error', 'SEINE-INVALID', 'spec.rules[0].matches[0].method'],
    ['a kind that is not acted on', an('UDPRoute', {}), 'warning', 'SEINE-UNSUPPORTED', undefined],
  ])('%s is reported', (_, object, severity, code, path) => {
    const found = validateObject(object);
    expect(found.map((d) => ({ severity: d.severity, code: d.code, path: d.path }))).toEqual([
      { severity, code, path },
    ]);
  });
});

describe('their kinds', () => {
  it('are told from those of Istio by their group', () => {
    expect(findKind('gateway')?.group).toBe('networking.istio.io');
    expect(findKind('gtw')?.group).toBe('gateway.networking.k8s.io');
    expect(findKinds('gateways').map(({ group }) => group)).toEqual([
      'networking.istio.io',
      'gateway.networking.k8s.io',
    ]);
    expect(findKind('httproutes')?.kind).toBe('HTTPRoute');
  });

  it('are stored in one version each', () => {
    for (const { versions } of gatewayApiKinds) expect(versions.filter(({ storage }) => storage)).toHaveLength(1);
  });
});
