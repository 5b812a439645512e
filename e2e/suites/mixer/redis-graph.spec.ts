import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { type GraphInRedis, graphAt } from '@seine/redis-graph';
import { parseRedisUrl } from '@seine/redis';
import { coarse, fine, GraphRecorder, readEdges } from '@seine/service-graph';
import { describeGraphStore, request } from '@seine/service-graph/testing';
import { poll } from '@seine/testing';
import { RedisServer } from '../../src/index.js';

jest.setTimeout(120_000);
let redis: RedisServer;
const open: GraphInRedis[] = [];
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());
afterEach(async () => {
  for (const graph of open.splice(0)) graph.close();
  await redis.client.flushall();
});

async function graph(now: () => number): Promise<GraphInRedis> {
  const made = graphAt({ address: parseRedisUrl(redis.url) }, { now });
  open.push(made);
  await poll(() => Promise.resolve(made.connection.isUp), 'a connection to Redis');
  return made;
}

describeGraphStore('RedisGraphStore', Date.now, async (now) => (await graph(() => now)).store);

it('adds up what several mixers count, and lets none of it stay for ever', async () => {
  const now = Date.now();
  const stores = await Promise.all([graph(Date.now), graph(Date.now), graph(Date.now)]);
  const recorders = stores.map((_, i) => new GraphRecorder(`mixer-${i}`));
  for (let i = 0; i < 3000; i++) recorders[i % 3]!.observe(request('client', `reviews${i % 700}`), now);
  await Promise.all(recorders.map((recorder, i) => stores[i]!.store.write(recorder.take(now).partials)));
  const { table, replicas } = await readEdges(stores[0].store, now - 60_000, now + 1);
  const requests = [...table.edges.values()].map((edge) => edge.report('destination')?.requests ?? 0);
  expect(requests.reduce((a, b) => a + b)).toBe(3000);
  expect([table.size, replicas]).toEqual([700, 3]);
  const keys = await redis.client.keys('*');
  expect(keys).toHaveLength(1);
  for (const key of keys) expect(await redis.client.pttl(key)).toBeLessThan(fine.keepMs + coarse.widthMs);
});

it('takes nothing for an edge that is none', async () => {
  const { store } = await graph(Date.now);
  const start = Math.floor(Date.now() / fine.widthMs) * fine.widthMs;
  for (const text of ['', '{', '[]', 'null', '{"edge":{"source":{}},"reports":{}}'])
    await redis.client.hset(`{seine:graph}:${fine.widthMs}:${start}`, `a\n${text}`, text);
  expect(await store.read(fine.widthMs, start, start + 1)).toEqual([]);
});

it('rejects at once while Redis is away', async () => {
  const { store, connection } = await graph(Date.now);
  await redis.kill();
  await poll(() => Promise.resolve(!connection.isUp), 'the connection to be lost');
  await expect(store.read(fine.widthMs, 0, Date.now())).rejects.toThrow(/Redis is away/);
  await redis.start();
  await poll(() => Promise.resolve(connection.isUp), 'the connection to be back');
  expect(await store.read(fine.widthMs, Date.now() - 60_000, Date.now())).toEqual([]);
});
