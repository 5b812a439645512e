import { execFile } from 'node:child_process';

export interface CommandResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** Why it failed, one line; empty where it did not. */
  readonly reason: string;
  /** The program is not there at all. */
  readonly missing: boolean;
}

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly env: NodeJS.ProcessEnv;
  /** Ends the program. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program to its end and says how that went; never rejects. */
export function runCommand(
  command: string,
  args: readonly string[],
  { timeoutMs, env, signal }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL' as const, env, signal, maxBuffer: 4 * 1024 * 1024 };
    execFile(command, [...args], options, (error, stdout, stderr) => {
      const missing = error?.code === 'ENOENT';
      resolve({ ok: error === null, stdout, stderr, missing, reason: error ? reasonOf(error, stderr, timeoutMs) : '' });
    });
  });
}

function reasonOf(error: Error & { killed?: boolean; code?: unknown }, stderr: string, timeoutMs: number): string {
  if (error.code === 'ENOENT') return 'no such program';
  if (error.code === 'EACCES') return 'not executable';
  if (error.code === 'ABORT_ERR') return 'ended by us';
  if (error.killed) return `no end within ${timeoutMs / 1000} s`;
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? `exit code ${String(error.code)}`;
}
