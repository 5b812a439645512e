import tls from 'node:tls';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { documents, EchoServer, istioYaml, LoopbackAddresses, makeCertificate, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
const servers: EchoServer[] = [];
const addresses: string[] = [];
beforeAll(async () => {
  mesh = await TestMesh.start();
  const certificate = makeCertificate(mesh.folder);
  const pool = new LoopbackAddresses();
  for (let i = 0; i < 210; i++) pool.next();
  for (const name of ['one', 'two']) {
    const address = pool.next();
    addresses.push(address);
    servers.push(await EchoServer.listen(name, address, 8443, certificate));
  }
});
afterAll(async () => {
  for (const server of servers) await server.close();
  await mesh.stop();
});

/** One TLS connection with this server name, one HTTP request in it. @returns who answered; undefined when cut off */
async function answerer(address: string, port: number, servername: string): Promise<string | undefined> {
  return await new Promise((resolve) => {
    let text = '';
    const socket = tls.connect({ host: address, port, servername, rejectUnauthorized: false }, () =>
      socket.write(`GET / HTTP/1.1\r\nhost: ${servername}\r\nconnection: close\r\n\r\n`),
    );
    socket.on('data', (data: Buffer) => (text += data.toString()));
    // Cut off is an answer here; what came before it decides.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(/"workload":"(\w+)"/.exec(text)?.[1]));
  });
}

it('sends connections to services by their server name, without ending TLS', async () => {
  const host = 'e2e.example.com';
  await mesh.apply(
    'tls',
    documents(
      istioYaml('ServiceEntry', 'tls', {
        hosts: [host],
        location: 'MESH_EXTERNAL',
        resolution: 'STATIC',
        ports: [{ number: 9443, name: 'tls', protocol: 'TLS', targetPort: 8443 }],
        endpoints: addresses.map((address, i) => ({ address, labels: { version: `v${i}` } })),
      }),
      istioYaml('DestinationRule', 'tls', {
        host,
        subsets: [0, 1].map((i) => ({ name: `v${i}`, labels: { version: `v${i}` } })),
      }),
      istioYaml('VirtualService', 'tls', {
        hosts: [host],
        tls: [0, 1].map((i) => ({
          match: [{ port: 9443, sniHosts: [i === 0 ? host : `alt.${host}`] }],
          route: [{ destination: { host, subset: `v${i}` } }],
        })),
      }).replace(`"hosts":["${host}"]`, `"hosts":["${host}","alt.${host}"]`),
    ),
  );
  const address = await mesh.loopbackOf(9443);
  expect(await answerer(address, 9443, host)).toBe('one');
  expect(await answerer(address, 9443, `alt.${host}`)).toBe('two');
});
