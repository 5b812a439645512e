import fs from 'node:fs';
import path from 'node:path';
import {
  type AuthorityState,
  fingerprintOf,
  firstState,
  prepareRoot,
  readSigner,
  type RootGeneration,
  type SigningFiles,
  splitCertificates,
  type StepOutcome,
  trustedRoots,
} from '@seine/ca';
import { type AuthorityKeeper, Listeners } from './authority-keeper.js';

/** Istio's names for what a CA signs with (secret `cacerts`). */
const names = {
  certificate: 'ca-cert.pem',
  key: 'ca-key.pem',
  chain: 'cert-chain.pem',
  roots: 'root-cert.pem',
} as const satisfies Readonly<Record<keyof SigningFiles, string>>;

/** @throws Error when a file other than cert-chain.pem is not there */
export function readPluggedIn(folder: string): SigningFiles {
  const read = (name: string, fallback?: string): string => {
    try {
      return fs.readFileSync(path.join(folder, name), 'utf8');
    } catch (error) {
      if (fallback !== undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return fallback;
      throw error;
    }
  };
  return {
    certificate: read(names.certificate),
    key: read(names.key),
    chain: read(names.chain, ''),
    roots: read(names.roots),
  };
}

export interface PluggedInOptions {
  readonly folder: string;
  /** The longest life of a leaf. */
  readonly longestLeafMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onProblem: (message: string) => void;
  readonly onChange: (message: string) => void;
}

/**
 * A CA that a user plugs in: Istio's files in a folder, read again when they change. Files that do not go together
 * change nothing. Where what signs leads to a root that was not trusted so far, it is a rotation: it signs when the
 * root has spread, and the old root stays trusted until the last certificate below it has ended.
 */
export class PluggedInAuthority implements AuthorityKeeper {
  readonly fixed = 'the CA is plugged in: replace its files';
  readonly #listeners = new Listeners();
  #state: AuthorityState;
  #seen: string;
  #problem = '';

  /** @throws SigningFilesError when the files cannot be used */
  constructor(private readonly options: PluggedInOptions) {
    const files = readPluggedIn(options.folder);
    readSigner(files, options.now());
    this.#seen = JSON.stringify(files);
    this.#state = firstState(files);
  }

  state(): AuthorityState {
    return this.#state;
  }

  step(change: (state: AuthorityState) => StepOutcome): StepOutcome {
    const outcome = change(this.#state);
    if ('state' in outcome) this.#take(outcome.state);
    return outcome;
  }

  watch(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  refresh(): void {
    try {
      const files = readPluggedIn(this.options.folder);
      const seen = JSON.stringify(files);
      if (seen === this.#seen) return;
      readSigner(files, this.options.now());
      this.#seen = seen;
      this.#problem = '';
      this.#replace(files);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== this.#problem) this.options.onProblem(`${message}; what is known stays in force`);
      this.#problem = message;
    }
  }

  #replace({ roots, ...files }: SigningFiles): void {
    const { now, longestLeafMs, onChange } = this.options;
    const generation: RootGeneration = { ...files, root: roots };
    const { active, retiring: before, sequence } = this.#state;
    // What was prepared, and was replaced before it signed anything, is forgotten.
    const state: AuthorityState = { active, retiring: before, sequence };
    const path = readSigner({ ...files, roots }, now()).path;
    const trusted = new Set(trustedRoots(state).map(fingerprintOf));
    if (!path.some((pem) => trusted.has(fingerprintOf(pem)))) {
      const outcome = prepareRoot(state, generation, { now: now(), auto: true });
      onChange('the files of the CA have a new root: it signs when it has spread');
      this.#take('state' in outcome ? outcome.state : state);
      return;
    }
    // What signs is trusted everywhere already; roots that the files have no more go when their leaves have.
    const kept = new Set(splitCertificates(roots).map(fingerprintOf));
    const gone = splitCertificates(state.active.root).filter((pem) => !kept.has(fingerprintOf(pem)));
    const retiring = [...state.retiring, ...gone.map((root) => ({ root, until: now() + longestLeafMs }))];
    onChange('the files of the CA have changed, and are in force');
    this.#take({ ...state, sequence: state.sequence + 1, active: generation, retiring });
  }

  #take(state: AuthorityState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#listeners.tell();
  }
}
