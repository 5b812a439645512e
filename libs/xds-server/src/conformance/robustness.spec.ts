import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TypeUrl } from '@seine/envoy';
import {
  aCluster,
  AdsClient,
  AdsFixture,
  type AdsVariant,
  anAssignment,
  aNode,
  aRouteConfig,
  encodeRequest,
  FrozenLink,
  poll,
  seededRandom,
  StallingClient,
} from '@seine/testing';
import { MalformedMessage } from '../protobuf-scan.js';
import { parseDeltaRequest, parseSotwRequest } from '../request.js';
import { defaultLimits, XdsServer, type XdsServerLimits } from '../xds-server.js';

const oversized: string[] = [];
const slow: string[] = [];
/** Impatient only where a test waits for it: on a busy machine a short limit would end clients that are well. */
let limits: Partial<XdsServerLimits> = {};
const withLimits = (short: Partial<XdsServerLimits>): void => {
  beforeAll(() => {
    limits = short;
  });
  afterAll(() => {
    limits = {};
  });
};
const ads = new AdsFixture(
  (source) =>
    new XdsServer({
      source,
      now: () => Date.now(),
      limits: { maxRequestBytes: 16 * 1024 * 1024, ...limits },
      events: { oversized: (peer) => oversized.push(peer), slowReader: (proxy) => slow.push(proxy) },
    }),
);
// Many rounds take long on a busy machine; the bound is for a hang.
jest.setTimeout(120_000);
beforeEach(async () => {
  oversized.length = 0;
  slow.length = 0;
  await ads.start();
});
afterEach(() => ads.stop());

const both: AdsVariant[] = ['sotw', 'delta'];
const isReleased = () => ads.server.streams === 0 && ads.source.openNodes.length === 0;

describe.each(both)('streams that come and go (%s)', (variant) => {
  it('X-24 refuses streams until the source is ready', async () => {
    ads.source.isReady = false;
    const early = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
    expect(await early.ended).toMatchObject({ code: 14 });
    expect(early.inbox).toEqual([]);
    ads.source.isReady = true;
    const stream = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
    expect((await stream.next()).typeUrl).toBe(TypeUrl.cluster);
  });

  it('X-25 drains: refuses new streams, ends the open ones one after another', async () => {
    const streams = Array.from({ length: 20 }, () => ads.open(variant).request({ typeUrl: TypeUrl.cluster }));
    await Promise.all(streams.map((stream) => stream.nextAcked()));
    const open: number[] = [];
    const late = ads.client();
    const warm = late.open(variant, aNode('late')).request({ typeUrl: TypeUrl.cluster });
    await warm.nextAcked();
    for (const stream of streams)
      void stream.ended.then(() => open.push(streams.filter((other) => other.isOpen).length));
    const closed = ads.server.close(500);
    const refused = late.open(variant, aNode('later')).request({ typeUrl: TypeUrl.cluster });
    expect((await refused.ended).code).toBe(14);
    await closed;
    const ends = await Promise.all(streams.map((stream) => stream.ended));
    expect(new Set(ends.map((end) => end.code))).toEqual(new Set([14]));
    // Had they all gone at once, nobody would have seen others still open.
    expect(Math.max(...open)).toBeGreaterThanOrEqual(10);
    expect(isReleased()).toBe(true);
  });

  it.each(['halfClose', 'cancel'] as const)('X-26 releases everything on %s (1,000 rounds)', async (how) => {
    ads.source.put(aCluster('a'), anAssignment('a', '10.0.0.1')).commit();
    let client = ads.client();
    for (let i = 0; i < 1000; i++) {
      // HTTP/2 servers end connections on which very many streams are reset: each gets its part.
      if (i % 250 === 0) client = ads.client();
      const stream = client.open(variant, aNode()).request({ typeUrl: TypeUrl.cluster });
      await stream.next();
      stream.request({ typeUrl: TypeUrl.endpoint, names: ['a'] });
      stream[how]();
      await stream.ended;
    }
    await poll(isReleased, 'all streams released');
  });
});

