import { execFile } from 'node:child_process';
import path from 'node:path';
import { repositoryRoot } from './repository.js';

/** Runs the built seinectl. @throws (rejects) with what it printed where it does not end with 0 */
export async function seinectl(...args: readonly string[]): Promise<string> {
  const program = path.join(repositoryRoot, 'apps/seinectl/bin/seinectl.mjs');
  return await new Promise((resolve, reject) => {
    execFile(process.execPath, [program, ...args], (error, stdout, stderr) =>
      error ? reject(new Error(`seinectl ${args.join(' ')}: ${stdout}${stderr}`, { cause: error })) : resolve(stdout),
    );
  });
}
