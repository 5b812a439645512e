import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Outlives us by a moment, to end our children when we end without doing so ourselves (SIGKILL, a crash). It reads
 * `+pid` and `-pid` from a pipe that only we hold; the pipe's end is our end. A shell, as it needs no memory to speak of.
 */
export const watchdogScript = `
trap '' INT TERM HUP
pids=' '
while read -r line; do
  pid=\${line#?}
  case $line in
    +*) pids="$pids$pid " ;;
    -*) case $pids in *" $pid "*) pids="\${pids%% $pid *} \${pids#* $pid }" ;; esac ;;
  esac
done
[ -z "\${pids## }" ] && exit 0
kill -TERM $pids 2>/dev/null
tries=0
while [ $tries -lt 20 ] && kill -0 $pids 2>/dev/null; do sleep 0.1; tries=$((tries + 1)); done
kill -KILL $pids 2>/dev/null
exit 0
`;

export class Watchdog {
  readonly #process: ChildProcess;

  constructor() {
    this.#process = spawn('/bin/sh', ['-c', watchdogScript], { stdio: ['pipe', 'ignore', 'ignore'] });
    // Without it children may outlive a crash of ours; nothing else is lost, so its end is no reason to end.
    this.#process.on('error', () => undefined);
    this.#process.stdin?.on('error', () => undefined);
    this.#process.unref();
  }

  /** From now on the process ends with us. */
  add(pid: number): void {
    this.#process.stdin?.write(`+${pid}\n`);
  }

  /** The process has ended: its number may become another's. */
  remove(pid: number): void {
    this.#process.stdin?.write(`-${pid}\n`);
  }

  /** Ends the watch, and with it what is still watched. Resolves when that is done. */
  async close(): Promise<void> {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.ref();
      child.stdin?.end();
    });
  }
}
