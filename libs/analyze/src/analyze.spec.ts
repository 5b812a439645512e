import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { analyze } from './frame/analyze.js';
import { analyzers } from './frame/analyzers.js';
import { analyzeYaml } from './testing/find-in-yaml.js';

const routes = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: shop}
spec:
  hosts: [a]
  gateways: [nowhere, mesh]
  http:
  - route:
    - destination:
        host: nobody
`;
const gateway = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: front
  annotations: {ANNOTATION}
spec:
  selector: {app: none}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
`;
const pod = `
apiVersion: v1
kind: Pod
metadata: {name: old, annotations: {sidecar.istio.io/unheard-of: x}}
`;
const codes = (yaml: string, options: Parameters<typeof analyzeYaml>[1] = {}) =>
  analyzeYaml(yaml, options).map(({ code, resource }) => `${code} ${resource}`);

describe('analyze', () => {
  it('says where each finding is, in order of lines', () => {
    const found = analyzeYaml(routes);
    expect(found).toMatchObject([
      { code: 'IST0101', line: 7, column: 14, path: 'spec.gateways[0]', file: 'test.yaml' },
      { code: 'IST0132', line: 7, column: 14 },
      { code: 'IST0101', line: 11, column: 9, path: 'spec.http[0].route[0].destination.host' },
    ]);
    expect(found[0]).toMatchObject({
      name: 'ReferencedResourceNotFound',
      level: 'error',
      resource: 'VirtualService/shop/a',
      object: { kind: 'VirtualService', namespace: 'shop', name: 'a' },
      message: 'Referenced gateway not found: "nowhere"; define it or correct the name.',
      documentationUrl: 'docs/analyze/IST0101.md',
    });
  });

  it('tells once what three analyzers come upon', () => {
    expect(codes(gateway.replace('ANNOTATION', ''))).toEqual(['IST0101 Gateway/default/front']);
  });

  it.each([
    ['a code', ['IST0101'], '', []],
    ['another code', ['IST0102'], '', ['IST0101 Gateway/default/front']],
    ['a code of an object', ['IST0101=Gateway front.default'], '', []],
    ['a code of objects by a pattern', ['IST0101=* *.default'], '', []],
    ['a code of another object', ['IST0101=Gateway back.default'], '', ['IST0101 Gateway/default/front']],
    ['a code, by annotation', [], 'galley.istio.io/analyze-suppress: "IST0002, IST0101"', []],
    ['all codes, by annotation', [], 'galley.istio.io/analyze-suppress: "*"', []],
  ])('suppresses %s', (_, suppress, annotation, expected) => {
    expect(codes(gateway.replace('ANNOTATION', annotation), { options: { suppress } })).toEqual(expected);
  });

  it('leaves out, with schemaOnly, what depends on other objects', () => {
    expect(codes(`${routes}---${pod}`, { options: { schemaOnly: true } })).toEqual(['IST0108 Pod/default/old']);
  });

  it('tells only of the namespace that is asked about', () => {
    expect(codes(`${routes}---${pod}`, { options: { namespace: 'default' } })).toEqual(['IST0108 Pod/default/old']);
  });

  it('has nothing to say of the namespaces of Kubernetes itself', () => {
    expect(codes(pod.replace('name: old', 'name: old, namespace: kube-system'))).toEqual([]);
  });

  it('counts an object that breaks its schema as there', () => {
    const broken = gateway.replace('ANNOTATION', '').replace('name: front', 'name: nowhere\n  namespace: shop');
    const found = codes(`${routes}---${broken.replace("hosts: ['*']", 'hosts: ["*"], bind: 7')}`);
    expect(found).not.toContain('IST0132 VirtualService/shop/a');
  });

  it('assumes the ingress gateway of an installation, unless told that there is nothing else', () => {
    const yaml = gateway.replace('ANNOTATION', '').replace('app: none', 'istio: ingressgateway');
    expect(codes(yaml)).toEqual([]);
    expect(codes(yaml, { options: { assumeIngressGateway: false } })).toEqual(['IST0101 Gateway/default/front']);
  });

  it('finds nothing in nothing', () => {
    expect(analyze({ objects: [] })).toEqual([]);
  });

  it('finds the same whatever the order of the objects', () => {
    const [a, b] = [`${routes}---${pod}`, `${pod}---${routes}`].map((yaml) => new Set(codes(yaml)));
    expect(a).toEqual(b);
  });
});

/** Values that nobody should write where a field is read. */
const junk: readonly unknown[] = [null, 0, -1, 1e99, '', 'x', true, [], [null], [[]], {}, { name: 7 }, [{ a: null }]];

