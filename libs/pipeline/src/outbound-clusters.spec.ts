import { describe, expect, it } from '@jest/globals';
import { TypeUrl } from '@seine/envoy';
import type { Resource } from '@seine/snapshot';
import { aDestinationRule, aKubernetesService, aPod } from './testing/config-objects.js';
import { MeshUnderTest } from './testing/mesh-under-test.js';

const named = { name: 'reviews', namespace: 'default' };
const clusterName = 'outbound|9080||reviews.default.svc.cluster.local';

function world() {
  const mesh = new MeshUnderTest([
    aKubernetesService({ ...named, clusterIP: '10.96.0.1' }),
    aPod({ ...named, ip: '10.1.0.1', labels: { app: 'reviews', version: 'v1' } }),
  ]);
  const [proxy] = mesh.proxies();
  if (!proxy) throw new Error('no proxy');
  const find = (typeUrl: string): Resource | undefined => {
    const layers = mesh.views(proxy).get(typeUrl) ?? [];
    return layers.map((layer) => layer.get(clusterName)).find((found) => found !== undefined);
  };
  return { mesh, cluster: () => find(TypeUrl.cluster), endpoints: () => find(TypeUrl.endpoint) };
}

describe('the version of load assignments', () => {
  it('D-14 changes with its cluster, the bytes being the same', () => {
    const { mesh, cluster, endpoints } = world();
    const before = { cluster: cluster(), endpoints: endpoints() };
    mesh.put(aDestinationRule(named));
    expect(cluster()?.version).not.toBe(before.cluster?.version);
    expect(endpoints()?.bytes).toEqual(before.endpoints?.bytes);
    expect(endpoints()?.version).not.toBe(before.endpoints?.version);
  });

  it('is the same again when the cluster is', () => {
    const { mesh, cluster, endpoints } = world();
    const before = { cluster: cluster()?.version, endpoints: endpoints()?.version };
    mesh.put(aDestinationRule(named));
    mesh.remove('networking.istio.io/DestinationRule/default/reviews');
    expect({ cluster: cluster()?.version, endpoints: endpoints()?.version }).toEqual(before);
  });
});
