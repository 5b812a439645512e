import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { watch } from 'node:fs';
import { FakeState } from '../testing/fake-state.js';
import { runChild } from './run-child.js';

const io = { env: process.env, cwd: process.cwd(), outIsTty: false, errIsTty: false };
let scratch: FakeState;
beforeEach(async () => {
  scratch = await FakeState.create();
});
afterEach(() => scratch.remove());

describe('runChild', () => {
  it.each([
    ['ends well', 'process.exit(0)', 0],
    ['its own code', 'process.exit(7)', 7],
    ['a signal', 'process.kill(process.pid, "SIGKILL")', 137],
  ])('%s', async (_case, program, code) => {
    expect(await runChild(['-e', program], io)).toBe(code);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('hands on %s and leaves no listener behind', async (signal) => {
    const signals = new EventEmitter();
    // The child makes a file when it listens; it ends by itself, should the signal never come.
    const program = `
      process.on(${JSON.stringify(signal)}, () => process.exit(9));
      setTimeout(() => process.exit(1), 20000);
      require('node:fs').writeFileSync('ready', '');`;
    const watcher = watch(scratch.dir);
    const exit = runChild(['-e', program], { ...io, cwd: scratch.dir }, signals);
    await once(watcher, 'change');
    watcher.close();
    signals.emit(signal, signal);
    expect(await exit).toBe(9);
    expect(signals.eventNames()).toEqual([]);
  });

  it('leaves Ctrl-C to the terminal, which sends it to the child itself', async () => {
    const signals = new EventEmitter();
    const program = `
      process.on('SIGINT', () => process.exit(1));
      process.on('SIGTERM', () => process.exit(9));
      setTimeout(() => process.exit(2), 20000);
      require('node:fs').writeFileSync('ready', '');`;
    const watcher = watch(scratch.dir);
    const exit = runChild(['-e', program], { ...io, cwd: scratch.dir, errIsTty: true }, signals);
    await once(watcher, 'change');
    watcher.close();
    signals.emit('SIGINT', 'SIGINT');
    signals.emit('SIGTERM', 'SIGTERM');
    expect(await exit).toBe(9);
  });
});
