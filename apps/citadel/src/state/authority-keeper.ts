import type { AuthorityState, StepOutcome } from '@seine/ca';

/** Keeps what the authority signs with and trusts, and tells of changes, whoever made them. */
export interface AuthorityKeeper {
  /** The last good state. */
  state(): AuthorityState;
  /**
   * Takes a step from the newest state there is.
   * @throws Error when it cannot be kept; then nothing has changed
   */
  step(change: (state: AuthorityState) => StepOutcome): StepOutcome;
  /** @returns ends it */
  watch(listener: () => void): () => void;
  /** Looks whether somebody else has changed it. */
  refresh(): void;
  /** Why roots cannot be made here, where they cannot. */
  readonly fixed?: string;
}

/** Listeners of a keeper. */
export class Listeners {
  readonly #listeners = new Set<() => void>();

  add(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
