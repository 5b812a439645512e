import fs from 'node:fs';
import path from 'node:path';
import { type AuthorityState, firstState, makeRoot, type StepOutcome, trustedRoots } from '@seine/ca';
import { type AuthorityKeeper, Listeners } from './authority-keeper.js';
import { replaceFile, type Version, VersionedFile } from './versioned-file.js';

export interface SigningDirectoryOptions {
  readonly stateDir: string;
  readonly trustDomain: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly rootLifetimeMs: number;
  /** Says what is wrong with the directory; what is known stays in force. */
  readonly onProblem: (message: string) => void;
}

/**
 * What a CA that was given nothing signs with: a root of its own, made at the first start and kept with mode 0600 in
 * the folder `ca` of the state directory, beside `root-cert.pem` with all roots that are trusted now. Several citadels
 * on one directory have one state; of those that start together the first to finish makes the root.
 */
export class SigningDirectory implements AuthorityKeeper {
  readonly #listeners = new Listeners();
  readonly #file: VersionedFile<AuthorityState>;
  #problem = '';

  private constructor(
    private readonly options: SigningDirectoryOptions,
    private version: Version<AuthorityState>,
  ) {
    this.#file = fileIn(options.stateDir);
    this.#publish();
  }

  /** @throws Error when the directory cannot be read or written */
  static async open(options: SigningDirectoryOptions): Promise<SigningDirectory> {
    const { stateDir, trustDomain, now, rootLifetimeMs } = options;
    const file = fileIn(stateDir);
    const known = file.read();
    if (known) return new SigningDirectory(options, known);
    const first = firstState(await makeRoot({ trustDomain, now: now(), lifetimeMs: rootLifetimeMs }));
    // Another citadel may have been first: then its root is ours.
    const version = file.update((present) => (present ? undefined : first));
    if (!version) throw new Error(`nothing could be kept in ${stateDir}`);
    return new SigningDirectory(options, version);
  }

  state(): AuthorityState {
    return this.version.value;
  }

  step(change: (state: AuthorityState) => StepOutcome): StepOutcome {
    let outcome: StepOutcome = { refusal: 'nothing was kept yet' };
    const version = this.#file.update((state) => {
      if (!state) return undefined;
      outcome = change(state);
      return 'state' in outcome ? outcome.state : undefined;
    });
    this.#take(version);
    return outcome;
  }

  watch(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  refresh(): void {
    try {
      if (this.#file.revision() !== this.version.revision) this.#take(this.#file.read());
      this.#problem = '';
    } catch (error) {
      this.#complain(error);
    }
  }

  #take(version: Version<AuthorityState> | undefined): void {
    // A directory that was emptied under us takes nothing away: what is known stays in force.
    if (!version || version.revision <= this.version.revision) return;
    this.version = version;
    this.#publish();
    this.#listeners.tell();
  }

  #publish(): void {
    try {
      const file = path.join(this.options.stateDir, folderName, 'root-cert.pem');
      const text = trustedRoots(this.state()).join('');
      if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) replaceFile(file, text, 0o644);
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (message !== this.#problem) this.options.onProblem(`${message}; what is known stays in force`);
    this.#problem = message;
  }
}

const folderName = 'ca';

function fileIn(stateDir: string): VersionedFile<AuthorityState> {
  return new VersionedFile(path.join(stateDir, folderName), 'authority');
}
