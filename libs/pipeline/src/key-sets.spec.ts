import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import type { KeySet, Mesh } from '@seine/model';
import { proxyBeside } from './compile-proxy.js';
import { policiesOf } from './policies.js';
import { MeshUnderTest } from './testing/mesh-under-test.js';

const pod = (app: string, podIP: string) =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: app, namespace: 'default', labels: { app } },
    spec: { containers: [{ name: 'app', ports: [{ containerPort: 8080 }] }] },
    status: { phase: 'Running', podIP },
  }) as ConfigObject;
const policy = (app: string, ...jwtRules: readonly object[]) =>
  ({
    apiVersion: 'security.istio.io/v1',
    kind: 'RequestAuthentication',
    metadata: { name: app, namespace: 'default' },
    spec: { selector: { matchLabels: { app } }, jwtRules },
  }) as ConfigObject;
const keySet = (source: string, jwks = '{"keys":[]}'): KeySet => Object.freeze({ source, jwks });

describe('keys that are fetched', () => {
  const { mesh } = new MeshUnderTest([
    pod('reviews', '10.0.0.1'),
    pod('ratings', '10.0.0.2'),
    policy('reviews', { issuer: 'https://a' }, { issuer: 'b', jwksUri: 'https://b/keys' }, { issuer: 'c', jwks: '{}' }),
    policy('ratings', { issuer: 'https://d' }),
  ]);
  const proxies = ['10.0.0.1', '10.0.0.2'].map((ip) => proxyBeside(mesh.workloads.get(ip)!, mesh.config));
  const [a, b, d] = [keySet('https://a'), keySet('https://b/keys'), keySet('https://d')];
  const policiesWith = (...sets: readonly KeySet[]) => {
    const keySets: Mesh['keySets'] = new Map(sets.map((set) => [set.source, set]));
    return proxies.map((proxy) => policiesOf({ ...mesh, keySets }, proxy, 'inbound', mesh.services));
  };

  it('come to the proxies whose policies name them, and to no others', () => {
    expect(policiesWith(a, b, d).map(({ keySets }) => keySets)).toEqual([[a, b], [d]]);
    expect(policiesWith(d, keySet('https://c')).map(({ keySets }) => keySets)).toEqual([[], [d]]);
  });

  it('J-12: change nothing for proxies that check no token by them', () => {
    const [reviews, ratings] = policiesWith(a, b, d);
    const [rotated, same] = policiesWith(keySet('https://a', '{"keys":[1]}'), b, d);
    expect(rotated).not.toBe(reviews);
    // The identity of the policies is what listeners are compiled by.
    expect(same).toBe(ratings);
    expect(policiesWith(d, b, a)).toEqual([reviews, ratings]);
  });

  it('are not looked for on the outbound side', () => {
    const keySets = new Map([[a.source, a]]);
    expect(policiesOf({ ...mesh, keySets }, proxies[0]!, 'outbound', mesh.services).keySets).toEqual([]);
  });
});
