import http2 from 'node:http2';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { EchoFixture } from './echo-fixture.js';
import { echoPath, grpcMessage } from './raw-client.js';

const echo = new EchoFixture();
// A thousand calls take long on a busy machine; the bound is for a hang.
jest.setTimeout(60_000);
const clients: grpc.Client[] = [];
beforeEach(() => echo.start({ maxConcurrentStreams: 1000 }));
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  echo.stop();
});

const raw = (bytes: Buffer) => bytes;
type Call = grpc.ClientDuplexStream<Buffer, Buffer>;

function grpcClient(options: grpc.ChannelOptions = {}): grpc.Client {
  const client = new grpc.Client(`127.0.0.1:${echo.port}`, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    ...options,
  });
  clients.push(client);
  return client;
}

const open = (client: grpc.Client, path = echoPath): Call =>
  client.makeBidiStreamRequest(path, raw, raw, new grpc.Metadata());

/** How a call ended, with what came before. */
function outcome(call: Call): Promise<{ code: number; details: string; messages: Buffer[] }> {
  const messages: Buffer[] = [];
  call.on('data', (message: Buffer) => messages.push(message));
  // The status says the same.
  call.on('error', () => undefined);
  return new Promise((resolve) => call.on('status', ({ code, details }) => resolve({ code, details, messages })));
}

const firstMessage = (call: Call) => new Promise<Buffer>((resolve) => call.once('data', resolve));

describe('@grpc/grpc-js as the client', () => {
  it('gets an echo of every message, and OK at the end', async () => {
    const call = open(grpcClient());
    const end = outcome(call);
    const sent = Array.from({ length: 200 }, (_, i) => Buffer.alloc(i * 37, i));
    for (const message of sent) call.write(message);
    call.end();
    const { code, messages } = await end;
    expect(code).toBe(grpc.status.OK);
    expect(messages.length).toBe(sent.length);
    expect(messages.every((message, i) => message.equals(sent[i]!))).toBe(true);
  });

  it.each([65_535, 1 << 20])('gets large messages both ways through windows of %d bytes', async (window) => {
    const call = open(grpcClient({ 'grpc-node.flow_control_window': window }));
    const end = outcome(call);
    const large = [5_000_000, 16_384, 1_000_000].map((size) => Buffer.alloc(size, `${size}`));
    for (const message of large) call.write(message);
    // Half-close ends a call at once: the answers come first.
    const count = await new Promise<number>((resolve) => {
      let got = 0;
      call.on('data', () => ++got === large.length && resolve(got));
    });
    call.end();
    const { code, messages } = await end;
    expect([code, count]).toEqual([grpc.status.OK, 3]);
    expect(messages.every((message, i) => message.equals(large[i]!))).toBe(true);
  });

  it('has 1,000 calls on one connection', async () => {
    const client = grpcClient();
    const calls = Array.from({ length: 1000 }, () => open(client));
    const ends = calls.map(outcome);
    calls.forEach((call, i) => call.write(Buffer.from(`call ${i}`)));
    await Promise.all(calls.map(firstMessage));
    expect(echo.server.connections).toBe(1);
    expect(echo.streams).toHaveLength(1000);
    const body = Buffer.alloc(50_000, 'b');
    const second = calls.map(firstMessage);
    for (const stream of echo.streams) stream.write([body, Buffer.from('tail')], body.length + 4);
    for (const message of await Promise.all(second)) expect(message.length).toBe(50_004);
    for (const call of calls) call.end();
    for (const [i, end] of ends.entries()) {
      const { code, messages } = await end;
      expect([code, messages[0]!.toString()]).toEqual([0, `call ${i}`]);
    }
    expect(echo.closed).toHaveLength(1000);
  });

  it('may cancel 1,000 calls that were answered, one after the other', async () => {
    const client = grpcClient();
    for (let i = 0; i < 1000; i++) {
      const call = open(client);
      const end = outcome(call);
      call.write(Buffer.from('x'));
      await firstMessage(call);
      call.write(Buffer.from('y'));
      call.cancel();
      expect((await end).code).toBe(grpc.status.CANCELLED);
    }
    expect(echo.violations).toEqual([]);
    expect(echo.server.connections).toBe(1);
  });

  it.each([
    ['an unknown method', '/no.Such/Method', Buffer.from('x'), grpc.status.UNIMPLEMENTED, 'no method /no.Such/Method'],
    [
      'a message over the limit',
      echoPath,
      Buffer.alloc(9_000_000),
      grpc.status.RESOURCE_EXHAUSTED,
      'message larger than the limit of 8388608 bytes',
    ],
  ])('hears of %s', async (_name, path, message, code, details) => {
    const call = open(grpcClient(), path);
    const end = outcome(call);
    call.write(message);
    expect(await end).toEqual({ code, details, messages: [] });
  });

  it('hears the status and text with which a call ends, and UNAVAILABLE when the server closes', async () => {
    const [first, second] = [open(grpcClient()), open(grpcClient())];
    const ends = [outcome(first), outcome(second)] as const;
    first.write(Buffer.from('x'));
    await firstMessage(first);
    echo.streams[0]!.end(grpc.status.UNAUTHENTICATED, 'wer bist du? größer');
    expect(await ends[0]).toMatchObject({ code: grpc.status.UNAUTHENTICATED, details: 'wer bist du? größer' });
    second.write(Buffer.from('x'));
    await firstMessage(second);
    echo.server.close();
    expect((await ends[1]).code).toBe(grpc.status.UNAVAILABLE);
    expect(echo.server.connections).toBe(0);
  });
});

describe('node:http2 as the client', () => {
  it.each([0, 4096])('echoes with a header table of %d bytes', async (headerTableSize) => {
    const session = http2.connect(`http://127.0.0.1:${echo.port}`, {
      settings: { headerTableSize, maxFrameSize: 1 << 20 },
    });
    // Several, so that the client's encoder and ours use their state.
    for (let i = 0; i < 5; i++) {
      const stream = session.request({
        ':method': 'POST',
        ':path': echoPath,
        'content-type': 'application/grpc+proto',
        te: 'trailers',
        'x-text': `latin \xe9 and ${i} "quoted" ~|{}^`,
      });
      const trailers = new Promise<http2.IncomingHttpHeaders>((resolve) => stream.on('trailers', resolve));
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      const message = grpcMessage(Buffer.alloc(100_000, `${i}`));
      stream.end(message);
      expect(await trailers).toMatchObject({ 'grpc-status': '0' });
      expect(Buffer.concat(chunks).equals(message)).toBe(true);
    }
    await new Promise<void>((resolve) => session.close(resolve));
    expect(echo.violations).toEqual([]);
  });
});
