import { expect, it } from '@jest/globals';
import { defaultMeshConfig, type MeshConfig } from '@seine/model';
import { aProxy } from '@seine/testing';
import { proxyDiagnostics } from './compiler.js';
import { aKubernetesService, anIstioObject, aPod } from './testing/config-objects.js';
import { MeshUnderTest } from './testing/mesh-under-test.js';

const labels = { app: 'reviews' };
const proxy = Object.freeze(
  aProxy({ name: 'reviews-v1', ipAddresses: ['10.0.0.1'], labels, workloadCertificates: true }),
);
const namespace = 'default';

function problems(spec: object, more: readonly object[] = [], config: Partial<MeshConfig> = {}): readonly unknown[] {
  const mesh = new MeshUnderTest(
    [
      aKubernetesService({
        name: 'reviews',
        namespace,
        ports: [
          { name: 'http', port: 9080 },
          { name: 'tcp', port: 9000 },
        ],
      }),
      aPod({ name: 'reviews-v1', namespace, ip: '10.0.0.1', labels }),
      { ...anIstioObject('AuthorizationPolicy', { name: 'p', namespace }, spec), apiVersion: 'security.istio.io/v1' },
      ...(more as readonly ReturnType<typeof aPod>[]),
    ],
    Object.freeze({ ...defaultMeshConfig, ...config }),
  );
  return proxyDiagnostics(mesh.mesh, proxy).map(({ code, path }) => `${code} ${path}`);
}
const strict = {
  ...anIstioObject('PeerAuthentication', { name: 'p', namespace }, { mtls: { mode: 'STRICT' } }),
  apiVersion: 'security.istio.io/v1',
};
const byPath = (ports?: readonly string[]) => [{ to: [{ operation: { paths: ['/a'], ...(ports && { ports }) } }] }];
const byIdentity = [{ from: [{ source: { principals: ['*'] } }], when: [{ key: 'source.namespace', values: ['a'] }] }];

it.each([
  ['a policy that holds as it stands', { rules: [{ to: [{ operation: { ports: ['9080'] } }] }] }, [], []],
  ['A-21: rules on HTTP before a port without', { rules: byPath() }, [], ['SEINE-AUTHZ-TCP spec.rules[0]']],
  ['A-21: DENY likewise', { action: 'DENY', rules: byPath() }, [], ['SEINE-AUTHZ-TCP spec.rules[0]']],
  ['A-21: not where the rule names ports', { rules: byPath(['9080']) }, [], []],
  [
    'A-12: identities where plain text is taken',
    { rules: byIdentity },
    [],
    ['SEINE-AUTHZ-MTLS spec.rules[0].from[0].source.principals', 'SEINE-AUTHZ-MTLS spec.rules[0].when[0].key'],
  ],
  ['A-12: not under STRICT', { rules: byIdentity }, [strict], []],
  [
    'A-26: a selector that nobody has',
    { selector: { matchLabels: { ap: 'reviews' } } },
    [],
    ['SEINE-AUTHZ-TARGET spec.selector.matchLabels'],
  ],
  [
    'a target that only waypoints have',
    { targetRefs: [{ group: '', kind: 'Service', name: 'reviews' }] },
    [],
    ['SEINE-AUTHZ-TARGET spec.targetRefs'],
  ],
  [
    'a provider that the mesh config has not',
    { action: 'CUSTOM', provider: { name: 'a' }, rules: [{}] },
    [],
    ['SEINE-AUTHZ-PROVIDER spec.provider.name'],
  ],
])('%s', (_name, spec, more, expected) => {
  expect(problems(spec, more)).toEqual(expected);
});

it.each([
  ['that no service is', { name: 'a', envoyExtAuthzGrpc: { service: 'nobody', port: 1 } }, true],
  ['that has no such port', { name: 'a', envoyExtAuthzGrpc: { service: 'reviews.default', port: 1 } }, true],
  ['that decides on nothing', { name: 'a', prometheus: {} }, true],
  ['that is there', { name: 'A', envoyExtAuthzHttp: { service: 'reviews.default', port: 9080 } }, false],
] as const)('tells of a provider %s: %j, %s', (_name, provider, told) => {
  const custom = { action: 'CUSTOM', provider: { name: 'a' }, rules: [{}] };
  expect(problems(custom, [], { extensionProviders: [provider] }).length).toBe(told ? 1 : 0);
});
