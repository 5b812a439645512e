import type { SecretResource } from './secret.js';

/** Secrets by name, as one caller may have them. */
export interface SecretSource {
  /** Why a name is never given; undefined where it is given, now or as soon as it is there. */
  refusal(name: string): string | undefined;
  /** What is there now. */
  get(name: string): SecretResource | undefined;
  /** @param listener is called after each change @returns ends it */
  watch(name: string, listener: () => void): () => void;
}

/** Keeps secrets and tells who waits for them. */
export class SecretBoard {
  readonly #secrets = new Map<string, SecretResource>();
  readonly #listeners = new Map<string, Set<() => void>>();

  get(name: string): SecretResource | undefined {
    return this.#secrets.get(name);
  }

  /** An equal secret is no change. */
  put(secret: SecretResource): void {
    if (this.#secrets.get(secret.name)?.version === secret.version) return;
    this.#secrets.set(secret.name, secret);
    for (const listener of [...(this.#listeners.get(secret.name) ?? [])]) listener();
  }

  delete(name: string): void {
    this.#secrets.delete(name);
  }

  watch(name: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(name) === listeners) this.#listeners.delete(name);
    };
  }
}
