import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EchoFixture } from './echo-fixture.js';
import { ErrorCode, Flag, FrameType, Setting } from './frames.js';
import { encodeHeader } from './response-headers.js';
import { echoPath, grpcMessage, RawClient, requestBlock } from './raw-client.js';

const echo = new EchoFixture();
beforeEach(() => echo.start());
afterEach(() => echo.stop());

const { END_HEADERS, END_STREAM, PADDED, PRIORITY, ACK } = Flag;
const word = (value: number) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
const hello = grpcMessage('hello');

async function trailersOf(client: RawClient, streamId: number) {
  const frame = await client.next(FrameType.HEADERS, streamId, END_STREAM);
  client.frames.splice(client.frames.indexOf(frame), 1);
  return Object.fromEntries(client.decode(frame)) as Record<string, string>;
}

describe('connections', () => {
  it('greets, acknowledges SETTINGS and answers PING', async () => {
    const client = await echo.client();
    client.send(FrameType.PING, 0, 0, Buffer.from('12345678'));
    const settings = await client.next(FrameType.SETTINGS);
    expect(settings.payload.toString('hex')).toBe('000300000064' + '000400100000' + '000600010000');
    expect((await client.next(FrameType.WINDOW_UPDATE, 0)).payload.readUInt32BE(0)).toBe(1024 * 1024 - 65_535);
    expect((await client.next(FrameType.SETTINGS, 0, ACK)).payload).toHaveLength(0);
    expect((await client.next(FrameType.PING, 0, ACK)).payload.toString()).toBe('12345678');
    expect(echo.server.connections).toBe(1);
    client.destroy();
    await client.ended();
  });

  it.each([1, 7, 23, 24, 30])('takes everything in pieces of %d bytes', async (size) => {
    const client = await echo.silentClient();
    const out: Buffer[] = [];
    const recorder = new RawClient(
      new Duplex({
        read: () => undefined,
        write: (chunk: Buffer, _encoding, done) => {
          out.push(chunk);
          done();
        },
      }),
    );
    recorder
      .greet()
      .open(1)
      .data(1, hello)
      .data(1, Buffer.concat([hello, hello]));
    const all = Buffer.concat(out);
    for (let at = 0; at < all.length; at += size) client.raw(all.subarray(at, at + size));
    await client.until(() => client.received(1).length >= 3 * hello.length);
    expect(client.received(1).equals(Buffer.concat([hello, hello, hello]))).toBe(true);
  });

  it('serves any duplex stream', async () => {
    const [ours, theirs] = duplexPair();
    echo.server.accept(theirs);
    const client = new RawClient(ours).greet().open(1).data(1, hello);
    await client.until(() => client.received(1).equals(hello));
    expect(echo.streams[0]?.peer).toBe('');
    client.destroy();
  });

  it('ends its calls when the client goes', async () => {
    const client = (await echo.client()).open(1).open(3).data(3, hello);
    await client.until(() => client.received(3).length > 0);
    client.destroy();
    const probe = await echo.client();
    while (echo.closed.length < 2) {
      probe.frames.length = 0;
      probe.send(FrameType.PING, 0, 0, Buffer.alloc(8));
      await probe.next(FrameType.PING);
    }
    expect(echo.closed).toEqual(echo.streams);
    expect(echo.server.connections).toBe(1);
  });

  it('drains: finishes what is open, refuses what is late, then closes', async () => {
    const client = (await echo.client()).open(1).data(1, hello);
    await client.until(() => client.received(1).length > 0);
    echo.server.stopAccepting();
    const first = await client.next(FrameType.GOAWAY);
    expect(first.payload.readUInt32BE(0)).toBe(0x7fffffff);
    client.open(3).data(3, hello);
    const ping = await client.next(FrameType.PING, 0);
    client.send(FrameType.PING, ACK, 0, ping.payload);
    const last = await client.until(() => client.frames.filter((f) => f.type === FrameType.GOAWAY)[1]);
    expect([last.payload.readUInt32BE(0), last.payload.readUInt32BE(4)]).toEqual([3, ErrorCode.NO_ERROR]);
    expect(await client.open(5).data(5, hello).failure(5)).toBe(ErrorCode.REFUSED_STREAM);
    client.data(1, hello).data(1, Buffer.alloc(0), END_STREAM).data(3, Buffer.alloc(0), END_STREAM);
    expect(await trailersOf(client, 3)).toEqual({ 'grpc-status': '0' });
    await client.ended();
    expect(client.received(1)).toHaveLength(2 * hello.length);
  });

  it('says GOAWAY when it closes, after what was written', async () => {
    const client = (await echo.client()).open(1).data(1, hello);
    await client.until(() => client.received(1).length > 0);
    const body = Buffer.alloc(60_000, 'x');
    echo.streams[0]!.write([body], body.length);
    echo.server.close();
    expect(await client.failure()).toBe(ErrorCode.NO_ERROR);
    expect(client.received(1)).toHaveLength(hello.length + 5 + body.length);
    await client.ended();
  });

  it.each([
    ['silence after the last word', { keepaliveMs: 20, keepaliveTimeoutMs: 20 }, true],
    ['no SETTINGS', { limits: { handshakeMs: 20 } }, false],
  ])('finds %s', async (_name, options, greets) => {
    echo.stop();
    await echo.start(options);
    const client = await echo.silentClient();
    if (greets) client.greet();
    await client.ended();
    expect(client.find(FrameType.PING) !== undefined).toBe(greets);
  });

  it('keeps a connection that answers PINGs', async () => {
    echo.stop();
    await echo.start({ keepaliveMs: 5, keepaliveTimeoutMs: 60_000 });
    const client = await echo.client();
    for (let i = 0; i < 5; i++) {
      const ping = await client.next(FrameType.PING);
      client.frames.length = 0;
      client.send(FrameType.PING, ACK, 0, ping.payload);
    }
    client.open(1).data(1, hello);
    await client.until(() => client.received(1).equals(hello));
  });
});

