import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EchoFixture } from './echo-fixture.js';
import { encodeSettings, FrameType, Setting } from './frames.js';
import { Deframer } from './framing.js';
import { grpcMessage, type RawClient } from './raw-client.js';

const echo = new EchoFixture();
// Much data takes long on a busy machine; the bound is for a hang.
jest.setTimeout(60_000);
// The windows of these tests are far smaller than a client's; that is not what they test.
beforeEach(() => echo.start({ limits: { idleFrames: 1e9 } }));
afterEach(() => echo.stop());

const word = (value: number) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
const update = (client: RawClient, streamId: number, size: number) =>
  client.send(FrameType.WINDOW_UPDATE, 0, streamId, word(size));
const settings = (client: RawClient, id: number, value: number) => client.raw(encodeSettings(new Map([[id, value]])));

/** Waits until the server has handled all that was sent. */
async function settled(client: RawClient): Promise<void> {
  client.frames.splice(0, client.frames.length, ...client.frames.filter((f) => f.type !== FrameType.PING));
  client.send(FrameType.PING, 0, 0, Buffer.alloc(8));
  await client.next(FrameType.PING);
}

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('flow control', () => {
  it('sends what the windows allow, and drains when the rest has gone', async () => {
    const client = await echo.client(new Map([[Setting.INITIAL_WINDOW_SIZE, 10]]));
    client.open(1);
    await settled(client);
    const [stream] = echo.streams;
    const drains: number[] = [];
    stream!.on({ message: () => undefined, close: () => undefined, drain: () => drains.push(stream!.buffered) });
    expect(stream!.write([Buffer.alloc(20)], 20)).toBe(false);
    expect(stream!.buffered).toBeGreaterThanOrEqual(15);
    await settled(client);
    expect(client.received(1)).toHaveLength(10);
    update(client, 1, 14);
    await settled(client);
    expect([client.received(1).length, drains]).toEqual([24, []]);
    update(client, 1, 1);
    await client.until(() => client.received(1).length === 25 && drains.length === 1);
    expect(drains).toEqual([0]);
    update(client, 1, 100);
    await settled(client);
    expect(stream!.write([Buffer.alloc(20)], 20)).toBe(true);
  });

  it('takes back windows that SETTINGS make smaller, below zero', async () => {
    const client = await echo.client();
    client.open(1);
    await settled(client);
    const [stream] = echo.streams;
    stream!.write([Buffer.alloc(995)], 995);
    settings(client, Setting.INITIAL_WINDOW_SIZE, 100);
    await settled(client);
    // 900 are owed now.
    expect(stream!.write([Buffer.alloc(5)], 5)).toBe(false);
    update(client, 1, 900);
    await settled(client);
    expect(client.received(1)).toHaveLength(1000);
    update(client, 1, 3);
    await settled(client);
    expect(client.received(1)).toHaveLength(1003);
    settings(client, Setting.INITIAL_WINDOW_SIZE, 107);
    await client.until(() => client.received(1).length === 1010);
  });

  it('keeps to the frame size of the client', async () => {
    const client = await echo.client(new Map([[Setting.INITIAL_WINDOW_SIZE, 1 << 20]]));
    update(client, 0, 1 << 20).open(1);
    await settled(client);
    const sizes = () => client.frames.filter((f) => f.type === FrameType.DATA).map((f) => f.payload.length);
    const body = Buffer.alloc(40_000);
    echo.streams[0]!.write([body], body.length);
    await client.until(() => client.received(1).length === 40_005);
    expect(Math.max(...sizes())).toBe(16_384);
    settings(client, Setting.MAX_FRAME_SIZE, 100_000);
    await settled(client);
    client.frames.length = 0;
    echo.streams[0]!.write([body], body.length);
    await client.until(() => client.received(1).length === 40_005);
    expect(Math.max(...sizes())).toBe(40_000);
  });

  it('ends a call after what still waits', async () => {
    const client = await echo.client(new Map([[Setting.INITIAL_WINDOW_SIZE, 3]]));
    client.open(1).data(1, grpcMessage('hello'));
    await settled(client);
    echo.streams[0]!.end(14, 'bye');
    expect(echo.streams[0]!.closed).toBe(true);
    await settled(client);
    expect(client.find(FrameType.RST_STREAM)).toBeUndefined();
    update(client, 1, 100);
    await client.next(FrameType.RST_STREAM, 1);
    expect(client.received(1).equals(grpcMessage('hello'))).toBe(true);
    expect(client.frames.map((f) => f.type).slice(-3)).toEqual([
      FrameType.DATA,
      FrameType.HEADERS,
      FrameType.RST_STREAM,
    ]);
  });

  it('shares the window of the connection between streams', async () => {
    const client = await echo.client(new Map([[Setting.INITIAL_WINDOW_SIZE, 1 << 20]]));
    client.open(1).open(3);
    await settled(client);
    const body = Buffer.alloc(200_000);
    for (const stream of echo.streams) stream.write([body], body.length);
    await settled(client);
    expect(client.received(1).length + client.received(3).length).toBe(65_535);
    update(client, 0, 100_000);
    await settled(client);
    expect(Math.min(client.received(1).length, client.received(3).length)).toBeGreaterThan(40_000);
  });

  it('never has more than a socket buffer on the way to a client that does not read, if the caller heeds false', async () => {
    const client = await echo.client(new Map([[Setting.INITIAL_WINDOW_SIZE, 0x7fffffff]]));
    update(client, 0, 0x7fffffff - 65_535).open(1);
    await settled(client);
    client.socket.pause();
    const [stream] = echo.streams;
    const body = Buffer.alloc(10_000);
    let written = 0;
    let drained = false;
    stream!.on({ message: () => undefined, close: () => undefined, drain: () => (drained = true) });
    while (stream!.write([body], body.length)) {
      written++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(stream!.buffered).toBeLessThan(64 * 1024 + 20_000);
    client.socket.resume();
    await client.until(() => drained && client.received(1).length === (written + 1) * 10_005);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'reassembles exactly under random windows and frame sizes (seed %d)',
    async (seed) => {
      const random = mulberry(seed);
      const upTo = (n: number) => Math.floor(random() * n);
      const shared = Array.from({ length: 4 }, (_, i) => Buffer.alloc(16_384 + upTo(120_000), `${i}`));
      const ids = [1, 3, 5, 7];
      let window = upTo(2) === 0 ? 0 : upTo(100_000);
      const client = await echo.client(new Map([[Setting.INITIAL_WINDOW_SIZE, window]]));
      for (const id of ids) client.open(id);
      await settled(client);
      const sent = ids.map(() => [] as string[]);
      const actions: (() => unknown)[] = [
        () => {
          const i = upTo(ids.length);
          const parts = Array.from({ length: 1 + upTo(4) }, () =>
            upTo(3) === 0
              ? shared[upTo(4)]!
              : Buffer.alloc(upTo(upTo(2) ? 50 : 20_000), String.fromCharCode(97 + upTo(26))),
          );
          const whole = Buffer.concat(parts);
          sent[i]!.push(whole.toString('latin1'));
          echo.streams[i]!.write(parts, whole.length);
        },
        () => update(client, ids[upTo(4)]!, 1 + upTo(50_000)),
        () => update(client, 0, 1 + upTo(50_000)),
        () => settings(client, Setting.INITIAL_WINDOW_SIZE, (window = upTo(100_000))),
        () => settings(client, Setting.MAX_FRAME_SIZE, 16_384 + upTo(100_000)),
        () => settled(client),
      ];
      for (let step = 0; step < 150; step++) await actions[upTo(actions.length)]!();
      for (const id of [0, ...ids]) update(client, id, 0x3fffffff);
      const received = ids.map((id, i) => {
        const messages: string[] = [];
        return {
          id,
          messages,
          expected: sent[i]!,
          deframer: new Deframer(1 << 25, (m) => messages.push(m.toString('latin1'))),
        };
      });
      await client.until(() =>
        received.every(
          ({ id, expected }) => client.received(id).length === expected.reduce((n, m) => n + m.length + 5, 0),
        ),
      );
      for (const { id, deframer, messages, expected } of received) {
        expect(deframer.push(client.received(id))).toBeUndefined();
        expect(messages.length).toBe(expected.length);
        // Compared one by one: a difference of megabytes says nothing.
        expect(messages.every((m, i) => m === expected[i])).toBe(true);
      }
      expect(echo.violations).toEqual([]);
    },
  );
});
