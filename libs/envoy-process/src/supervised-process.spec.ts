import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { envoyProcess } from './envoy-process.js';
import { RotatingLog } from './rotating-log.js';
import { type ProcessSpec, SupervisedProcess } from './supervised-process.js';
import { Watchdog, watchdogScript } from './watchdog.js';

const root = mkdtempSync(path.join(tmpdir(), 'seine-supervise-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(10);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // Gone.
    return false;
  }
}

/** An Envoy that listens nowhere: it makes a file when it is up. */
let count = 0;
function fake(script: string): { spec: ProcessSpec; up: string; envoy: string } {
  const dir = path.join(root, String(count++));
  const up = `${dir}.up`;
  const envoy = `${dir}.envoy`;
  writeFileSync(envoy, `#!/bin/sh\nup=${up}\n${script}\n`);
  chmodSync(envoy, 0o755);
  return {
    up,
    envoy,
    spec: {
      ...envoyProcess({
        workload: 'reviews-v1',
        envoy,
        bootstrapFile: `${dir}.json`,
        logFile: `${dir}.log`,
        admin: { host: '127.0.0.1', port: 1 },
      }),
      ready: async (signal) => {
        while (!existsSync(up)) await delay(10, undefined, { signal });
      },
    },
  };
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function supervise(spec: ProcessSpec): { process: SupervisedProcess; notices: string[] } {
  const watchdog = new Watchdog();
  const notices: string[] = [];
  const supervised = new SupervisedProcess(spec, {
    watchdog,
    notice: (message) => notices.push(message),
    backOff: { firstMs: 10, maxMs: 40 },
    graceMs: 200,
  });
  stops.push(
    () => watchdog.close(),
    () => supervised.stop(),
  );
  return { process: supervised, notices };
}

const minute = 60_000;

describe('a supervised Envoy', () => {
  it('is started with its bootstrap, one worker and no hot restart', async () => {
    const { spec } = fake('echo "$@"; touch $up; exec sleep 1000');
    await supervise(spec).process.start(minute);
    await eventually(() => existsSync(spec.logFile) && readFileSync(spec.logFile, 'utf8') !== '');
    expect(readFileSync(spec.logFile, 'utf8')).toMatch(/^-c \S+\.json --concurrency 1 --disable-hot-restart /);
  });

  it.each([
    [
      'ends',
      'echo "no such file: x.json" >&2; exit 3',
      'Envoy of reviews-v1 ended with exit code 3\n  no such file: x.json',
    ],
    ['is killed', 'kill -9 $$', 'Envoy of reviews-v1 was ended by SIGKILL'],
  ])('that %s before it is up is an error', async (_what, script, message) => {
    const { process, notices } = supervise(fake(script).spec);
    await expect(process.start(minute)).rejects.toThrow(message);
    expect(process.pid).toBeUndefined();
    expect(notices).toEqual([]);
  });

  it('that is not there is an error', async () => {
    const { process } = supervise({ ...fake('').spec, command: '/nonexistent/envoy' });
    await expect(process.start(minute)).rejects.toThrow('cannot be started');
  });

  it('that is never ready is ended, and an error', async () => {
    const { process } = supervise(fake('exec sleep 1000').spec);
    const started = process.start(100);
    const pid = process.pid ?? 0;
    await expect(started).rejects.toThrow('is not ready after 0.1 s');
    expect(isAlive(pid)).toBe(false);
  });

  it('is started again when it ends, which is said', async () => {
    const { spec } = fake('touch $up; exec sleep 1000');
    const { process: supervised, notices } = supervise(spec);
    await supervised.start(minute);
    const pids = new Set<number | undefined>();
    for (const round of [1, 2]) {
      const { pid = 0 } = supervised;
      pids.add(pid);
      process.kill(pid, 'SIGKILL');
      await eventually(() => notices.length === 2 * round);
    }
    pids.add(supervised.pid);
    expect(pids.size).toBe(3);
    expect(notices).toEqual([
      `Envoy of reviews-v1 was ended by SIGKILL: starting it again in 0.01 s (${spec.logFile})`,
      'Envoy of reviews-v1 is up again',
      expect.stringMatching(/in 0.0[12] s/),
      'Envoy of reviews-v1 is up again',
    ]);
  });

  it.each([
    ['at SIGTERM', 'touch $up; exec sleep 1000'],
    ['by force when it does not listen', "trap '' TERM; touch $up; while :; do sleep 0.01; done"],
  ])('is stopped %s, and stays so', async (_how, script) => {
    const { process, notices } = supervise(fake(script).spec);
    await process.start(minute);
    const pid = process.pid ?? 0;
    await process.stop();
    expect(isAlive(pid)).toBe(false);
    expect(process.pid).toBeUndefined();
    expect(notices).toEqual([]);
  });
});

describe('the watchdog', () => {
  it.each([
    ['listens to SIGTERM', 'echo up; exec sleep 1000'],
    ['does not', "trap '' TERM; echo up; while :; do sleep 0.01; done"],
  ])('ends a child that %s', async (_what, script) => {
    const watchdog = new Watchdog();
    const child = spawn('/bin/sh', ['-c', script]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    watchdog.add(child.pid ?? 0);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await watchdog.close();
    await ended;
    expect(isAlive(child.pid ?? 0)).toBe(false);
  });

  it('leaves alone what has ended or was never ours', async () => {
    const watchdog = new Watchdog();
    const [a, b] = [spawn('sleep', ['1000']), spawn('sleep', ['1000'])];
    for (const { pid } of [a, b]) watchdog.add(pid ?? 0);
    watchdog.remove(999_999);
    watchdog.remove(a.pid ?? 0);
    const ended = new Promise((resolve) => b.once('exit', resolve));
    await watchdog.close();
    await ended;
    expect(isAlive(a.pid ?? 0)).toBe(true);
    const gone = new Promise((resolve) => a.once('exit', resolve));
    a.kill();
    await gone;
  });

  it('ends our children when we are killed', async () => {
    const { envoy, up } = fake('touch $up; exec sleep 1000');
    // The supervisor as a process of its own, which gets no chance to clean up.
    const program = `
      import { spawn } from 'node:child_process';
      const dog = spawn('/bin/sh', ['-c', process.argv[1]], { stdio: ['pipe', 'ignore', 'ignore'] });
      const child = spawn(process.argv[2]);
      dog.stdin.write('+' + child.pid + '\\n', () => console.log(child.pid));`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program, watchdogScript, envoy]);
    const pid = await new Promise<number>((resolve) =>
      parent.stdout.once('data', (text: Buffer) => resolve(Number(text))),
    );
    await eventually(() => existsSync(up));
    parent.kill('SIGKILL');
    await eventually(() => !isAlive(pid));
    expect(isAlive(pid)).toBe(false);
  });
});

