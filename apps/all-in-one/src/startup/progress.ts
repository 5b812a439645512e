import { performance } from 'node:perf_hooks';

/** Tells the person at the terminal what is being done and how long it took. */
export class Progress {
  readonly #started = performance.now();

  constructor(private readonly write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`)) {}

  say(line: string): void {
    this.write(line);
  }

  /** Does something that takes a while; says so before and after. */
  async step<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.write(`• ${what}`);
    const started = performance.now();
    const result = await work();
    this.write(`  ${what}: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    return result;
  }

  /** Since the start. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }
}