describe.each(both)('a client that is gone (%s)', (variant) => {
  withLimits({ keepaliveMs: 500, keepaliveTimeoutMs: 2000 });

  it('X-27 ends the stream of a client that vanished without a FIN', async () => {
    const link = await FrozenLink.to(ads.port);
    try {
      const client = new AdsClient(`127.0.0.1:${link.port}`);
      const stream = client.open(variant, aNode()).request({ typeUrl: TypeUrl.cluster });
      await stream.nextAcked();
      expect(ads.server.status().proxies).toHaveLength(1);
      link.freeze();
      await poll(isReleased, 'the stream to be given up');
      expect(ads.server.status().proxies).toEqual([]);
      client.close();
    } finally {
      await link.close();
    }
  });

  it('X-28 serves a second stream of a node at once, and the end of the first takes nothing from it', async () => {
    const link = await FrozenLink.to(ads.port);
    try {
      ads.source.put(aCluster('a')).putFor(aNode().id, aCluster('own')).commit();
      const client = new AdsClient(`127.0.0.1:${link.port}`);
      const first = client.open(variant, aNode()).request({ typeUrl: TypeUrl.cluster });
      await first.nextAcked();
      link.freeze();
      const second = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
      expect((await second.nextAcked()).resources.map((r) => r.name).sort()).toEqual(['a', 'own']);
      await poll(() => ads.server.streams === 1, 'the first stream to be given up');
      expect(ads.source.openNodes).toEqual([aNode().id]);
      ads.source.putFor(aNode().id, aCluster('own', 1)).commit();
      expect((await second.nextAcked()).resources.map((r) => r.name)).toContain('own');
      expect(ads.server.status().proxies).toMatchObject([{ id: aNode().id }]);
      client.close();
    } finally {
      await link.close();
    }
  });
});

const large = (i: number) => aRouteConfig('r', [`cluster-${i}`], 1_000_000);

const stall = async (variant: AdsVariant) => {
  const client = new StallingClient(ads.port, variant);
  client.request({ typeUrl: TypeUrl.route, names: ['r'], node: aNode('paused') });
  await poll(() => client.responses.length === 1, 'the first response');
  client.pause().ack(client.responses[0]!, ['r']);
  await poll(() => ads.server.status().proxies.some(({ types }) => types[0]?.acked !== ''), 'its acknowledgement');
  return client;
};

describe.each(both)('a client that does not read (%s)', (variant) => {
  it('X-29 gets one merged response when it reads again, and keeps nobody waiting', async () => {
    ads.source.put(large(0)).commit();
    const stalled = await stall(variant);
    const others = Array.from({ length: 10 }, (_, i) =>
      ads.open(variant, aNode(`other-${i}`)).request({ typeUrl: TypeUrl.route, names: ['r'] }),
    );
    await Promise.all(others.map((stream) => stream.nextAcked()));
    for (let i = 1; i <= 5; i++) {
      ads.source.put(large(i)).commit();
      await Promise.all(others.map((stream) => stream.nextAcked()));
    }
    expect(stalled.responses).toHaveLength(1);
    stalled.resume();
    await poll(() => stalled.responses.length === 2, 'what was under way');
    stalled.ack(stalled.responses[1]!, ['r']);
    await poll(() => stalled.responses.length === 3, 'the merged rest');
    const last = stalled.responses[2]!;
    expect(last.resources[0]!.bytes.equals(large(5).resource.bytes)).toBe(true);
    stalled.ack(last, ['r']);
    await poll(
      () => ads.server.status().proxies.every((p) => p.settledRevision === ads.source.revision),
      'all in step',
    );
    expect(stalled.responses).toHaveLength(3);
    stalled.close();
  });
});

describe.each(both)('a client that never reads (%s)', (variant) => {
  withLimits({ slowReaderMs: 1500 });

  it('X-29 is disconnected after a bound', async () => {
    ads.source.put(large(0)).commit();
    const stalled = await stall(variant);
    const other = ads.open(variant, aNode('other')).request({ typeUrl: TypeUrl.route, names: ['r'] });
    await other.nextAcked();
    ads.source.put(large(1)).commit();
    await poll(() => slow.length > 0, 'the slow reader to be noticed');
    await poll(() => ads.server.streams === 1, 'its stream released');
    expect(slow).toEqual([aNode('paused').id]);
    expect(other.isOpen).toBe(true);
    stalled.close();
  });
});

