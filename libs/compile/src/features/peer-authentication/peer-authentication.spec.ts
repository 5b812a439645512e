import { describe, expect, it } from '@jest/globals';
import type { PeerAuthentication, PeerAuthenticationSpec } from '@seine/istio';
import { peerAuthenticationProblems } from './peer-authentication-problems.js';
import { mtlsModeOf, resolvePeerAuthentication, selectPeerAuthentication } from './peer-authentication.js';

const policy = (name: string, namespace: string, spec: PeerAuthenticationSpec): PeerAuthentication => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'PeerAuthentication',
  metadata: { name, namespace },
  spec,
});
const strict = { mtls: { mode: 'STRICT' } } as const;
const disable = { mtls: { mode: 'DISABLE' } } as const;
const unset = { mtls: { mode: 'UNSET' } } as const;
const reviews = { selector: { matchLabels: { app: 'reviews' } } };
const workload = { namespace: 'default', labels: { app: 'reviews', version: 'v1' } };

function modes(
  policies: readonly PeerAuthentication[],
  of: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> } = workload,
) {
  const resolved = resolvePeerAuthentication(selectPeerAuthentication(policies, of, 'istio-system'));
  return [80, 9080].map((port) => mtlsModeOf(resolved, port));
}

describe('PeerAuthentication', () => {
  it.each<[string, readonly PeerAuthentication[], readonly string[]]>([
    ['nothing is said', [], ['PERMISSIVE', 'PERMISSIVE']],
    ['the mesh says', [policy('default', 'istio-system', strict)], ['STRICT', 'STRICT']],
    [
      'the namespace says other than the mesh',
      [policy('default', 'istio-system', strict), policy('default', 'default', disable)],
      ['DISABLE', 'DISABLE'],
    ],
    [
      'the workload says other than the namespace',
      [policy('default', 'default', disable), policy('own', 'default', { ...reviews, ...strict })],
      ['STRICT', 'STRICT'],
    ],
    [
      'a port says other than its workload',
      [policy('own', 'default', { ...reviews, ...strict, portLevelMtls: { '9080': { mode: 'DISABLE' } } })],
      ['STRICT', 'DISABLE'],
    ],
    [
      'a port is unset',
      [policy('own', 'default', { ...reviews, ...strict, portLevelMtls: { '9080': { mode: 'UNSET' } } })],
      ['STRICT', 'STRICT'],
    ],
    [
      'the workload is unset',
      [policy('default', 'istio-system', strict), policy('own', 'default', { ...reviews, ...unset })],
      ['STRICT', 'STRICT'],
    ],
    [
      'only a port says',
      [
        policy('default', 'default', strict),
        policy('own', 'default', { ...reviews, portLevelMtls: { '80': { mode: 'PERMISSIVE' } } }),
      ],
      ['PERMISSIVE', 'STRICT'],
    ],
    [
      'two of one scope say: the oldest',
      [policy('a', 'default', strict), policy('b', 'default', disable)],
      ['STRICT', 'STRICT'],
    ],
    [
      'two select the workload: the oldest',
      [policy('a', 'default', { ...reviews, ...disable }), policy('b', 'default', { ...reviews, ...strict })],
      ['DISABLE', 'DISABLE'],
    ],
    ['another namespace says', [policy('default', 'other', strict)], ['PERMISSIVE', 'PERMISSIVE']],
    [
      'others are selected',
      [policy('own', 'default', { selector: { matchLabels: { app: 'ratings' } }, ...strict })],
      ['PERMISSIVE', 'PERMISSIVE'],
    ],
    [
      'a selector of the root namespace, which selects there only',
      [policy('own', 'istio-system', { ...reviews, ...strict })],
      ['PERMISSIVE', 'PERMISSIVE'],
    ],
    [
      'an empty selector is none',
      [policy('own', 'default', { selector: { matchLabels: {} }, ...strict })],
      ['STRICT', 'STRICT'],
    ],
  ])('J-16 when %s', (_name, policies, expected) => expect(modes(policies)).toEqual(expected));

  it('J-16 of the mesh holds in the root namespace itself', () => {
    const of = { namespace: 'istio-system', labels: {} };
    expect(modes([policy('default', 'istio-system', strict)], of)).toEqual(['STRICT', 'STRICT']);
  });
});

describe('peerAuthenticationProblems', () => {
  const proxy = { name: 'reviews-v1', ...workload, workloadCertificates: true };
  const problems = (policies: readonly PeerAuthentication[], beside = proxy, ports = [9080]) =>
    peerAuthenticationProblems(policies, beside, ports, 'istio-system').map(
      ({ object, path, message }) => [object?.name, path, message] as const,
    );

  it.each<[string, readonly PeerAuthentication[], readonly string[]]>([
    ['one in each scope', [policy('m', 'istio-system', strict), policy('n', 'default', disable)], []],
    ['two of the mesh', [policy('a', 'istio-system', strict), policy('b', 'istio-system', strict)], ['b']],
    ['two of the namespace', [policy('a', 'default', strict), policy('b', 'default', disable)], ['b']],
    [
      'two of the workload',
      [policy('a', 'default', { ...reviews, ...strict }), policy('b', 'default', reviews)],
      ['b'],
    ],
    [
      'two of different workloads',
      [policy('a', 'default', reviews), policy('b', 'default', { selector: { matchLabels: { app: 'x' } } })],
      [],
    ],
  ])('J-16: of %s', (_what, policies, shadowed) => {
    expect(problems(policies).map(([name]) => name)).toEqual(shadowed);
  });

  it('J-16: says which is in force, and what to do', () => {
    expect(problems([policy('a', 'default', strict), policy('b', 'default', disable)])).toEqual([
      [
        'b',
        'spec',
        'PeerAuthentication default/a is of the same namespace and is older: it is in force, and this one is not. Make one of both, or let them select different workloads.',
      ],
    ]);
  });

  const bare = { ...proxy, workloadCertificates: false };
  const port = (mode: 'STRICT' | 'PERMISSIVE') => ({ ...reviews, portLevelMtls: { '9080': { mode } } });
  it.each<[string, readonly PeerAuthentication[], boolean]>([
    ['nothing', [], false],
    ['PERMISSIVE', [policy('a', 'default', { mtls: { mode: 'PERMISSIVE' } })], false],
    ['STRICT', [policy('a', 'default', strict)], true],
    ['STRICT at a port', [policy('a', 'default', port('STRICT'))], true],
  ])('says when a proxy without a certificate cannot do what is demanded: %s', (_what, policies, told) => {
    expect(problems(policies, bare)).toEqual(
      told ? [['a', 'spec.mtls', expect.stringContaining('default/reviews-v1, whose proxy has no certificate')]] : [],
    );
    expect(problems(policies)).toEqual([]);
  });
});
