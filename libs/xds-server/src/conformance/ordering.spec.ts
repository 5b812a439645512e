import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TypeUrl } from '@seine/envoy';
import {
  aCluster,
  AdsFixture,
  type AdsVariant,
  aListener,
  anAssignment,
  aNode,
  aRouteConfig,
  RandomMesh,
} from '@seine/testing';
import { XdsServer } from '../xds-server.js';

const ads = new AdsFixture((source) => new XdsServer({ source, now: () => Date.now() }));
// Many rounds take long on a busy machine; the bound is for a hang.
jest.setTimeout(120_000);
beforeEach(() => ads.start());
afterEach(() => ads.stop());

const both: AdsVariant[] = ['sotw', 'delta'];
const routed = (name: string, route: string, cluster: string) => [
  aCluster(cluster),
  anAssignment(cluster, '10.0.0.1'),
  aListener(name, route),
  aRouteConfig(route, [cluster]),
];

describe.each(both)('order on the wire (%s)', (variant) => {
  it('X-17 sends endpoints after a cluster that changed though they did not', async () => {
    ads.source.put(aCluster('a'), anAssignment('a', '10.0.0.1'), aCluster('b'), anAssignment('b', '10.0.0.1')).commit();
    const stream = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
    await stream.nextAcked();
    stream.request({ typeUrl: TypeUrl.endpoint, names: ['a', 'b'] });
    await stream.nextAcked(TypeUrl.endpoint);
    await stream.expectNone();
    ads.source.put(aCluster('a', 1)).commit();
    // The acknowledgement of CDS is not waited for: Envoy gives it when the endpoints are there.
    await stream.next(TypeUrl.cluster);
    const followed = await stream.next(TypeUrl.endpoint);
    expect(followed.resources.map((r) => r.name)).toContain('a');
  });

  it('X-17 warms every cluster of 500 changes', async () => {
    ads.source.put(...routed('l', 'r', 'a'), aCluster('b'), anAssignment('b', '10.0.0.1')).commit();
    const envoy = await ads.envoy(variant);
    for (let i = 1; i <= 500; i++) {
      ads.source.put(aCluster('a', i), aCluster('b', i)).commit();
      await envoy.stream.barrier();
      await envoy.until(() => envoy.warming.length === 0 && envoy.isComplete, `change ${i} warm`);
    }
    const last = [aCluster('a', 500), aCluster('b', 500)].map((c) => c.resource.bytes.toString('base64'));
    await envoy.until(
      () => Object.values(envoy.stream.state.contents(TypeUrl.cluster)).join() === last.join(),
      'the last content',
    );
  });

  it('X-19 sends what one change touches in the order CDS, EDS, LDS, RDS', async () => {
    ads.source.put(...routed('l', 'r', 'a')).commit();
    const envoy = await ads.envoy(variant);
    const before = envoy.received.length;
    ads.source.put(aCluster('b'), anAssignment('b', '10.0.0.2'), aListener('l', 'r', 1), aRouteConfig('r', ['b']));
    ads.source.remove(TypeUrl.cluster, 'a').remove(TypeUrl.endpoint, 'a').commit();
    await envoy.until(() => envoy.stream.state.names(TypeUrl.cluster).join() === 'b', 'the old cluster to go');
    const order = envoy.received.slice(before).map((r) => r.typeUrl);
    const firsts = [TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.listener, TypeUrl.route].map((t) => order.indexOf(t));
    expect(firsts).toEqual([...firsts].sort((x, y) => x - y));
    expect(firsts).not.toContain(-1);
    expect(envoy.violations).toEqual([]);
  });

  it('X-19 names no cluster in a route before it is there and warm (1,000 random edits)', async () => {
    const mesh = new RandomMesh(7, ads.source);
    mesh.edit(20);
    ads.source.commit();
    const envoy = await ads.envoy(variant);
    for (let i = 0; i < 1000; i++) {
      mesh.edit(1 + (i % 4));
      ads.source.commit();
      if (i % 3 === 0) await envoy.stream.barrier();
    }
    await envoy.until(() => mesh.isHeldBy(envoy), 'the final state');
    expect(envoy.violations).toEqual([]);
  });

  it('X-20 removes a cluster only after the routes that left it are acknowledged', async () => {
    ads.source.put(...routed('l', 'r', 'x')).commit();
    const stream = ads.open(variant);
    stream.request({ typeUrl: TypeUrl.cluster }).request({ typeUrl: TypeUrl.endpoint, names: ['x'] });
    stream.request({ typeUrl: TypeUrl.listener }).request({ typeUrl: TypeUrl.route, names: ['r'] });
    for (let i = 0; i < 4; i++) await stream.nextAcked();
    await stream.expectNone();
    ads.source
      .put(...routed('l', 'r', 'y'))
      .remove(TypeUrl.cluster, 'x')
      .remove(TypeUrl.endpoint, 'x')
      .commit();
    const added = await stream.next(TypeUrl.cluster);
    expect(stream.state.names(TypeUrl.cluster)).toEqual(['x', 'y']);
    await stream.expectNone();
    // Envoy asks for the endpoints, warms the cluster, and only then accepts CDS.
    const nonce = stream.nonceOf(TypeUrl.endpoint);
    if (variant === 'delta') stream.request({ typeUrl: TypeUrl.endpoint, names: ['y'] });
    else stream.request({ typeUrl: TypeUrl.endpoint, names: ['x', 'y'], nonce });
    await stream.nextAcked(TypeUrl.endpoint);
    await stream.expectNone();
    stream.ack(added);
    const moved = await stream.next(TypeUrl.route);
    await stream.expectNone();
    stream.ack(moved);
    const removed = await stream.nextAcked(TypeUrl.cluster);
    expect(stream.state.names(TypeUrl.cluster)).toEqual(['y']);
    if (variant === 'delta') expect(removed.removed).toEqual(['x']);
  });

  it('X-20 a stream that refuses the routes keeps its old clusters, and delays nobody', async () => {
    ads.source.put(...routed('l', 'r', 'x')).commit();
    const other = await ads.envoy(variant, aNode('other'));
    const stream = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
    await stream.nextAcked();
    stream.request({ typeUrl: TypeUrl.route, names: ['r'] });
    await stream.nextAcked(TypeUrl.route);
    ads.source
      .put(...routed('l', 'r', 'y'))
      .remove(TypeUrl.cluster, 'x')
      .remove(TypeUrl.endpoint, 'x')
      .commit();
    await other.until(() => other.stream.state.names(TypeUrl.cluster).join() === 'y', 'the other to move');
    await stream.nextAcked(TypeUrl.cluster);
    stream.nack(await stream.next(TypeUrl.route), 'r: refused');
    await stream.expectNone();
    await other.stream.barrier();
    expect(stream.state.names(TypeUrl.cluster)).toEqual(['x', 'y']);
    expect(other.stream.state.names(TypeUrl.cluster)).toEqual(['y']);
    expect(other.violations).toEqual([]);
  });

  it('X-20 a stream from which a refused route is held back keeps the clusters of the old one', async () => {
    ads.source.put(...routed('l', 'r', 'x')).commit();
    const [refusing, waiting] = ['refusing', 'waiting'].map((name) => ads.open(variant, aNode(name)));
    for (const stream of [refusing!, waiting!]) {
      stream.request({ typeUrl: TypeUrl.cluster });
      await stream.nextAcked();
      stream.request({ typeUrl: TypeUrl.route, names: ['r'] });
      await stream.nextAcked(TypeUrl.route);
    }
    ads.source
      .put(...routed('l', 'r', 'y'))
      .remove(TypeUrl.cluster, 'x')
      .remove(TypeUrl.endpoint, 'x')
      .commit();
    await refusing!.nextAcked(TypeUrl.cluster);
    refusing!.nack(await refusing!.next(TypeUrl.route), 'r: refused');
    await refusing!.expectNone();
    await waiting!.nextAcked(TypeUrl.cluster);
    await waiting!.expectNone();
    expect(waiting!.state.names(TypeUrl.cluster)).toEqual(['x', 'y']);
  });
});

