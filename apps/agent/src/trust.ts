import type { TrustBundles } from '@seine/ca';
import { bundlesSecret, rootSecretName, SecretBoard } from '@seine/sds';

export interface TrustOptions {
  readonly trustDomain: string;
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
  readonly #federated = new Map<string, readonly string[]>();
  #callOff: (() => void) | undefined;

  constructor(private readonly options: TrustOptions) {}

  /** The roots of the own trust domain: what citadel and the own certificates are judged by. */
  own(): TrustBundles {
    return this.#own.length === 0 ? new Map() : new Map([[this.options.trustDomain, this.#own]]);
  }

  /** @param roots of the own trust domain @returns whether they are others than before */
  replaceOwn(roots: readonly string[]): boolean {
    if (sameTexts(roots, this.#told)) return false;
    this.#told = roots;
    this.#tell();
    // Where nobody waits for roots, as at the start, there is nothing to wait for.
    this.#use(mostLooks);
    return true;
  }

  /** @param roots undefined = the domain is believed no longer */
  replaceFederated(domain: string, roots: readonly string[] | undefined): boolean {
    if (sameTexts(roots ?? [], this.#federated.get(domain) ?? [])) return false;
    if (roots) this.#federated.set(domain, roots);
    else this.#federated.delete(domain);
    this.#tell();
    return true;
  }

  /** Replaces all domains but the own one. @returns whether anything changed */
  replaceAllFederated(bundles: TrustBundles): boolean {
    const gone = [...this.#federated.keys()].filter((domain) => !bundles.has(domain));
    const changes = [
      ...gone.map((domain) => this.replaceFederated(domain, undefined)),
      ...[...bundles].map(([domain, roots]) => this.replaceFederated(domain, roots)),
    ];
    return changes.some(Boolean);
  }

  stop(): void {
    this.#callOff?.();
  }

  #tell(): void {
    // The own one first: that is what Envoy's statistics of the first root are of.
    if (this.#told.length === 0) return;
    const bundles = new Map([[this.options.trustDomain, this.#told], ...this.#federated]);
    this.board.put(bundlesSecret(rootSecretName, bundles));
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
  }
}

function sameTexts(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}
