import path from 'node:path';
import type { DenyList } from '@seine/identity';
import { Listeners } from './authority-keeper.js';
import { type Version, VersionedFile } from './versioned-file.js';

/** An identity that gets no certificates any more, and that proxies are to refuse. */
export interface Denial {
  readonly spiffeId: string;
  readonly reason: string;
  /** RFC 3339. */
  readonly since: string;
}

export interface Denials {
  /** Rises with each change. */
  readonly revision: number;
  readonly denied: readonly Denial[];
}

/** Identities that are denied: kept in the state directory, one list for all citadels on it. */
export class DenialFile implements DenyList {
  readonly #listeners = new Listeners();
  readonly #file: VersionedFile<readonly Denial[]>;
  #version: Version<readonly Denial[]>;
  #ids: ReadonlySet<string>;
  #problem = '';

  /** @throws Error when the list is there and cannot be read: to start without it would let the denied in */
  constructor(
    stateDir: string,
    private readonly onProblem: (message: string) => void,
  ) {
    this.#file = new VersionedFile(path.join(stateDir, 'denied'), 'denied');
    this.#version = this.#file.read() ?? { revision: 0, value: [] };
    this.#ids = idsOf(this.#version.value);
  }

  isDenied(spiffeId: string): boolean {
    return this.#ids.has(spiffeId);
  }

  list(): Denials {
    return { revision: this.#version.revision, denied: this.#version.value };
  }

  /** @throws Error when it cannot be kept; then nothing has changed */
  add(denial: Denial): void {
    this.#take(
      this.#file.update((list = []) =>
        list.some(({ spiffeId }) => spiffeId === denial.spiffeId) ? undefined : [...list, denial],
      ),
    );
  }

  /** @returns whether it was there */
  remove(spiffeId: string): boolean {
    const wasThere = this.isDenied(spiffeId);
    this.#take(
      this.#file.update((list = []) =>
        list.some((denial) => denial.spiffeId === spiffeId)
          ? list.filter((denial) => denial.spiffeId !== spiffeId)
          : undefined,
      ),
    );
    return wasThere;
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Looks whether another citadel has changed it. */
  refresh(): void {
    try {
      if (this.#file.revision() !== this.#version.revision) this.#take(this.#file.read());
      this.#problem = '';
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== this.#problem) this.onProblem(`${message}; what is known stays in force`);
      this.#problem = message;
    }
  }

  #take(version: Version<readonly Denial[]> | undefined): void {
    // A list that was lost under us frees nobody.
    if (!version || version.revision <= this.#version.revision) return;
    this.#version = version;
    this.#ids = idsOf(version.value);
    this.#listeners.tell();
  }
}

function idsOf(denials: readonly Denial[]): ReadonlySet<string> {
  return new Set(denials.map(({ spiffeId }) => spiffeId));
}
