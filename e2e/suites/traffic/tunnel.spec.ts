import http from 'node:http';
import net from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { documents, istioYaml, request, type Seen, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);

/** A forward proxy: connects to what CONNECT or POST asks for, whatever address that really has. */
class ForwardProxy {
  readonly asked: string[] = [];

  private constructor(private readonly server: http.Server) {}

  static async listen(host: string, port: number, target: () => string): Promise<ForwardProxy> {
    const server = http.createServer();
    const proxy = new ForwardProxy(server);
    server.on('connect', (ask: http.IncomingMessage, socket: net.Socket, head: Buffer) => {
      proxy.asked.push(`${ask.method} ${ask.url}`);
      const upstream = net.connect(8080, target(), () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        upstream.write(head);
        upstream.pipe(socket);
        socket.pipe(upstream);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    return proxy;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

let mesh: TestMesh;
let proxy: ForwardProxy;
const proxyAddress = '127.77.1.2';
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'outside-v1' }] });
  proxy = await ForwardProxy.listen(proxyAddress, 3128, () => mesh.workloads.get('outside-v1')!.address);
});
afterAll(async () => {
  proxy.close();
  await mesh.stop();
});
beforeEach(() => mesh.resetUpstreams());

it('leads a TCP connection to a forward proxy, which is told where to', async () => {
  await mesh.apply(
    'tunnel',
    documents(
      istioYaml('ServiceEntry', 'outside', {
        hosts: ['outside.example.com'],
        ports: [{ number: 7443, name: 'tcp', protocol: 'TCP' }],
        resolution: 'DNS',
      }),
      istioYaml('ServiceEntry', 'forward-proxy', {
        hosts: ['proxy.example.com'],
        ports: [{ number: 3128, name: 'tcp', protocol: 'TCP' }],
        resolution: 'STATIC',
        endpoints: [{ address: proxyAddress }],
      }),
      istioYaml('DestinationRule', 'forward-proxy', {
        host: 'proxy.example.com',
        subsets: [
          { name: 'tunnel', trafficPolicy: { tunnel: { targetHost: 'outside.example.com', targetPort: 7443 } } },
        ],
      }),
      istioYaml('VirtualService', 'outside', {
        hosts: ['outside.example.com'],
        tcp: [
          {
            match: [{ port: 7443 }],
            route: [{ destination: { host: 'proxy.example.com', subset: 'tunnel', port: { number: 3128 } } }],
          },
        ],
      }),
    ),
  );
  const { body } = await request(await mesh.loopbackOf(7443), 7443, '/through');
  expect((JSON.parse(body) as Seen).workload).toBe('outside-v1');
  expect(mesh.echo('outside-v1').seen[0]?.path).toBe('/through');
  expect(proxy.asked).toEqual(['CONNECT outside.example.com:7443']);
});
