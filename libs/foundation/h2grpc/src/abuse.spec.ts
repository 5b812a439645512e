import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EchoFixture } from './echo-fixture.js';
import { clientPreface, encodeSettings, ErrorCode, Flag, FrameType, Setting } from './frames.js';
import { grpcMessage, type RawClient, requestBlock } from './raw-client.js';
import { encodeHeader } from './response-headers.js';

const echo = new EchoFixture();
// Much data takes long on a busy machine; the bound is for a hang.
jest.setTimeout(60_000);
beforeEach(() => echo.start());
afterEach(() => echo.stop());

const { END_HEADERS, END_STREAM, PADDED, ACK } = Flag;
const word = (value: number) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
const hello = grpcMessage('hello');
const {
  PROTOCOL_ERROR,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  COMPRESSION_ERROR,
  STREAM_CLOSED,
  REFUSED_STREAM,
  ENHANCE_YOUR_CALM,
} = ErrorCode;

/** Another client's call, which must not notice anything. */
async function bystander(): Promise<() => Promise<void>> {
  const client = (await echo.client()).open(1).data(1, hello);
  await client.until(() => client.received(1).length === hello.length);
  return async () => {
    client.data(1, hello);
    await client.until(() => client.received(1).length === 2 * hello.length);
  };
}

const times = (count: number, act: (i: number) => void) => {
  for (let i = 0; i < count; i++) act(i);
};

type Case = [name: string, code: number, act: (client: RawClient) => unknown];

