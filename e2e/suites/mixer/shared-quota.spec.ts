import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { documents, many, MixerProcess, RedisServer, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
const url = 'http://reviews:8080';
const noLimit = 1_000_000;
/**
 * The limits of the mesh, each on a path of its own. Of a day where none is said: longer than the tests take, so that no
 * window ends in one, except at midnight.
 */
const limits: Readonly<Record<string, object>> = {
  exact: { requests: 100, exact: true },
  ahead: { requests: 400 },
  short: { requests: 2, per: '5s' },
  bucket: { requests: 2, algorithm: 'TOKEN_BUCKET' },
  sliding: { requests: 2, algorithm: 'SLIDING_WINDOW' },
  open: { requests: noLimit, exact: true, failOpen: true },
  closed: { requests: noLimit, exact: true, failOpen: false },
  local: { requests: 20, exact: true, localFallback: true },
};
const limitsYaml = Object.entries(limits).map(
  ([name, limit]) => `apiVersion: policy.seine.dev/v1alpha1
kind: RateLimit
metadata: { name: ${name}, namespace: default }
spec:
  selector: { matchLabels: { app: reviews } }
  global: [${JSON.stringify({ per: '24h', timeout: '60s', match: { path: { exact: `/${name}` } }, ...limit })}]
`,
);

let redis: RedisServer;
let mixers: readonly MixerProcess[] = [];
let mesh: TestMesh;
beforeAll(async () => {
  redis = await RedisServer.start();
  mixers = [await MixerProcess.prepare(), await MixerProcess.prepare('mixer-2')];
  mesh = await TestMesh.start({
    identity: true,
    workloads: [
      { name: 'reviews-v1', sidecar: true },
      { name: 'reviews-v2', sidecar: true },
    ],
    config: { mixer: documents(mixers[0]!.yaml, mixers[1]!.podYaml), limits: documents(...limitsYaml) },
  });
  // A call may take two seconds here, on a busy machine.
  const flags = ['--redis', redis.url, '--redis-timeout', '2000', '--replicas', '2'];
  await Promise.all(mixers.map((mixer) => mixer.start(mesh.identity, flags)));
  await untilCounting();
});
afterAll(async () => {
  await Promise.all(mixers.map((mixer) => mixer.stop()));
  await mesh.stop();
  await redis.stop();
});
beforeEach(() => mesh.resetUpstreams());

const call = async (path: string) => (await mesh.call(url + path)).status;
const calls = async (path: string, count: number) => counted(await many(count, () => call(path)));
const sumOf = async (metric: string) =>
  (await Promise.all(mixers.map((mixer) => mixer.metric(metric)))).reduce((sum, one) => sum + one, 0);

function counted(values: readonly number[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

async function untilCounting(): Promise<void> {
  await poll(async () => (await sumOf('seine_mixer_redis_up')) === mixers.length, 'all mixers to have Redis', 60_000);
}

describe('two mixers that share a Redis', () => {
  it('R-5: let exactly as many requests through as the limit says, whichever of them is asked', async () => {
    expect(await calls('/exact', 1000)).toEqual({ 200: 100, 429: 900 });
    const asked = await Promise.all(mixers.map((mixer) => mixer.metric('ratelimit_service_rate_limit_total_hits')));
    expect(Math.min(...asked)).toBeGreaterThan(0);
  });

  it('let no more through than the limit, and hardly less, of one that is counted in advance', async () => {
    const { 200: passed = 0 } = await calls('/ahead', 600);
    expect(passed).toBeLessThanOrEqual(400);
    // Each may be left with a share that the other would have needed: a fortieth of what was left then.
    expect(passed).toBeGreaterThanOrEqual(380);
  });

  it('refuse the third request in five seconds, and take the first of the next', async () => {
    // All three within one window, however slow the machine.
    await poll(async () => counted(await many(3, () => call('/short')))[429] === 1, 'a window', 60_000);
    await poll(async () => (await call('/short')) === 200, 'the next window', 60_000);
  });

  it.each(['/bucket', '/sliding'])('share %s', async (path) => {
    expect(await calls(path, 20)).toEqual({ 200: 2, 429: 18 });
  });

  it('R-9: leave no count without an expiry when they are killed at work', async () => {
    const [mixer] = mixers;
    const flags = ['--redis', redis.url, '--redis-timeout', '2000', '--replicas', '2'];
    const load = many(400, () => call('/open'));
    await mixer!.stop('SIGKILL');
    expect(counted(await load)).toEqual({ 200: 400 });
    const lives = await Promise.all((await redis.client.keys('*')).map((key) => redis.client.pttl(key)));
    expect(lives.length).toBeGreaterThan(0);
    expect(Math.min(...lives)).toBeGreaterThan(0);
    await mixer!.start(mesh.identity, flags);
    await untilCounting();
  });
});

describe('when the Redis of mixers', () => {
  /** Limits do what they say without the shared counts. */
  async function expectFailureModes(): Promise<void> {
    const told = await sumOf('seine_mixer_local_fallback_hits_total');
    expect(await calls('/open', 40)).toEqual({ 200: 40 });
    expect(await calls('/closed', 40)).toEqual({ 500: 40 });
    expect(await sumOf('seine_mixer_local_fallback_hits_total')).toBe(told);
  }

  it('R-10: was killed, requests pass, get 500 or are counted by each mixer alone, as their limits say', async () => {
    await redis.kill();
    await poll(async () => (await sumOf('seine_mixer_redis_up')) === 0, 'no mixer to have Redis');
    await expectFailureModes();
    // Of 20, ten by each.
    expect(await calls('/local', 200)).toEqual({ 200: 20, 429: 180 });
    expect(await sumOf('seine_mixer_local_fallback_hits_total')).toBe(200);
    await redis.start();
    await untilCounting();
    expect(await calls('/closed', 40)).toEqual({ 200: 40 });
    expect(await calls('/local', 40)).toEqual({ 200: 20, 429: 20 });
  });

  it('R-11: hangs, requests are answered while it does', async () => {
    redis.signal('SIGSTOP');
    try {
      await expectFailureModes();
      await poll(async () => (await sumOf('seine_mixer_redis_up')) === 0, 'the circuits to open', 30_000);
      await expectFailureModes();
      expect(await sumOf('seine_mixer_redis_pending_calls')).toBeLessThan(100);
    } finally {
      redis.signal('SIGCONT');
    }
    await untilCounting();
    expect(await calls('/closed', 40)).toEqual({ 200: 40 });
  });

  it('R-12: was emptied, counts begin anew', async () => {
    await redis.client.flushall();
    expect(await calls('/bucket', 20)).toEqual({ 200: 2, 429: 18 });
    await redis.client.flushall();
    expect(await calls('/bucket', 20)).toEqual({ 200: 2, 429: 18 });
  });
});
