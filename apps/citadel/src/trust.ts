import {
  type AuthorityState,
  fingerprintOf,
  formatBundle,
  type SpiffeBundle,
  type TrustBundles,
  trustedRoots,
} from '@seine/ca';
import { bundlesSecret, rootSecretName, SecretBoard } from '@seine/sds';

/** Seconds after which those who poll the bundle are to look again. */
export const refreshHintSeconds = 300;

export interface TrustOptions {
  readonly trustDomain: string;
  /** Other names of the same trust domain: what it was called before. */
  readonly aliases: readonly string[];
  /** Bundles of other meshes. */
  readonly federated: () => TrustBundles;
}

/** Whom the mesh trusts: its own roots, under all names of its trust domain, and those of other meshes. */
export class Trust {
  /** What is served over SDS. */
  readonly secrets = new SecretBoard();
  #own: TrustBundles = new Map();
  #all: TrustBundles = new Map();
  #roots: readonly string[] = [];
  #sequence = 0;

  constructor(private readonly options: TrustOptions) {}

  /** By these, callers of citadel are judged. */
  get own(): TrustBundles {
    return this.#own;
  }

  /** By these, workloads judge each other. */
  get all(): TrustBundles {
    return this.#all;
  }

  /** Own roots, PEM. */
  get roots(): readonly string[] {
    return this.#roots;
  }

  /** Version of what is served over SDS: equal for equal roots, at each citadel. */
  get version(): string {
    return this.secrets.get(rootSecretName)?.version ?? '';
  }

  update(state: AuthorityState): void {
    const roots = trustedRoots(state);
    // The parsed roots are known by the identity of their list.
    if (roots.map(fingerprintOf).join() !== this.#roots.map(fingerprintOf).join()) this.#roots = roots;
    this.#sequence = state.sequence;
    this.federationChanged();
  }

  federationChanged(): void {
    const { trustDomain, aliases, federated } = this.options;
    this.#own = new Map([trustDomain, ...aliases].map((domain) => [domain, this.#roots]));
    // A mesh never speaks for another's trust domain.
    const others = [...federated()].filter(([domain]) => !this.#own.has(domain)).sort();
    this.#all = new Map([...this.#own, ...others]);
    this.secrets.put(bundlesSecret(rootSecretName, this.#all));
  }

  /** As its endpoint serves it, to other meshes and to whoever verifies certificates. */
  bundle(): SpiffeBundle {
    return formatBundle(this.#roots, this.#sequence, refreshHintSeconds);
  }
}