const connectionErrors: Case[] = [
  ['DATA of an idle stream', PROTOCOL_ERROR, (c) => c.data(1, hello)],
  ['WINDOW_UPDATE of an idle stream', PROTOCOL_ERROR, (c) => c.send(FrameType.WINDOW_UPDATE, 0, 5, word(1))],
  ['RST_STREAM of an idle stream', PROTOCOL_ERROR, (c) => c.send(FrameType.RST_STREAM, 0, 5, word(8))],
  ['DATA on stream 0', PROTOCOL_ERROR, (c) => c.data(0, hello)],
  ['HEADERS on stream 0', PROTOCOL_ERROR, (c) => c.open(0)],
  ['HEADERS on an even stream', PROTOCOL_ERROR, (c) => c.open(2)],
  ['SETTINGS on a stream', PROTOCOL_ERROR, (c) => c.send(FrameType.SETTINGS, 0, 1)],
  ['PING on a stream', PROTOCOL_ERROR, (c) => c.send(FrameType.PING, 0, 1, Buffer.alloc(8))],
  ['PUSH_PROMISE', PROTOCOL_ERROR, (c) => c.send(FrameType.PUSH_PROMISE, END_HEADERS, 1, Buffer.alloc(4))],
  ['CONTINUATION of nothing', PROTOCOL_ERROR, (c) => c.send(FrameType.CONTINUATION, END_HEADERS, 1)],
  ['a frame inside a header block', PROTOCOL_ERROR, (c) => c.send(FrameType.HEADERS, 0, 1).data(1, hello)],
  [
    'CONTINUATION of another stream',
    PROTOCOL_ERROR,
    (c) => c.send(FrameType.HEADERS, 0, 1).send(FrameType.CONTINUATION, END_HEADERS, 3),
  ],
  ['padding larger than DATA', PROTOCOL_ERROR, (c) => c.open(1).data(1, Buffer.from([9, 0, 0]), PADDED)],
  ['padding larger than HEADERS', PROTOCOL_ERROR, (c) => c.send(FrameType.HEADERS, PADDED, 1, Buffer.from([1]))],
  ['an empty padded frame', PROTOCOL_ERROR, (c) => c.open(1).data(1, Buffer.alloc(0), PADDED)],
  ['a WINDOW_UPDATE of 0', PROTOCOL_ERROR, (c) => c.send(FrameType.WINDOW_UPDATE, 0, 0, word(0))],
  ['a window too large', FLOW_CONTROL_ERROR, (c) => c.send(FrameType.WINDOW_UPDATE, 0, 0, word(0x7fffffff))],
  ['ENABLE_PUSH of 2', PROTOCOL_ERROR, (c) => c.raw(encodeSettings(new Map([[Setting.ENABLE_PUSH, 2]])))],
  ['MAX_FRAME_SIZE of 100', PROTOCOL_ERROR, (c) => c.raw(encodeSettings(new Map([[Setting.MAX_FRAME_SIZE, 100]])))],
  [
    'INITIAL_WINDOW_SIZE of 2^31',
    FLOW_CONTROL_ERROR,
    (c) => c.raw(encodeSettings(new Map([[Setting.INITIAL_WINDOW_SIZE, 2 ** 31]]))),
  ],
  [
    'SETTINGS that make a window too large',
    FLOW_CONTROL_ERROR,
    (c) =>
      c
        .open(1)
        .send(FrameType.WINDOW_UPDATE, 0, 1, word(0x7fffffff - 65_535))
        .raw(encodeSettings(new Map([[Setting.INITIAL_WINDOW_SIZE, 65_536]]))),
  ],
  ['SETTINGS of 5 bytes', FRAME_SIZE_ERROR, (c) => c.send(FrameType.SETTINGS, 0, 0, Buffer.alloc(5))],
  ['an ACK with settings', FRAME_SIZE_ERROR, (c) => c.send(FrameType.SETTINGS, ACK, 0, Buffer.alloc(6))],
  ['PING of 7 bytes', FRAME_SIZE_ERROR, (c) => c.send(FrameType.PING, 0, 0, Buffer.alloc(7))],
  ['RST_STREAM of 3 bytes', FRAME_SIZE_ERROR, (c) => c.open(1).send(FrameType.RST_STREAM, 0, 1, Buffer.alloc(3))],
  ['PRIORITY of 4 bytes', FRAME_SIZE_ERROR, (c) => c.send(FrameType.PRIORITY, 0, 1, Buffer.alloc(4))],
  ['WINDOW_UPDATE of 5 bytes', FRAME_SIZE_ERROR, (c) => c.send(FrameType.WINDOW_UPDATE, 0, 0, Buffer.alloc(5))],
  ['GOAWAY of 4 bytes', FRAME_SIZE_ERROR, (c) => c.send(FrameType.GOAWAY, 0, 0, Buffer.alloc(4))],
  ['a frame over 16 KiB', FRAME_SIZE_ERROR, (c) => c.open(1).data(1, Buffer.alloc(16_385))],
  ['a header that is not coded right', COMPRESSION_ERROR, (c) => c.send(FrameType.HEADERS, END_HEADERS, 1, word(0))],
];

