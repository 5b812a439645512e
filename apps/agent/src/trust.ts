import type { TrustBundles } from '@seine/ca';
import { bundlesSecret, ownRootSecretName, rootSecret, rootSecretName, SecretBoard } from '@seine/sds';

export interface TrustOptions {
  readonly trustDomain: string;
  /** Other names of the own trust domain. */
  readonly aliases?: readonly string[] | undefined;
  /** Whether some Envoy was sent the roots and has not answered yet. */
  readonly isAwaited: () => boolean;
  /** Roots count from now on. */
  readonly onTrusted: () => void;
  /** Runs a function after so many milliseconds; the returned one calls it off. */
  readonly later: (run: () => void, ms: number) => () => void;
}

const lookEveryMs = 20;
/** An Envoy that does not answer must not keep a mesh on its old roots. */
const mostLooks = 250;

/** Whom the agent and its Envoys believe. New roots are with every Envoy before the agent uses what they sign (S-3). */
export class Trust {
  /** Has the secret that Envoys judge others by. */
  readonly board = new SecretBoard();
  #own: readonly string[] = [];
  /** What was told to Envoys last. */
  #told: readonly string[] = [];
  /** Other trust domains: by files, and as citadel says, whose word counts. */
  readonly #fromFiles = new Map<string, readonly string[]>();
  #fromCitadel: TrustBundles = new Map();
  #callOff: (() => void) | undefined;
  #delivered: (() => void)[] = [];

  constructor(private readonly options: TrustOptions) {}

  /** The roots of the own trust domain: what citadel and the own certificates are judged by. */
  own(): TrustBundles {
    return this.#own.length === 0 ? new Map() : new Map([[this.options.trustDomain, this.#own]]);
  }

  /**
   * @param roots of the own trust domain
   * @param others other trust domains, as citadel says; those of before where it says nothing
   * @returns whether anything is other than before
   */
  replace(roots: readonly string[], others: TrustBundles = this.#fromCitadel): boolean {
    if (sameTexts(roots, this.#told) && sameBundles(others, this.#fromCitadel)) return false;
    this.#told = roots;
    this.#fromCitadel = others;
    this.#tell();
    return true;
  }

  /** @returns whether the roots of the domain are others than before */
  replaceFromFile(domain: string, roots: readonly string[]): boolean {
    if (sameTexts(roots, this.#fromFiles.get(domain) ?? [])) return false;
    this.#fromFiles.set(domain, roots);
    this.#tell();
    return true;
  }

  /** Calls back as soon as what was told last is with all Envoys, or they have had their time. */
  whenDelivered(run: () => void): void {
    if (this.#callOff) this.#delivered.push(run);
    else run();
  }

  stop(): void {
    this.#callOff?.();
    this.#delivered = [];
  }

  #tell(): void {
    // The own one first: that is what Envoy's statistics of the first root are of.
    if (this.#told.length === 0) return;
    const { trustDomain, aliases = [] } = this.options;
    const own = [trustDomain, this.#told] as const;
    const alike = aliases.map((domain) => [domain, this.#told] as const);
    const bundles = new Map([own, ...this.#fromFiles, ...this.#fromCitadel, ...alike]);
    this.board.put(bundlesSecret(rootSecretName, bundles));
    this.board.put(rootSecret(ownRootSecretName, this.#told.join('')));
    // Where nobody waits for roots, as at the start, there is nothing to wait for.
    this.#use(mostLooks);
  }

  #use(looks: number): void {
    this.#callOff?.();
    this.#callOff = undefined;
    if (looks > 0 && this.options.isAwaited()) {
      this.#callOff = this.options.later(() => this.#use(looks - 1), lookEveryMs);
      return;
    }
    this.#own = this.#told;
    this.options.onTrusted();
    for (const run of this.#delivered.splice(0)) run();
  }
}

function sameTexts(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}

function sameBundles(one: TrustBundles, other: TrustBundles): boolean {
  return one.size === other.size && [...one].every(([domain, roots]) => sameTexts(roots, other.get(domain) ?? []));
}
