import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Forward } from './forward.js';

let dir: string;
let server: Server;
let target: { socketPath: string };
let accepted: Socket[];
beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'seine-forward-'));
  target = { socketPath: path.join(dir, 'a.sock') };
  accepted = [];
  server = createServer((socket) => {
    accepted.push(socket);
    socket.pipe(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(target.socketPath, resolve));
});
afterEach(async () => {
  for (const socket of accepted) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function open(to: { socketPath: string } = target): Promise<{ forward: Forward; client: Socket }> {
  const port = await freePort();
  const forward = await Forward.open({ host: '127.0.0.1', port }, to);
  return { forward, client: connect(port, '127.0.0.1') };
}

const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

describe('a forward', () => {
  it('hands bytes on, both ways', async () => {
    const { forward, client } = await open();
    client.write('hello');
    expect(String(await new Promise((resolve) => client.once('data', resolve)))).toBe('hello');
    const end = closed(client);
    client.end();
    await end;
    await forward.close();
  });

  it('closes what it carries when it closes', async () => {
    const { forward, client } = await open();
    client.on('error', () => undefined);
    client.write('x');
    await new Promise((resolve) => client.once('data', resolve));
    const end = closed(client);
    await forward.close();
    await end;
  });

  it('breaks off when nobody is at the other end, and goes on serving', async () => {
    const { forward, client } = await open({ socketPath: path.join(dir, 'nobody.sock') });
    client.on('error', () => undefined);
    await closed(client);
    await forward.close();
  });

  it('says when its address is taken', async () => {
    const port = await freePort();
    const first = await Forward.open({ host: '127.0.0.1', port }, target);
    await expect(Forward.open({ host: '127.0.0.1', port }, target)).rejects.toThrow('EADDRINUSE');
    await first.close();
  });
});
