import type { Command } from 'commander';
import { CommandError } from '../command-error.js';
import { parseSeconds } from '../duration.js';
import type { Io } from '../io.js';
import { notRunning, readRunFile, stateDir } from '../runtime/run-file.js';
import { outputOf, stateOption } from './shared-options.js';

export function registerDown(program: Command, io: Io): void {
  program
    .command('down')
    .summary('stop the mesh on this machine')
    .description('Stops the mesh that seinectl up (or npm start) started, with every child, and waits for its end.')
    .option('--timeout <duration>', 'how long it may take', '30s')
    .addOption(stateOption())
    .action(async (flags: { state?: string; timeout: string }, command: Command) => {
      const { isMeshProcess, waitForEnd } = await import('../runtime/mesh-process.js');
      const seconds = parseSeconds(flags.timeout, '--timeout');
      const { pid } = await readRunFile(stateDir(flags.state, io));
      if (!(await isMeshProcess(pid))) throw new CommandError(notRunning);
      process.kill(pid, 'SIGTERM');
      if (!(await waitForEnd(pid, seconds * 1000))) {
        throw new CommandError(`process ${pid} still runs after ${flags.timeout}`);
      }
      outputOf(command, io).line('the mesh has stopped');
    });
}