/** Replaces one node of a value, counted in depth-first order, by junk. */
function spoil(value: unknown, at: number, by: unknown): { readonly value: unknown; readonly seen: number } {
  if (at === 0) return { value: by, seen: 1 };
  let seen = 1;
  const inside = (item: unknown): unknown => {
    const result = spoil(item, at - seen, by);
    seen += result.seen;
    return result.value;
  };
  if (Array.isArray(value)) return { value: value.map(inside), seen };
  if (typeof value !== 'object' || value === null) return { value, seen };
  return { value: Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inside(item)])), seen };
}

const samples: readonly ConfigObject[] = [
  [
    'networking.istio.io/v1',
    'VirtualService',
    {
      hosts: ['a'],
      gateways: ['g'],
      exportTo: ['.'],
      http: [
        {
          match: [{ uri: { prefix: '/' }, headers: { '@request.auth.claims.a': { exact: 'b' } } }],
          fault: { delay: { percent: 1 } },
          delegate: { name: 'a' },
          route: [{ destination: { host: 'a', subset: 'b', port: { number: 1 } } }],
          mirror: { host: 'c' },
        },
      ],
    },
  ] as const,
  [
    'networking.istio.io/v1',
    'DestinationRule',
    {
      host: 'a',
      subsets: [{ name: 'b', labels: { v: '1' } }],
      trafficPolicy: { tls: { mode: 'SIMPLE' }, portLevelSettings: [{ port: { number: 1 }, tls: { mode: 'MUTUAL' } }] },
    },
  ] as const,
  [
    'networking.istio.io/v1',
    'Gateway',
    { selector: { a: 'b' }, servers: [{ hosts: ['*'], port: { number: 1 }, tls: { credentialName: 'x' } }] },
  ] as const,
  [
    'networking.istio.io/v1',
    'ServiceEntry',
    { hosts: ['a'], exportTo: ['*'], ports: [{ number: 1, protocol: 'TCP' }], endpoints: [{ labels: { a: 'b' } }] },
  ] as const,
  [
    'networking.istio.io/v1',
    'Sidecar',
    { workloadSelector: { labels: { a: 'b' } }, outboundTrafficPolicy: { egressProxy: {} } },
  ] as const,
  [
    'networking.istio.io/v1alpha3',
    'EnvoyFilter',
    {
      configPatches: [
        {
          applyTo: 'HTTP_FILTER',
          match: { proxy: { proxyVersion: '1' }, listener: { filterChain: { filter: { name: 'a' } } } },
          patch: { operation: 'REPLACE', value: { name: 'a' } },
        },
      ],
    },
  ] as const,
  [
    'security.istio.io/v1',
    'AuthorizationPolicy',
    { selector: { matchLabels: { a: 'b' } }, rules: [{ from: [{ source: { namespaces: ['x'] } }] }] },
  ] as const,
  ['security.istio.io/v1', 'RequestAuthentication', { selector: { matchLabels: { a: 'b' } } }] as const,
  [
    'telemetry.istio.io/v1',
    'Telemetry',
    { selector: { matchLabels: { a: 'b' } }, accessLogging: [{}], tracing: [{ providers: [{ name: 'x' }] }] },
  ] as const,
  [
    'v1',
    'Service',
    { selector: { a: 'b' }, type: 'ExternalName', ports: [{ name: 'tcp', port: 1, targetPort: 'x', protocol: 'TCP' }] },
  ] as const,
  [
    'v1',
    'Pod',
    {
      nodeName: 'n',
      containers: [{ name: 'istio-proxy', image: 'auto', ports: [{ name: 'x', containerPort: 1 }] }],
      securityContext: { runAsUser: 1337 },
    },
  ] as const,
  [
    'apps/v1',
    'Deployment',
    { template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'istio-proxy', image: 'auto' }] } } },
  ] as const,
].map(([apiVersion, kind, spec]) => ({
  apiVersion,
  kind,
  metadata: { name: 'a', namespace: 'default', labels: { a: 'b' }, annotations: { 'sidecar.istio.io/inject': 'true' } },
  spec,
}));

describe('objects that nobody should write', () => {
  it.each(samples.map((object) => [object.kind, object] as const))(
    'a spoilt %s does not stop analysis',
    (_, object) => {
      const others = samples.filter((other) => other !== object);
      const nodes = spoil(object.spec, -1, undefined).seen;
      for (let at = 0; at < nodes; at++)
        for (const by of junk) {
          const { value: spec } = spoil(object.spec, at, by);
          expect(() => analyze({ objects: [...others, { ...object, spec }] })).not.toThrow();
        }
    },
  );
});

describe('the analyzers', () => {
  it('have names of their own, in order, and say what they look for', () => {
    const names = analyzers.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, description } of analyzers) {
      expect(name).toMatch(/^[A-Za-z0-9]+(\.[A-Za-z0-9]+)+$/);
      expect(description).toMatch(/\.$/);
    }
  });
});