describe('calls', () => {
  it('echoes messages, and ends with OK on half-close', async () => {
    const client = (await echo.client()).open(1).data(1, hello).data(1, hello, END_STREAM);
    const headers = await client.next(FrameType.HEADERS, 1);
    expect(client.decode(headers)).toEqual([
      [':status', '200'],
      ['content-type', 'application/grpc'],
    ]);
    expect(await trailersOf(client, 1)).toEqual({ 'grpc-status': '0' });
    expect(client.received(1)).toHaveLength(2 * hello.length);
    expect(client.find(FrameType.RST_STREAM)).toBeUndefined();
    expect(echo.closed).toHaveLength(1);
  });

  it('ends with status and text, and tells a client that still sends to stop', async () => {
    const client = (await echo.client()).open(1).data(1, hello);
    await client.until(() => client.received(1).length > 0);
    echo.streams[0]!.end(14, 'gone 100%\n');
    echo.streams[0]!.end(13, 'not this one');
    expect(await trailersOf(client, 1)).toEqual({ 'grpc-status': '14', 'grpc-message': 'gone 100%25%0A' });
    expect(await client.failure(1)).toBe(ErrorCode.NO_ERROR);
    // What was on its way does no harm.
    client.data(1, hello).send(FrameType.WINDOW_UPDATE, 0, 1, word(5)).send(FrameType.RST_STREAM, 0, 1, word(8));
    client.send(FrameType.HEADERS, END_HEADERS | END_STREAM, 1, encodeHeader('some', 'trailer'));
    client.open(3).data(3, hello);
    await client.until(() => client.received(3).equals(hello));
    expect(echo.violations).toEqual([]);
  });

  it('resets', async () => {
    const client = (await echo.client()).open(1).data(1, hello);
    await client.until(() => client.received(1).length > 0);
    const [stream] = echo.streams;
    stream!.reset();
    expect(await client.failure(1)).toBe(ErrorCode.CANCEL);
    expect([stream!.closed, stream!.write([hello], hello.length), echo.closed.length]).toEqual([true, true, 1]);
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['an unknown path', { ':path': '/no.Such/Method' }, { ':status': '200', 'grpc-status': '12' }],
    ['another content type', { 'content-type': 'text/html' }, { ':status': '415', 'grpc-status': '12' }],
    ['another method', { ':method': 'GET' }, { ':status': '405', 'grpc-status': '12' }],
    ['headers that are too large', { large: 'x'.repeat(65_300) }, { ':status': '431', 'grpc-status': '8' }],
  ])('refuses %s', async (_name, overrides, expected) => {
    const client = await echo.client();
    const block = requestBlock(overrides);
    for (let at = 0; at < block.length; at += 16_000)
      client.send(
        at === 0 ? FrameType.HEADERS : FrameType.CONTINUATION,
        at + 16_000 >= block.length ? END_HEADERS : 0,
        1,
        block.subarray(at, at + 16_000),
      );
    expect(await trailersOf(client, 1)).toMatchObject(expected);
    expect(echo.streams).toEqual([]);
    client.open(3).data(3, hello);
    await client.until(() => client.received(3).equals(hello));
  });

  it.each([
    ['8', 'a message over the limit', grpcMessage('').fill(0xff, 1)],
    ['12', 'a compressed message', Buffer.from([1, 0, 0, 0, 0])],
    ['13', 'an end inside a message', hello.subarray(0, 7)],
  ])('ends with status %s on %s', async (code, _name, bytes) => {
    const client = (await echo.client()).open(1).open(3).data(1, bytes, END_STREAM);
    expect(await trailersOf(client, 1)).toMatchObject({ 'grpc-status': code });
    expect(echo.oversized).toEqual(code === '8' ? [echoPath] : []);
    client.data(3, hello);
    await client.until(() => client.received(3).equals(hello));
  });

  it('takes padding, priority, CONTINUATION, trailers and frames that it does not know', async () => {
    const client = await echo.client();
    const block = requestBlock();
    const padded = Buffer.concat([Buffer.from([3]), word(0), Buffer.from([9]), block.subarray(0, 10), Buffer.alloc(3)]);
    client.send(FrameType.PRIORITY, 0, 1, Buffer.alloc(5));
    client.send(FrameType.HEADERS, PADDED | PRIORITY, 1, padded);
    client.send(FrameType.CONTINUATION, 0, 1, block.subarray(10, 30));
    client.send(FrameType.CONTINUATION, END_HEADERS, 1, block.subarray(30));
    client.send(0x5a, 0xff, 1, Buffer.from('unknown'));
    client.data(1, Buffer.concat([Buffer.from([4]), hello, Buffer.alloc(4)]), PADDED);
    client.send(FrameType.HEADERS, END_HEADERS | END_STREAM, 1, encodeHeader('a', 'trailer'));
    expect(await trailersOf(client, 1)).toEqual({ 'grpc-status': '0' });
    expect(client.received(1).equals(hello)).toBe(true);
  });

  it('tells a client that shrinks its table that none is used', async () => {
    const client = await echo.client(new Map([[Setting.HEADER_TABLE_SIZE, 0]]));
    client.open(1).data(1, hello, END_STREAM);
    expect((await client.next(FrameType.HEADERS, 1)).payload[0]).toBe(0x20);
    expect((await client.next(FrameType.HEADERS, 1, END_STREAM)).payload[0]).not.toBe(0x20);
  });

  it('gives windows back for what it received, in batches', async () => {
    const client = (await echo.client()).open(1);
    await client.next(FrameType.HEADERS, 1);
    client.frames.length = 0;
    const message = grpcMessage(Buffer.alloc(16_000));
    for (let i = 0; i < 80; i++) client.data(1, message);
    client.send(FrameType.WINDOW_UPDATE, 0, 0, word(1 << 24)).send(FrameType.WINDOW_UPDATE, 0, 1, word(1 << 24));
    await client.until(() => client.received(1).length === 80 * message.length);
    for (const id of [0, 1]) {
      const updates = client.frames.filter((f) => f.type === FrameType.WINDOW_UPDATE && f.streamId === id);
      expect(updates).toHaveLength(2);
      for (const update of updates) expect(update.payload.readUInt32BE(0)).toBeGreaterThanOrEqual(512 * 1024);
    }
  });
});

/** Two streams, each of which reads what the other writes. */
function duplexPair(): [Duplex, Duplex] {
  const link = (other: () => Duplex) =>
    new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        other().push(chunk);
        done();
      },
    });
  const a: Duplex = link(() => b);
  const b: Duplex = link(() => a);
  return [a, b];
}
