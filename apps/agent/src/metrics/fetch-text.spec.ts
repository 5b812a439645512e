import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fetchText } from './fetch-text.js';

const server = http.createServer((request, response) => {
  const { url } = request;
  if (url === '/hangs') return;
  if (url === '/stalls') {
    response.write('a 1\n');
    return;
  }
  if (url === '/endless') {
    const more = setInterval(() => response.write('x'.repeat(100_000)), 1);
    response.on('close', () => clearInterval(more));
    return;
  }
  if (url === '/moved') {
    response.writeHead(302, { location: '/metrics' });
    response.end();
    return;
  }
  response.writeHead(url === '/metrics' ? 200 : 500);
  response.end(`accept ${request.headers.accept}`);
});
const at = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('fetching metrics', () => {
  it('asks for the text format', async () => {
    expect(await fetchText(at('/metrics'), 1000)).toBe('accept text/plain;version=0.0.4');
  });

  it.each([
    ['where no answer comes in time', '/hangs', 'The operation was aborted due to timeout'],
    ['where the answer does not end in time', '/stalls', 'The operation was aborted due to timeout'],
    ['where the answer is an error', '/broken', 'answers 500'],
    ['where it is sent elsewhere', '/moved', 'fetch failed'],
  ])('gives up %s', async (_what, path, message) => {
    await expect(fetchText(at(path), 1000, 200)).rejects.toThrow(message);
  });

  it('reads no more than it may', async () => {
    await expect(fetchText(at('/endless'), 1_000_000)).rejects.toThrow('has more than 1000000 bytes');
  });
});
