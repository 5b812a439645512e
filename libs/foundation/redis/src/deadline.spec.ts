import { once } from 'node:events';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect, it } from '@jest/globals';
import { withDeadline } from './deadline.js';

it('ends the wait for what never comes, with nothing', async () => {
  await expect(withDeadline(new Promise(() => undefined), 1)).rejects.toBeUndefined();
});

it('hands on what comes, and why it does not', async () => {
  expect(await withDeadline(Promise.resolve(7), 60_000)).toBe(7);
  await expect(withDeadline(Promise.reject(new Error('gone')), 60_000)).rejects.toThrow('gone');
});

/** Answers whatever it is sent, in a thread of its own, and raises a flag when it has. */
const echo = `
const { parentPort, workerData } = require('node:worker_threads');
const answered = () => { Atomics.store(workerData, 0, 1); Atomics.notify(workerData, 0); };
const server = require('node:net').createServer((socket) => socket.on('data', (data) => socket.write(data, answered)));
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

it('takes a reply that came in time, though nobody could read it before', async () => {
  const answered = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(echo, { eval: true, workerData: answered });
  const [port] = (await once(worker, 'message')) as [number];
  const socket = net.connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    const reply = withDeadline(once(socket, 'data'), 5);
    socket.write('question');
    // The event loop is busy until the reply lies in the socket and the time is up.
    Atomics.wait(answered, 0, 0);
    const until = performance.now() + 20;
    while (performance.now() < until);
    expect(String(await reply)).toBe('question');
  } finally {
    socket.destroy();
    await worker.terminate();
  }
});