describe('a client that breaks the protocol', () => {
  it.each(connectionErrors)('%s ends its connection', async (_name, code, act) => {
    const check = await bystander();
    const client = await echo.client();
    act(client);
    expect(await client.failure()).toBe(code);
    await client.ended();
    expect(echo.violations.map((error) => error.code)).toEqual([code]);
    await check();
    expect(echo.closed).toHaveLength(echo.streams.length - 1);
  });

  it.each<Case>([
    ['HTTP/1.1', PROTOCOL_ERROR, (c) => c.raw(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))],
    ['a wrong last byte of the preface', PROTOCOL_ERROR, (c) => c.raw(Buffer.from(clientPreface).fill('x', 23))],
    ['another frame before SETTINGS', PROTOCOL_ERROR, (c) => c.raw(clientPreface).open(1)],
    ['an ACK before SETTINGS', PROTOCOL_ERROR, (c) => c.raw(clientPreface).send(FrameType.SETTINGS, ACK, 0)],
  ])('%s ends its connection at the greeting', async (_name, code, act) => {
    const client = await echo.silentClient();
    act(client);
    expect(await client.failure()).toBe(code);
    await client.ended();
  });

  const badHeaders: [string, Buffer][] = [
    ['an upper-case name', Buffer.concat([requestBlock(), encodeHeader('Upper', 'x')])],
    ['an empty name', Buffer.concat([requestBlock(), Buffer.from([0, 0, 1, 0x61])])],
    ['a header of HTTP/1.1', Buffer.concat([requestBlock(), encodeHeader('connection', 'close')])],
    ['te other than trailers', requestBlock({ te: 'gzip' })],
    ['a line break', requestBlock({ text: 'a\r\nb' })],
    ['an unknown pseudo-header', Buffer.concat([encodeHeader(':no', 'x'), requestBlock()])],
    ['a pseudo-header twice', Buffer.concat([encodeHeader(':path', '/'), requestBlock()])],
    ['a pseudo-header after others', Buffer.concat([encodeHeader('a', 'b'), requestBlock()])],
    ['no path', requestBlock({ ':path': '' })],
    ['no scheme', Buffer.concat([encodeHeader(':method', 'POST'), encodeHeader(':path', '/')])],
  ];
  it.each<Case>([
    ...badHeaders.map(([name, block]): Case => [
      name,
      PROTOCOL_ERROR,
      (c) => c.send(FrameType.HEADERS, END_HEADERS, 3, block),
    ]),
    ['a stream WINDOW_UPDATE of 0', PROTOCOL_ERROR, (c) => c.open(3).send(FrameType.WINDOW_UPDATE, 0, 3, word(0))],
    [
      'a stream window too large',
      FLOW_CONTROL_ERROR,
      (c) => c.open(3).send(FrameType.WINDOW_UPDATE, 0, 3, word(0x7fffffff)),
    ],
    ['trailers that end nothing', PROTOCOL_ERROR, (c) => c.open(3).open(3)],
    [
      'bad trailers',
      PROTOCOL_ERROR,
      (c) => c.open(3).send(FrameType.HEADERS, END_HEADERS | END_STREAM, 3, encodeHeader(':path', '/')),
    ],
  ])('%s ends its stream only', async (_name, code, act) => {
    const client = (await echo.client()).open(1);
    act(client);
    expect(await client.failure(3)).toBe(code);
    client.data(1, hello);
    await client.until(() => client.received(1).equals(hello));
    expect(echo.violations).toHaveLength(1);
  });

  it('DATA after the end ends a stream that still has something to send', async () => {
    const client = await echo.client(new Map([[Setting.INITIAL_WINDOW_SIZE, 2]]));
    client.open(1).data(1, hello).data(1, Buffer.alloc(0), END_STREAM).data(1, hello);
    expect(await client.failure(1)).toBe(STREAM_CLOSED);
  });

  it('DATA beyond the window of a stream ends that stream', async () => {
    const client = await echo.client(new Map([[Setting.INITIAL_WINDOW_SIZE, 0]]));
    client.open(1).open(3).data(1, hello);
    await client.until(() => echo.streams.length === 2);
    // It has an answer to send and no window: it takes nothing more, and gives nothing back.
    echo.streams[0]!.end(0);
    times(70, () => client.data(1, Buffer.alloc(16_000)));
    expect(await client.failure(1)).toBe(FLOW_CONTROL_ERROR);
  });

  it('refuses streams over the limit', async () => {
    const client = await echo.client();
    times(101, (i) => client.open(1 + 2 * i));
    expect(await client.failure(201)).toBe(REFUSED_STREAM);
    client.data(199, hello);
    await client.until(() => client.received(199).equals(hello));
    expect(echo.streams).toHaveLength(100);
  });
});