describe('a log', () => {
  it('never takes more than twice its bound', async () => {
    const file = path.join(root, 'logs', 'a.log');
    const log = new RotatingLog({ file, maxBytes: 100 });
    for (let i = 0; i < 40; i++) log.write(`line number ${String(i).padStart(2, '0')}\n`);
    await new Promise<void>((resolve) => log.end(resolve));
    expect(statSync(file).size).toBeLessThanOrEqual(100);
    expect(statSync(`${file}.1`).size).toBeLessThanOrEqual(100);
    expect(readFileSync(`${file}.1`, 'utf8') + readFileSync(file, 'utf8')).toMatch(/line number 39\n$/);
    expect(log.tail(2)).toEqual(['line number 38', 'line number 39']);
  });

  it('goes on after the one of an earlier run', async () => {
    const file = path.join(root, 'b.log');
    for (const text of ['one\n', 'two\n']) {
      const log = new RotatingLog({ file });
      await new Promise<void>((resolve) => log.end(text, resolve));
    }
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
  });

  it('drops what cannot be written, and keeps its last lines', async () => {
    const log = new RotatingLog({ file: '/dev/null/nowhere.log' });
    await new Promise<void>((resolve) => log.end('lost\n', resolve));
    expect(log.tail(1)).toEqual(['lost']);
  });
});
