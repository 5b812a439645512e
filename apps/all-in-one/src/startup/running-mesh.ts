import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { pidInRunFile } from './run-file.js';

/** The process of a mesh that runs on the same state directory; undefined when there is none. */
export async function runningMesh(stateDir: string): Promise<number | undefined> {
  const pid = await pidInRunFile(stateDir);
  // A run file may outlive its process, whose number may be another program's by now.
  return pid !== undefined && pid !== process.pid && (await commandLine(pid)).includes('all-in-one') ? pid : undefined;
}

async function commandLine(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // No /proc (macOS), or no such process: ps knows.
    return await new Promise((resolve) => {
      execFile('ps', ['-p', String(pid), '-o', 'command='], (error, stdout) => resolve(error ? '' : stdout));
    });
  }
}
