import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { GrpcServer } from './server.js';
import { GrpcStatus } from './status.js';
import { GrpcError, unary, type UnaryMethod } from './unary.js';

const path = '/test.Calls/Do';
const raw = (bytes: Buffer): Buffer => bytes;
const errors: unknown[] = [];
let server: GrpcServer;
let client: grpc.Client;
let method: UnaryMethod = (request) => request;

beforeEach(async () => {
  errors.length = 0;
  server = new GrpcServer({
    maxMessageBytes: 1 << 20,
    keepaliveMs: 60_000,
    keepaliveTimeoutMs: 60_000,
    maxConcurrentStreams: 100,
  });
  server.handle(
    path,
    unary(
      (request, call) => method(request, call),
      (error) => errors.push(error),
    ),
  );
  const port = await server.listen('127.0.0.1', 0);
  client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
});
afterEach(() => {
  client.close();
  server.close();
});

function call(
  text: string,
  metadata = new grpc.Metadata(),
): Promise<{ code: number; details: string; text: string | undefined }> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, raw, raw, Buffer.from(text), metadata, (error, response) =>
      resolve({ code: error?.code ?? 0, details: error?.details ?? '', text: response?.toString() }),
    );
  });
}

describe('a method of one request and one answer', () => {
  it.each<[string, UnaryMethod]>([
    ['at once', (request) => Buffer.concat([request, Buffer.from('!')])],
    ['later', (request) => Promise.resolve(Buffer.concat([request, Buffer.from('!')]))],
  ])('answers %s', async (_, made) => {
    method = made;
    const replies = await Promise.all(Array.from({ length: 300 }, (_none, i) => call(`n${i}`)));
    expect(replies.map(({ text }) => text)).toEqual(Array.from({ length: 300 }, (_none, i) => `n${i}!`));
  });

  it('sees the metadata of the call', async () => {
    const metadata = new grpc.Metadata();
    metadata.set('ratelimit-policy', '"a";q=1;w=1');
    method = (_request, stream) => Buffer.from(`${stream.header('ratelimit-policy')} ${stream.header('none')}`);
    expect((await call('x', metadata)).text).toBe('"a";q=1;w=1 undefined');
  });

  it.each<[string, UnaryMethod]>([
    [
      'throws',
      () => {
        throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, 'no domain');
      },
    ],
    ['rejects', () => Promise.reject(new GrpcError(GrpcStatus.INVALID_ARGUMENT, 'no domain'))],
  ])('that %s ends with the status', async (_, made) => {
    method = made;
    expect(await call('x')).toMatchObject({ code: GrpcStatus.INVALID_ARGUMENT, details: 'no domain' });
    expect(errors).toEqual([]);
  });

  it('tells a bug to its own side only', async () => {
    const bug = new Error('secret of the server');
    method = () => {
      throw bug;
    };
    expect(await call('x')).toMatchObject({ code: GrpcStatus.INTERNAL, details: 'internal error' });
    expect(errors).toEqual([bug]);
  });
});
