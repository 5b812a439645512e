import { mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 200;

/**
 * Runs `work` while no other process of this user does so under the same file. A lock whose process has gone is taken
 * over. It only saves double work: what `work` writes must be safe without it.
 */
export async function withLock<T>(file: string, waiting: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true });
  let told = false;
  while (!(await acquire(file))) {
    if (await isStale(file)) {
      await rm(file, { force: true });
      continue;
    }
    if (!told) waiting();
    told = true;
    await delay(pollMs);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function acquire(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(file: string): Promise<boolean> {
  let owner: number;
  try {
    owner = Number(await readFile(file, 'utf8'));
  } catch {
    // Given up by its owner in this moment: the next attempt gets it.
    return false;
  }
  // Just created, its number not yet written.
  if (!Number.isInteger(owner) || owner <= 0) return false;
  return !isRunning(owner);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
