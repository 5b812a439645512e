// Child processes of a benchmark: started, waited for, and always ended.
import { spawn } from 'node:child_process';
import net from 'node:net';

const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    for (const child of running) child.kill('SIGKILL');
    process.exit(130);
  });

/** A port on 127.0.0.1 that is free now. */
export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a program that runs until `stop()`; `output()` is what it has printed so far. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  running.add(child);
  let printed = '';
  const ended = new Promise((resolve) => {
    child.once('error', (error) => {
      printed += error.message;
      resolve();
    });
    child.once('exit', resolve);
  }).then(() => running.delete(child));
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => (printed = (printed + data).slice(-20000)));
  return {
    pid: child.pid,
    output: () => printed,
    isRunning: () => running.has(child),
    async stop() {
      if (!running.has(child)) return;
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(force);
    },
  };
}

/** Runs a program to its end. @throws Error with the end of what it printed when it fails */
export async function run(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  running.add(child);
  let stdout = '';
  let all = '';
  child.stdout.on('data', (data) => {
    stdout += data;
    all = (all + data).slice(-4000);
  });
  child.stderr.on('data', (data) => (all = (all + data).slice(-4000)));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  }).finally(() => running.delete(child));
  if (code !== 0) throw new Error(`${command} ${args[0] ?? ''} ended with ${code}: ${all}`);
  return stdout;
}

/** Looks until the condition holds. @throws Error after `seconds`, or at once when the process has ended */
export async function waitFor(condition, seconds, what, child) {
  const deadline = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (child && !child.isRunning()) throw new Error(`${what}: the process ended: ${child.output().slice(-2000)}`);
    if (Date.now() > deadline) throw new Error(`${what}: not in ${seconds} s: ${child?.output().slice(-2000) ?? ''}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
