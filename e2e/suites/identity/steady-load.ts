import type { TestMesh } from '../../src/index.js';

const callers = 3;
const pauseMs = 5;

/** Calls one after the other by some callers, until it is ended; no answer at all counts as one that failed. */
export class SteadyLoad {
  readonly #outcomes = new Map<string, number>();
  readonly #callers: readonly Promise<void>[];
  #ended = false;

  constructor(mesh: TestMesh, url: string) {
    this.#callers = Array.from({ length: callers }, () => this.#run(mesh, url));
  }

  get count(): number {
    return [...this.#outcomes.values()].reduce((sum, count) => sum + count, 0);
  }

  /** @returns how often each outcome was there: a status, with its body where it is none of success, or an error */
  async end(): Promise<Readonly<Record<string, number>>> {
    this.#ended = true;
    await Promise.all(this.#callers);
    return Object.fromEntries(this.#outcomes);
  }

  async #run(mesh: TestMesh, url: string): Promise<void> {
    while (!this.#ended) {
      const outcome = await mesh.call(url).then(
        ({ status, body }) => (status === 200 ? '200' : `${status} ${body}`),
        (error: unknown) => String(error),
      );
      this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
