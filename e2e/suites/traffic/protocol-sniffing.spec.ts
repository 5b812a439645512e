import net from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { httpRoutesYaml, istioYaml, request, type Seen, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [{ name: 'mixed-v1', sidecar: true }],
    services: [{ name: 'mixed', ports: [{ name: 'unnamed', port: 7100, targetPort: 8080 }] }],
    config: {
      route: httpRoutesYaml('mixed', [{ headers: { request: { set: { 'x-routed': 'yes' } } }, route: [to('mixed')] }]),
    },
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

it('routes what it sees to be HTTP on a port without a protocol', async () => {
  const { body } = await request(await mesh.loopbackOf(7100), 7100, '/x', { headers: { host: 'mixed:7100' } });
  expect((JSON.parse(body) as Seen).headers).toMatchObject({ 'x-routed': 'yes' });
});

it('forwards the rest as bytes', async () => {
  const address = await mesh.loopbackOf(7100);
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = net.connect(7100, address, () => socket.write('NOT-HTTP at all, only bytes\r\n\r\n'));
    socket.on('data', (data) => (text += data.toString()));
    // The server hangs up on what it does not understand: a reset behind its answer is as good as an end.
    socket.on('error', (error) => (text === '' ? reject(error) : resolve(text)));
    socket.on('close', () => resolve(text));
  });
  // Node's own HTTP server got the bytes and says what it thinks of them; an Envoy that parsed them would have answered itself.
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nConnection: close\r\n\r\n$/);
});

it('waits for nobody where the protocol is declared: a server may speak first', async () => {
  const upstream = '127.77.4.2';
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('5.7.44-greeting');
  });
  await new Promise<void>((resolve) => server.listen(7306, upstream, resolve));
  try {
    await mesh.apply(
      'mysql',
      istioYaml('ServiceEntry', 'mysql', {
        hosts: ['mysql.example.com'],
        ports: [{ number: 7306, name: 'mysql', protocol: 'MySQL' }],
        resolution: 'STATIC',
        endpoints: [{ address: upstream }],
      }),
    );
    const socket = net.connect(7306, await mesh.loopbackOf(7306));
    let text = '';
    for await (const data of socket) text += String(data);
    expect(text).toBe('5.7.44-greeting');
  } finally {
    server.close();
  }
});
