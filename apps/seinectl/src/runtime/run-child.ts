import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { CommandError } from '../command-error.js';
import type { Io } from '../io.js';

/** The signals that end a program in the foreground. */
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a Node program in the foreground with our own input and output, and hands it the signals that come to us. Not
 * Ctrl-C on a terminal: that the terminal sends to the child as well, and a second one would mean "do not wait".
 * @returns its exit code; 128 + number when a signal ended it, as shells count
 */
export function runChild(
  args: readonly string[],
  io: Pick<Io, 'env' | 'cwd' | 'outIsTty' | 'errIsTty'>,
  signals: Pick<NodeJS.EventEmitter, 'on' | 'removeListener'> = process,
): Promise<number> {
  const onTerminal = io.outIsTty || io.errIsTty;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit', env: io.env, cwd: io.cwd });
    const forward = (signal: NodeJS.Signals): void => {
      if (signal !== 'SIGINT' || !onTerminal) child.kill(signal);
    };
    for (const signal of forwarded) signals.on(signal, forward);
    const finish = (): void => {
      for (const signal of forwarded) signals.removeListener(signal, forward);
    };
    child.once('error', (error) => {
      finish();
      reject(new CommandError(`cannot start ${args[0] ?? ''}: ${error.message}`, 1, { cause: error }));
    });
    child.once('exit', (code, signal) => {
      finish();
      resolve(code ?? (signal ? 128 + constants.signals[signal] : 1));
    });
  });
}
