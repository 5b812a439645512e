import http2, { type ClientHttp2Session } from 'node:http2';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EchoFixture } from './echo-fixture.js';
import { echoPath, grpcMessage } from './raw-client.js';

const echo = new EchoFixture();
const large = Buffer.alloc(3_000_000, 'abcdefg');
const files = new Map([
  ['/large', large],
  ['/small', Buffer.from('hello')],
  ['/empty', Buffer.alloc(0)],
]);
let session: ClientHttp2Session;

beforeEach(async () => {
  await echo.start();
  echo.server.serveFiles((path) => {
    const body = files.get(path);
    return body && { contentType: 'application/wasm', body };
  });
  session = http2.connect(`http://127.0.0.1:${echo.port}`);
});
afterEach(() => {
  session.destroy();
  echo.stop();
});

async function get(path: string): Promise<{ status: number; type: string; length: string; body: Buffer }> {
  return await new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'GET', ':path': path });
    const chunks: Buffer[] = [];
    let head: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
    stream.on('response', (headers) => (head = headers));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('end', () =>
      resolve({
        status: head[':status'] ?? 0,
        type: head['content-type'] ?? '',
        length: head['content-length'] ?? '',
        body: Buffer.concat(chunks),
      }),
    );
    stream.end();
  });
}

describe('files', () => {
  // The large one is larger than every window that the client opens at first.
  it.each([...files])('gives %s to a GET', async (path, body) => {
    const answer = await get(path);
    expect([answer.status, answer.type, answer.length]).toEqual([200, 'application/wasm', String(body.length)]);
    expect(answer.body.equals(body)).toBe(true);
  });

  it('gives several at once, beside a stream that goes on', async () => {
    const call = session.request({ ':method': 'POST', ':path': echoPath, 'content-type': 'application/grpc' });
    const answers = await Promise.all([get('/large'), get('/small'), get('/large')]);
    expect(answers.map(({ body }) => body.length)).toEqual([large.length, 5, large.length]);
    const echoed = new Promise<Buffer>((resolve) => call.once('data', resolve));
    call.write(grpcMessage('still there'));
    expect((await echoed).equals(grpcMessage('still there'))).toBe(true);
    call.destroy();
  });

  it('has no others', async () => {
    expect((await get('/other')).status).toBe(405);
  });
});
