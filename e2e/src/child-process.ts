import { type ChildProcess, spawn } from 'node:child_process';

const keptOutput = 200_000;
const killAfterMs = 20_000;

/** A program that a test starts and is sure to end. */
export class TestProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number>;
  #output = '';
  #code: number | undefined;

  constructor(
    readonly name: string,
    command: string,
    args: readonly string[],
    options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly detached?: boolean } = {},
  ) {
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (data: Buffer) => {
        this.#output = (this.#output + data.toString()).slice(-keptOutput);
      });
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#output += error.message;
        this.#code = -1;
        resolve(-1);
      });
      this.#child.once('exit', (code, signal) => {
        this.#code = code ?? (signal ? 128 : -1);
        resolve(this.#code);
      });
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} did not start: ${this.#output}`);
    return this.#child.pid;
  }

  /** Standard output and error, the last of it. */
  get output(): string {
    return this.#output;
  }

  get isRunning(): boolean {
    return this.#code === undefined;
  }

  /** Resolves with the exit code. */
  get ended(): Promise<number> {
    return this.#ended;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end, and ends it when it does not. @returns the exit code */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    if (this.isRunning) this.signal(signal);
    const force = setTimeout(() => this.signal('SIGKILL'), killAfterMs);
    try {
      return await this.#ended;
    } finally {
      clearTimeout(force);
    }
  }

  /** Looks until the condition holds. @throws Error with what the program printed when it ends first, or takes too long */
  async until(condition: () => boolean | Promise<boolean>, what: string, patienceMs = 60_000): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!(await condition())) {
      if (!this.isRunning)
        throw new Error(`${this.name} ended with ${this.#code ?? ''} before ${what}:\n${this.#tail()}`);
      if (Date.now() > deadline) throw new Error(`${this.name}: not ${what} in ${patienceMs} ms:\n${this.#tail()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #tail(): string {
    return this.#output.slice(-4000);
  }
}