describe('a client that floods', () => {
  it.each<Case>([
    ['PING', ENHANCE_YOUR_CALM, (c) => c.repeat(100_000, () => c.send(FrameType.PING, 0, 0, Buffer.alloc(8)))],
    ['SETTINGS', ENHANCE_YOUR_CALM, (c) => c.repeat(20_000, () => c.send(FrameType.SETTINGS, 0, 0))],
    ['empty DATA', ENHANCE_YOUR_CALM, (c) => c.open(1).repeat(20_000, () => c.data(1, Buffer.alloc(0)))],
    [
      'padding only',
      ENHANCE_YOUR_CALM,
      (c) => c.open(1).repeat(20_000, () => c.data(1, Buffer.from([2, 0, 0]), PADDED)),
    ],
    ['PRIORITY', ENHANCE_YOUR_CALM, (c) => c.repeat(20_000, () => c.send(FrameType.PRIORITY, 0, 1, Buffer.alloc(5)))],
    ['unknown frames', ENHANCE_YOUR_CALM, (c) => c.repeat(20_000, () => c.send(99, 0, 0))],
    ['WINDOW_UPDATE', ENHANCE_YOUR_CALM, (c) => c.repeat(20_000, () => c.send(FrameType.WINDOW_UPDATE, 0, 0, word(1)))],
    [
      'streams that it resets at once',
      ENHANCE_YOUR_CALM,
      (c) => c.repeat(2000, (i) => c.open(1 + 2 * i).send(FrameType.RST_STREAM, 0, 1 + 2 * i, word(8))),
    ],
    [
      'streams that the server has to reset',
      ENHANCE_YOUR_CALM,
      (c) => c.repeat(2000, (i) => c.open(1 + 2 * i).send(FrameType.WINDOW_UPDATE, 0, 1 + 2 * i, word(0))),
    ],
    ['calls of unknown methods', ENHANCE_YOUR_CALM, (c) => c.repeat(2000, (i) => c.open(1 + 2 * i, { ':path': '/x' }))],
    ['streams over the limit', ENHANCE_YOUR_CALM, (c) => c.repeat(10_000, (i) => c.open(1 + 2 * i))],
    [
      'CONTINUATION',
      ENHANCE_YOUR_CALM,
      (c) => c.send(FrameType.HEADERS, 0, 1).repeat(50, () => c.send(FrameType.CONTINUATION, 0, 1)),
    ],
    [
      'a header block without end',
      ENHANCE_YOUR_CALM,
      (c) =>
        c.send(FrameType.HEADERS, 0, 1).repeat(8, () => c.send(FrameType.CONTINUATION, 0, 1, Buffer.alloc(16_000))),
    ],
  ])('with %s is cut off, and nobody else', async (_name, code, act) => {
    const check = await bystander();
    const client = await echo.client();
    act(client);
    expect(await client.failure()).toBe(code);
    await client.ended();
    await check();
  });

  it('is cut off when it does not read the answers that it causes', async () => {
    echo.stop();
    await echo.start({ limits: { idleFrames: 1e9, unreadAnswerBytes: 10_000 } });
    const client = await echo.client();
    await client.next(FrameType.SETTINGS, 0, ACK);
    client.socket.pause();
    const pings = Buffer.concat(
      Array.from({ length: 1000 }, () => Buffer.from('000008060000000000' + '00'.repeat(8), 'hex')),
    );
    while (echo.server.connections > 0) {
      if (client.socket.writableNeedDrain) await new Promise((resolve) => setImmediate(resolve));
      else client.raw(pings);
    }
    expect(echo.violations.map((error) => error.code)).toEqual([ENHANCE_YOUR_CALM]);
  });

  it('may not hold more unfinished messages than its connection is allowed', async () => {
    echo.stop();
    await echo.start({ limits: { pendingBytes: 100_000 } });
    const client = await echo.client();
    const unfinished = grpcMessage(Buffer.alloc(40_000)).subarray(0, 16_000);
    times(10, (i) => client.open(1 + 2 * i).data(1 + 2 * i, unfinished));
    const refused = await client.next(FrameType.HEADERS, 13, END_STREAM);
    expect(refused.payload.includes('too many unfinished messages')).toBe(true);
    // What ended ones held is free again.
    client.send(FrameType.RST_STREAM, 0, 3, word(8));
    client.data(1, Buffer.alloc(16_000)).data(1, Buffer.alloc(8005));
    await client.until(() => client.received(1).length === 40_005);
  });
});
