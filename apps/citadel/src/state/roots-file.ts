import fs from 'node:fs';
import { type AuthorityState, fingerprintOf, splitCertificates, type StepOutcome } from '@seine/ca';
import { type AuthorityKeeper, Listeners } from './authority-keeper.js';

export interface RootsFileOptions {
  readonly file: string;
  readonly onProblem: (message: string) => void;
}

/** The roots of an authority elsewhere, in a file that is read again when it changes. There is no key to keep. */
export class RootsFile implements AuthorityKeeper {
  readonly fixed = 'an external authority signs: have its new root put into the file of roots before it signs with it';
  readonly #listeners = new Listeners();
  #state: AuthorityState;
  #problem = '';

  /** @throws Error when it cannot be read, or holds no roots */
  constructor(private readonly options: RootsFileOptions) {
    this.#state = stateOf(this.#read(), 1);
  }

  state(): AuthorityState {
    return this.#state;
  }

  step(): StepOutcome {
    return { refusal: this.fixed };
  }

  watch(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  refresh(): void {
    try {
      const roots = this.#read();
      this.#problem = '';
      if (roots === this.#state.active.root) return;
      this.#state = stateOf(roots, this.#state.sequence + 1);
      this.#listeners.tell();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== this.#problem) this.options.onProblem(`${message}; what is known stays in force`);
      this.#problem = message;
    }
  }

  /** @throws Error */
  #read(): string {
    const { file } = this.options;
    const roots = splitCertificates(fs.readFileSync(file, 'utf8'));
    if (roots.length === 0) throw new Error(`${file} holds no certificate in PEM`);
    // Broken ones would be found only when somebody is judged by them.
    roots.forEach(fingerprintOf);
    return roots.join('');
  }
}

function stateOf(root: string, sequence: number): AuthorityState {
  return { sequence, active: { certificate: '', key: '', chain: '', root }, retiring: [] };
}
