import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ConfigObject, objectKey } from '@seine/k8s';
import { MemoryStore } from '@seine/store-memory';
import { AdsClient, aNode, EnvoyLikeClient } from '@seine/testing';
import { PilotService } from './pilot.service.js';

const reviews: ConfigObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'reviews', namespace: 'default' },
  spec: { clusterIP: '10.96.0.1', selector: { app: 'reviews' }, ports: [{ name: 'http', port: 9080 }] },
};
const cluster = 'outbound|9080||reviews.default.svc.cluster.local';

describe('PilotService', () => {
  let store: MemoryStore;
  let errors: unknown[];
  let pilot: PilotService;
  let client: AdsClient;

  beforeEach(async () => {
    store = new MemoryStore();
    errors = [];
    pilot = new PilotService({
      store,
      xds: '127.0.0.1:0',
      drainMs: 0,
      onError: (error) => errors.push(error),
    });
    await pilot.listen();
    client = new AdsClient(`127.0.0.1:${pilot.xdsPort}`);
  });

  afterEach(async () => {
    client.close();
    await pilot.stop();
  });

  const put = (object: ConfigObject): Promise<number> => store.write([{ key: objectKey(object), object }]);

  it('serves nobody before the sources have filled the store', async () => {
    const following = pilot.follow();
    expect(pilot.ready).toBe(false);
    const refused = client
      .open('delta', aNode())
      .request({ typeUrl: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' });
    expect((await refused.ended).details).toBe('not synced yet');
    await store.markSynced();
    await following;
    expect(pilot.ready).toBe(true);
  });

  it('counts ports that contend for one listener at connected proxies', async () => {
    const tcp = (name: string): ConfigObject => ({
      ...reviews,
      metadata: { name, namespace: 'default' },
      spec: { clusterIP: 'None', selector: { app: name }, ports: [{ name: 'tcp', port: 7000 }] },
    });
    await put(tcp('first'));
    await put(tcp('second'));
    await store.markSynced();
    await pilot.follow();
    expect(pilot.listenerConflicts()).toBe(0);
    await new EnvoyLikeClient(client.open('delta', aNode())).start().untilComplete();
    expect(pilot.listenerConflicts()).toBe(1);
  });

  it('brings a change to a connected proxy, and knows when it has accepted it', async () => {
    await put(reviews);
    await store.markSynced();
    await pilot.follow();
    await new EnvoyLikeClient(client.open('delta', aNode())).start().untilComplete();
    const ratings = { ...reviews, metadata: { ...reviews.metadata, name: 'ratings' } };
    const revision = await put(ratings);
    const report = await pilot.waitForSync(revision, 10_000);
    expect(report).toMatchObject({ revision, proxies: [{ name: 'client-1', ackedRevision: revision, synced: true }] });
    const names = pilot.configOf('client-1.default')?.clusters.map((item) => (item as { name: string }).name);
    expect(names).toContain(cluster);
    expect(names).toContain(cluster.replace('reviews', 'ratings'));
    expect(pilot.configOf('nobody.default')).toBeUndefined();
  });

  it('says how it stands when the time is over first', async () => {
    await put(reviews);
    await store.markSynced();
    await pilot.follow();
    const silent = client
      .open('delta', aNode())
      .request({ typeUrl: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' });
    await silent.next();
    const { proxies } = await pilot.waitForSync(1, 1);
    expect(proxies).toMatchObject([
      { synced: false, types: { cds: { status: 'STALE' }, lds: { status: 'NOT SENT' } } },
    ]);
  });
});
