import http from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { type Seen, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1' }],
    services: [
      {
        name: 'reviews',
        ports: [
          { name: 'http', port: 8080 },
          { name: 'http-alt', port: 80, targetPort: 8080 },
        ],
      },
    ],
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

it.each(['http://reviews:8080/a', 'http://reviews/a', 'http://reviews:80/a'])(
  'routes the absolute form %s',
  async (url) => {
    const { status, body } = await mesh.call(url);
    expect([status, (JSON.parse(body) as Seen).path]).toEqual([200, '/a']);
  },
);

it('carries a websocket upgrade', async () => {
  const echo = mesh.echo('reviews-v1');
  const headers = { host: 'reviews:8080', connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
  await new Promise<void>((resolve, reject) => {
    const options = { host: mesh.clientAddress, port: 15_007, path: 'http://reviews:8080/ws', headers };
    const call = http.get(options, (response) => {
      response.resume();
      response.on('end', resolve);
    });
    call.on('error', reject);
  });
  // The upstream is no websocket server and answers as to any request; what counts is that the upgrade reached it.
  expect(echo.seen[0]?.headers).toMatchObject({ upgrade: 'websocket', 'sec-websocket-version': '13' });
});