describe.each(both)('what is no request (%s)', (variant) => {
  it('X-31 accepts unknown fields', async () => {
    ads.source.put(aCluster('a')).commit();
    const known = encodeRequest(variant, { typeUrl: TypeUrl.cluster, node: aNode() });
    // Field 1000, a string; field 1001, a varint.
    const unknown = Buffer.from([0xc2, 0x3e, 3, 0x61, 0x62, 0x63, 0xc8, 0x3e, 42]);
    const stream = ads.open(variant, undefined).sendRaw(Buffer.concat([known, unknown]));
    expect((await stream.next()).resources).toHaveLength(1);
  });

  it.each([
    ['a truncated message', Buffer.from([0x0a, 0x10, 0x01])],
    ['a wrong wire type', Buffer.from([0x0b, 0x01])],
    ['field number 0', Buffer.from([0x02, 0x00])],
    ['an endless varint', Buffer.alloc(20, 0xff)],
  ])('X-31 ends only the stream that sends %s', async (_, bytes) => {
    const other = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
    await other.nextAcked();
    const stream = ads.open(variant).sendRaw(bytes);
    expect((await stream.ended).code).toBe(3);
    await other.expectNone();
  });

  it('X-31 survives 100,000 broken requests, 500 of them over the wire', async () => {
    const parse = variant === 'delta' ? parseDeltaRequest : parseSotwRequest;
    const valid = encodeRequest(variant, {
      typeUrl: TypeUrl.cluster,
      node: aNode(),
      names: ['a', 'b', 'c', 'd', 'e', 'f'],
      initialVersions: { a: '1', b: '2' },
      error: 'no',
      nonce: 'n',
    });
    const random = seededRandom(1);
    const mutate = () => {
      const bytes = random() < 0.1 ? randomBytes(Math.floor(random() * 200)) : Buffer.from(valid);
      for (let flips = Math.floor(random() * 4); flips >= 0 && bytes.length > 0; flips--)
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      return bytes.subarray(0, random() < 0.3 ? Math.floor(random() * bytes.length) : bytes.length);
    };
    for (let i = 0; i < 100_000; i++) {
      const bytes = mutate();
      try {
        parse(bytes);
      } catch (error) {
        if (!(error instanceof MalformedMessage)) throw new Error(bytes.toString('hex'), { cause: error });
      }
    }
    const other = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
    await other.nextAcked();
    let client = ads.client();
    for (let i = 0; i < 500; i++) {
      if (i % 100 === 0) client = ads.client();
      const stream = client.open(variant, undefined).sendRaw(mutate()).halfClose();
      await stream.ended;
    }
    await other.expectNone();
    await poll(() => ads.server.streams === 1, 'only the other stream left');
  });

  it('X-32 refuses a request over the limit, and counts it with the peer', async () => {
    const names = Array.from({ length: 170_000 }, (_, i) => `cluster-${i}`.padEnd(100, 'x'));
    const stream = ads.open(variant).request({ typeUrl: TypeUrl.cluster, names });
    expect(await stream.ended).toMatchObject({ code: 8 });
    expect(oversized).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/)]);
  });
});

it('X-32 takes 16 MiB by default, and a reconnect that lists 50,000 versions', async () => {
  expect(defaultLimits.maxRequestBytes).toBeGreaterThanOrEqual(16 * 1024 * 1024);
  ads.source.put(aCluster('a')).commit();
  const initialVersions = Object.fromEntries(
    Array.from({ length: 50_000 }, (_, i) => [
      `outbound|8080||service-${i}.namespace.svc.cluster.local`,
      '0123456789abcdef',
    ]),
  );
  const stream = ads.open('delta').request({ typeUrl: TypeUrl.cluster, initialVersions });
  const response = await stream.next();
  expect(response.resources.map((r) => r.name)).toEqual(['a']);
  expect(response.removed).toHaveLength(50_000);
});
