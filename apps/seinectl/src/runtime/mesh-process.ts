import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from './run-file.js';

/**
 * Whether the process is a Seine mesh. A run file may outlive its process, and its number may be another program's now;
 * that program must not be stopped.
 */
export async function isMeshProcess(pid: number): Promise<boolean> {
  return isMeshCommand(await commandLineOf(pid));
}

/** Whether a command line (words apart by NUL or blanks) runs the program itself, and not an editor or a test on its files. */
export function isMeshCommand(commandLine: string): boolean {
  return commandLine.split(/[\0\s]+/).some((word) => word.endsWith('all-in-one/dist/main.js'));
}

async function commandLineOf(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // No /proc (macOS), or the process has gone: ps knows.
    return new Promise((resolve) => {
      execFile('ps', ['-p', String(pid), '-o', 'command='], (error, stdout) => resolve(error ? '' : stdout));
    });
  }
}

/** Waits until the process has gone. @returns whether it has, within the time */
export async function waitForEnd(pid: number, timeoutMs: number): Promise<boolean> {
  const until = performance.now() + timeoutMs;
  while (isAlive(pid)) {
    if (performance.now() > until) return false;
    await delay(50);
  }
  return true;
}
