/**
 * One of a kind for each key, for as long as somebody uses it: a new handler begins before the one that it replaces ends,
 * and two writers would spoil a file.
 */
export class Shared<T> {
  readonly #entries = new Map<string, { readonly value: T; users: number }>();

  constructor(private readonly close: (value: T) => void | Promise<void>) {}

  /** @returns the value, and how to let go of it */
  use(key: string, make: () => T): { readonly value: T; readonly release: () => Promise<void> } {
    let entry = this.#entries.get(key);
    if (!entry) this.#entries.set(key, (entry = { value: make(), users: 0 }));
    const held = entry;
    held.users++;
    let released = false;
    return {
      value: held.value,
      release: async () => {
        if (released) return;
        released = true;
        if (--held.users > 0) return;
        this.#entries.delete(key);
        await this.close(held.value);
      },
    };
  }
}