describe('the final state', () => {
  it('D-18 is the same set of bytes in both variants (200 random states)', async () => {
    const mesh = new RandomMesh(3, ads.source);
    mesh.edit(10);
    ads.source.commit();
    const [sotw, delta] = [await ads.envoy('sotw'), await ads.envoy('delta')];
    for (let i = 0; i < 200; i++) {
      mesh.edit(5);
      ads.source.commit();
      await Promise.all([sotw, delta].map((envoy) => envoy.until(() => mesh.isHeldBy(envoy), `state ${i}`)));
    }
    for (const typeUrl of [TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.listener, TypeUrl.route])
      expect(delta.stream.state.contents(typeUrl)).toEqual(sotw.stream.state.contents(typeUrl));
  });

  it('D-19 of a client that only applies deltas is that of a fresh state-of-the-world one (10,000 random edits)', async () => {
    const mesh = new RandomMesh(11, ads.source);
    mesh.edit(30);
    ads.source.commit();
    const envoy = await ads.envoy('delta');
    for (let edits = 0; edits < 10_000; edits += 10) {
      mesh.edit(10);
      ads.source.commit();
      if (edits % 50 === 0) await envoy.stream.barrier();
    }
    await envoy.until(() => mesh.isHeldBy(envoy), 'the final state');
    const fresh = await ads.envoy('sotw');
    for (const typeUrl of [TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.listener, TypeUrl.route])
      expect(envoy.stream.state.contents(typeUrl)).toEqual(fresh.stream.state.contents(typeUrl));
    expect(envoy.violations).toEqual([]);
  });
});
