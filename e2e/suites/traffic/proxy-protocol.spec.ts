import net from 'node:net';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { documents, istioYaml, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
const upstream = '127.77.2.2';
let mesh: TestMesh;
let server: net.Server;
let received: (bytes: Buffer) => void = () => undefined;
beforeAll(async () => {
  // Hands on all that a connection brings until its first line of its own.
  server = net.createServer((socket) => {
    let bytes = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      bytes = Buffer.concat([bytes, data]);
      if (bytes.includes('hello\n')) received(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(7300, upstream, resolve));
  mesh = await TestMesh.start();
});
afterAll(async () => {
  server.close();
  await mesh.stop();
});

async function firstBytes(version: 'V1' | 'V2'): Promise<Buffer> {
  await mesh.apply(
    'legacy',
    documents(
      istioYaml('ServiceEntry', 'legacy', {
        hosts: ['legacy.example.com'],
        ports: [{ number: 7300, name: 'tcp', protocol: 'TCP' }],
        resolution: 'STATIC',
        endpoints: [{ address: upstream }],
      }),
      istioYaml('DestinationRule', 'legacy', {
        host: 'legacy.example.com',
        trafficPolicy: { proxyProtocol: { version } },
      }),
    ),
  );
  const address = await mesh.loopbackOf(7300);
  const bytes = new Promise<Buffer>((resolve) => (received = resolve));
  const socket = net.connect(7300, address, () => socket.write('hello\n'));
  try {
    return await bytes;
  } finally {
    socket.destroy();
  }
}

it('tells the client in a line of text', async () => {
  const text = (await firstBytes('V1')).toString();
  expect(text).toMatch(/^PROXY TCP4 127\.\d+\.\d+\.\d+ 127\.\d+\.\d+\.\d+ \d+ 7300\r\nhello\n$/);
});

it('tells it in binary', async () => {
  const bytes = await firstBytes('V2');
  // Signature, version 2 and PROXY, TCP over IPv4, 12 bytes of addresses and ports.
  expect(bytes.subarray(0, 16).toString('hex')).toBe('0d0a0d0a000d0a515549540a2111000c');
  expect(bytes.subarray(28).toString()).toBe('hello\n');
  expect(bytes.readUInt16BE(26)).toBe(7300);
});
