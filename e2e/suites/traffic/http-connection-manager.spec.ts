import crypto from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { documents, GreeterServer, httpRoutesYaml, istioYaml, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);

/** A WebSocket server (RFC 6455) that sends back each text message of fewer than 126 bytes. */
function webSocketEcho(): http.Server {
  const server = http.createServer();
  server.on('upgrade', (ask: http.IncomingMessage, socket: net.Socket) => {
    const key = `${ask.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = crypto.createHash('sha1').update(key).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on('error', () => undefined);
    socket.on('data', (frame) => {
      const length = (frame[1] ?? 0) & 0x7f;
      const mask = frame.subarray(2, 6);
      const text = frame.subarray(6, 6 + length).map((byte, i) => byte ^ (mask[i % 4] ?? 0));
      socket.write(Buffer.concat([Buffer.from([0x81, length]), text]));
    });
  });
  return server;
}

/** Upgrades, sends one message, and waits for the answer. */
async function echoOf(host: string, port: number, target: string, authority: string, text: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const headers = {
      host: authority,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': crypto.randomBytes(16).toString('base64'),
    };
    const ask = http.request({ host, port, path: target, headers });
    ask.on('error', reject);
    ask.on('response', ({ statusCode }) => reject(new Error(`no upgrade: ${statusCode}`)));
    ask.on('upgrade', (_answer, socket) => {
      const masked = Buffer.from(text).map((byte, i) => byte ^ (i % 4));
      socket.on('data', (frame: Buffer) => {
        resolve(frame.subarray(2).toString());
        socket.destroy();
      });
      socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 1, 2, 3]), masked]));
    });
    ask.end();
  });
}

/** Sends bytes, and gives what comes back until the other side closes. */
async function exchange(host: string, port: number, bytes: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    let text = '';
    const socket = net.connect(port, host, () => socket.write(bytes));
    socket.on('data', (data) => (text += data.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

const upstream = '127.77.3.2';
const server = webSocketEcho();
let greeter: GreeterServer;
let mesh: TestMesh;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(8080, upstream, resolve));
  greeter = await GreeterServer.listen('greeter', upstream, 50051);
  mesh = await TestMesh.start({
    gateway: true,
    config: {
      chat: documents(
        istioYaml('ServiceEntry', 'chat', {
          hosts: ['chat.example.com'],
          ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 8080 }],
          resolution: 'STATIC',
          endpoints: [{ address: upstream }],
        }),
        istioYaml('Gateway', 'gw', {
          selector: { istio: 'ingressgateway' },
          servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
        }),
        istioYaml('ServiceEntry', 'greeter', {
          hosts: ['greeter.example.com'],
          ports: [{ number: 80, name: 'grpc', protocol: 'GRPC', targetPort: 50051 }],
          resolution: 'STATIC',
          endpoints: [{ address: upstream }],
        }),
        httpRoutesYaml('chat.example.com', [{ route: [to('chat.example.com')] }], { gateways: ['gw', 'mesh'] }),
        istioYaml('VirtualService', 'any', {
          hosts: ['*'],
          gateways: ['gw'],
          http: [{ match: [{ headers: { 'x-to': { exact: 'greeter' } } }], route: [to('greeter.example.com')] }],
        }),
      ),
    },
  });
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  greeter.close();
  await mesh.stop();
});
it('upgrades to WebSocket through a sidecar', async () => {
  const url = 'http://chat.example.com/room';
  expect(await echoOf(mesh.clientAddress, 15007, url, 'chat.example.com', 'hello sidecar')).toBe('hello sidecar');
});

it('upgrades to WebSocket through a gateway', async () => {
  expect(await echoOf(mesh.gatewayAddress, 8080, '/room', 'chat.example.com', 'hello gateway')).toBe('hello gateway');
});

/** One gRPC message: a flag, its length, itself. */
function grpcFrame(message: unknown): Buffer {
  const bytes = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

it('translates gRPC-Web at a gateway', async () => {
  const answer = await fetch(`http://${mesh.gatewayAddress}:8080/helloworld.Greeter/SayHello`, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1', 'x-to': 'greeter' },
    body: grpcFrame({ name: 'browser' }),
  });
  expect(answer.headers.get('content-type')).toBe('application/grpc-web+proto');
  const body = Buffer.from(await answer.arrayBuffer());
  const length = body.readUInt32BE(1);
  expect(JSON.parse(body.subarray(5, 5 + length).toString())).toEqual({ message: 'Hello browser', server: 'greeter' });
  // The trailers, which a browser cannot read, are a frame of their own.
  expect(body[5 + length]).toBe(0x80);
  expect(body.subarray(10 + length).toString()).toContain('grpc-status:0');
});

it('refuses HTTP/1.0, as long as nobody wants it', async () => {
  const answer = await exchange(mesh.gatewayAddress, 8080, 'GET / HTTP/1.0\r\nHost: chat.example.com\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
});
