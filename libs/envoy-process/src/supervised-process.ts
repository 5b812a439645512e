import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { RotatingLog } from './rotating-log.js';
import type { Watchdog } from './watchdog.js';

/** A program that is to run until it is stopped. */
export interface ProcessSpec {
  /** As people are told of it: `Envoy of reviews-v1`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Takes what it writes to its output and error output. */
  readonly logFile: string;
  /** Resolves when it does its work; polls, as the signal ends it. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
}

export interface Supervision {
  readonly watchdog: Watchdog;
  /** Told of what somebody should know: it ended, it is up again. */
  readonly notice: (message: string) => void;
  /** Pause before a restart, ms: doubles from `firstMs` to `maxMs`, and starts anew when the program ran for `maxMs`. */
  readonly backOff?: { readonly firstMs: number; readonly maxMs: number };
  /** Between SIGTERM and SIGKILL, ms. */
  readonly graceMs?: number;
}

/** The program did not come up; the message has the last lines of its log. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

const defaultBackOff = { firstMs: 250, maxMs: 10_000 };
const defaultGraceMs = 3000;
const logLinesShown = 5;

/** Runs a program, starts it again whenever it ends, and ends it for good by `stop`. */
export class SupervisedProcess {
  readonly #log: RotatingLog;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #ended: Promise<string> = Promise.resolve('');
  #loop: Promise<void> = Promise.resolve();

  constructor(
    readonly spec: ProcessSpec,
    private readonly supervision: Supervision,
  ) {
    this.#log = new RotatingLog({ file: spec.logFile });
  }

  /** Of the running program; undefined between its end and the next start. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Resolves when the program does its work; from then on it is kept running.
   * @throws StartError when it ends before, or is not ready in time
   */
  async start(timeoutMs: number): Promise<void> {
    this.#spawn();
    const waiting = new AbortController();
    const timer = setTimeout(() => waiting.abort(), timeoutMs);
    const signal = AbortSignal.any([waiting.signal, this.#stopping.signal]);
    const problem = await Promise.race([
      this.spec.ready(signal).then(
        () => '',
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      ),
      this.#ended,
      new Promise<string>((resolve) =>
        signal.addEventListener('abort', () => resolve(`is not ready after ${timeoutMs / 1000} s`)),
      ),
    ]);
    clearTimeout(timer);
    waiting.abort();
    if (problem !== '') {
      await this.stop();
      throw new StartError([`${this.spec.name} ${problem}`, ...this.#log.tail(logLinesShown)].join('\n  '));
    }
    this.#loop = this.#keepRunning();
  }

  /** SIGTERM, then SIGKILL; resolves when the program has ended. It is not started again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (child) {
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), this.supervision.graceMs ?? defaultGraceMs);
      await this.#ended;
      clearTimeout(kill);
    }
    await this.#loop;
    await new Promise<void>((resolve) => this.#log.end(resolve));
  }

  #spawn(): void {
    const { command, args, env, uid, gid } = this.spec;
    const child = spawn(command, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(env && { env }),
      ...(uid !== undefined && { uid }),
      ...(gid !== undefined && { gid }),
    });
    this.#child = child;
    if (child.pid !== undefined) this.supervision.watchdog.add(child.pid);
    child.stdout.pipe(this.#log, { end: false });
    child.stderr.pipe(this.#log, { end: false });
    this.#ended = new Promise((resolve) => {
      const end = (reason: string): void => {
        if (child.pid !== undefined) this.supervision.watchdog.remove(child.pid);
        this.#child = undefined;
        resolve(reason);
      };
      child.once('error', (error) => end(`cannot be started: ${error.message}`));
      // Not `exit`: what it wrote last is wanted in the log first.
      child.once('close', (code, signal) =>
        end(signal ? `was ended by ${signal}` : `ended with exit code ${code ?? 0}`),
      );
    });
  }

  async #keepRunning(): Promise<void> {
    const { firstMs, maxMs } = this.supervision.backOff ?? defaultBackOff;
    const { notice } = this.supervision;
    let pause = firstMs;
    let since = performance.now();
    for (;;) {
      const reason = await this.#ended;
      if (this.#stopping.signal.aborted) return;
      if (performance.now() - since > maxMs) pause = firstMs;
      notice(`${this.spec.name} ${reason}: starting it again in ${pause / 1000} s (${this.spec.logFile})`);
      if (!(await this.#pause(pause))) return;
      pause = Math.min(maxMs, pause * 2);
      since = performance.now();
      this.#spawn();
      void this.#tellWhenReady();
    }
  }

  /** @returns false when we are stopping */
  async #pause(ms: number): Promise<boolean> {
    return await delay(ms, true, { signal: this.#stopping.signal }).catch(() => false);
  }

  async #tellWhenReady(): Promise<void> {
    const gone = new AbortController();
    void this.#ended.then(() => gone.abort());
    const ready = this.spec.ready(AbortSignal.any([gone.signal, this.#stopping.signal])).then(
      () => true,
      // It ended first, which its own notice says.
      () => false,
    );
    if (await ready) this.supervision.notice(`${this.spec.name} is up again`);
  }
}
