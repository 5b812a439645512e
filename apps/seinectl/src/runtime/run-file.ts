import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunFile } from '@seine/api';
import { CommandError } from '../command-error.js';
import type { Io } from '../io.js';

const notRunning = 'no mesh is running: start one with npm start';

/** The --state flag, else SEINE_STATE, else `seine` in the user's state folder (XDG Base Directory Specification). */
export function stateDir(flag: string | undefined, io: Pick<Io, 'env' | 'cwd'>): string {
  const chosen = flag ?? io.env['SEINE_STATE'];
  if (chosen) return path.resolve(io.cwd, chosen);
  const base = io.env['XDG_STATE_HOME'] ?? path.join(io.env['HOME'] ?? '', '.local', 'state');
  return path.join(base, 'seine');
}

/** Whether the process is there, ours or not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isRunFile(value: unknown): value is RunFile {
  if (typeof value !== 'object' || value === null) return false;
  const file = value as Partial<Record<keyof RunFile, unknown>>;
  return (
    Number.isInteger(file.pid) &&
    Number(file.pid) > 0 &&
    typeof file.urls === 'object' &&
    file.urls !== null &&
    Array.isArray(file.workloads)
  );
}

/**
 * What runs now.
 * @throws CommandError when nothing runs, or run.json is not what a mesh writes
 */
export async function readRunFile(dir: string): Promise<RunFile> {
  const file = path.join(dir, 'run.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new CommandError(notRunning);
    throw new CommandError(`cannot read ${file}: ${(error as Error).message}`, 1, { cause: error });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new CommandError(`${file} is not JSON: ${(error as Error).message}`, 1, { cause: error });
  }
  if (!isRunFile(parsed)) throw new CommandError(`${file} is not a run file of a mesh (pid, urls, workloads)`);
  if (!isAlive(parsed.pid)) throw new CommandError(notRunning);
  return parsed;
}

export { notRunning };
