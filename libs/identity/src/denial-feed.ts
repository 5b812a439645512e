import type { DenyList } from './deny-list.js';

export interface DenialFeedOptions {
  /** Base URL of citadel's admin port. */
  readonly citadelAdmin: URL;
  /** Gets a document. @throws Error when it cannot be had, or the signal ends it */
  readonly read: (url: URL, signal: AbortSignal) => Promise<string>;
  readonly onWarning: (message: string) => void;
  /** Runs a function after so many milliseconds; the returned one calls it off. */
  readonly later: (run: () => void, ms: number) => () => void;
}

/** Citadel answers at once when the list changes, else after so long. */
const waitSeconds = 25;
const answerMs = (waitSeconds + 10) * 1000;
const againMs = 2_000;

/** Who is denied, as a citadel elsewhere says (`GET /denied`). While it is away, those of before are. */
export class DenialFeed implements DenyList {
  #revision: number | undefined;
  #denied: ReadonlySet<string> = new Set();
  #isTroubled = false;
  #end: (() => void) | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(private readonly options: DenialFeedOptions) {}

  isDenied(spiffeId: string): boolean {
    return this.#denied.has(spiffeId);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  start(): void {
    const over = new AbortController();
    let callOff: (() => void) | undefined;
    const next = async (): Promise<void> => {
      const goesWell = await this.#ask(over.signal);
      if (over.signal.aborted) return;
      callOff = this.options.later(() => void next(), goesWell ? 0 : againMs);
    };
    this.#end = () => {
      over.abort();
      callOff?.();
    };
    void next();
  }

  stop(): void {
    this.#end?.();
  }

  /** @returns whether there was an answer */
  async #ask(over: AbortSignal): Promise<boolean> {
    const url = new URL('/denied', this.options.citadelAdmin);
    if (this.#revision !== undefined) url.search = `?since=${this.#revision}&wait=${waitSeconds}`;
    try {
      const signal = AbortSignal.any([over, AbortSignal.timeout(answerMs)]);
      const report = readReport(await this.options.read(url, signal));
      if (over.aborted) return false;
      this.#isTroubled = false;
      this.#take(report);
      return true;
    } catch (error) {
      if (!over.aborted && !this.#isTroubled)
        this.options.onWarning(`who is revoked cannot be had from ${url.href}: ${String(error)}; asking again`);
      this.#isTroubled = true;
      return false;
    }
  }

  #take({ revision, denied }: Report): void {
    if (revision === this.#revision) return;
    this.#revision = revision;
    this.#denied = new Set(denied);
    for (const listener of [...this.#listeners]) listener();
  }
}

interface Report {
  readonly revision: number;
  readonly denied: readonly string[];
}

/** @throws Error when it is none: nobody is let in again by a broken answer */
function readReport(text: string): Report {
  const { revision, denied } = JSON.parse(text) as { readonly revision?: unknown; readonly denied?: unknown };
  if (typeof revision !== 'number' || !Array.isArray(denied) || !denied.every((id) => typeof id === 'string'))
    throw new Error('the answer is no list of identities');
  return { revision, denied };
}

/** @throws Error when the server cannot be reached, or does not answer 200 */
export async function readOverHttp(url: URL, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return await response.text();
}
