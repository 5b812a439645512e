import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Watchdog } from '@seine/envoy-process';

/** A command of the set-up failed. */
export class NamespaceError extends Error {
  override readonly name = 'NamespaceError';
}

const pollMs = 5;
const scriptMs = 20_000;

/**
 * A network namespace (and mount namespace) that lasts as long as a process of ours that does nothing: when we end, in
 * whatever way, nothing of it is left.
 */
export class NetworkNamespace {
  private constructor(
    readonly pid: number,
    private readonly holder: ChildProcess,
  ) {}

  static async create(watchdog: Watchdog): Promise<NetworkNamespace> {
    const holder = spawn('unshare', ['--net', '--mount', '--', 'sleep', '2147483647'], { stdio: 'ignore' });
    const { pid } = holder;
    const ended = new Promise<string>((resolve) => {
      holder.once('error', (error) => resolve(error.message));
      holder.once('exit', (code) => resolve(`unshare ended with ${code ?? 'a signal'}`));
    });
    if (pid === undefined) throw new NamespaceError(`a network namespace cannot be made: ${await ended}`);
    watchdog.add(pid);
    void ended.then(() => watchdog.remove(pid));
    const gone = new AbortController();
    const problem = await Promise.race([ended, untilEntered(pid, gone.signal)]);
    gone.abort();
    if (problem !== '') throw new NamespaceError(`a network namespace cannot be made: ${problem}`);
    return new NetworkNamespace(pid, holder);
  }

  /** What stands before a command that is to run inside. */
  enter(user?: { readonly uid: number; readonly gid: number }): [string, ...string[]] {
    const as = user ? ['--setuid', String(user.uid), '--setgid', String(user.gid)] : [];
    return ['nsenter', '--target', String(this.pid), '--net', '--mount', ...as, '--'];
  }

  async run(script: string): Promise<void> {
    await runScript([...this.enter(), 'sh', '-e', '-c', script]);
  }

  async close(): Promise<void> {
    if (this.holder.exitCode !== null || this.holder.signalCode !== null) return;
    const ended = new Promise((resolve) => this.holder.once('exit', resolve));
    this.holder.kill('SIGKILL');
    await ended;
  }
}

/** Polls: the kernel tells nobody when a process has changed its namespaces. The mount namespace is the last. */
async function untilEntered(pid: number, signal: AbortSignal): Promise<string> {
  const own = await readlink('/proc/self/ns/mnt');
  // No such process, which its own end says.
  const there = (): Promise<string> => readlink(`/proc/${pid}/ns/mnt`).catch(() => own);
  while (!signal.aborted && (await there()) === own) await delay(pollMs);
  return '';
}

/** @throws NamespaceError with what the commands said */
export async function runOnThisMachine(script: string): Promise<void> {
  await runScript(['sh', '-e', '-c', script]);
}

function runScript([command, ...args]: readonly [string, ...string[]]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { timeout: scriptMs }, (error, _stdout, stderr) => {
      if (error)
        reject(new NamespaceError(`the network of the namespaces cannot be made: ${stderr.trim() || error.message}`));
      else resolve();
    });
  });
}
