import { formatWorkloadId, makeWorkloadKey, type TrustBundles, type WorkloadIdentity } from '@seine/ca';
import { type AskAuthority, exportKey, type HeldCertificate, readTrustedRoots, WorkloadCertificate } from '@seine/sds';

/** Follows a text that may change. It is told at once, and after each change; undefined = not there. @returns ends it */
export type FollowText = (onText: (text: string | undefined) => void) => () => void;

export interface ServiceIdentityOptions {
  readonly identity: WorkloadIdentity;
  /** Who signs. @param bundles the roots that are trusted now */
  readonly authority: (bundles: () => TrustBundles) => AskAuthority;
  /** What proves the identity to the authority: a platform's token or a join token. */
  readonly token: FollowText;
  /** The roots that citadel and all peers are known by, PEM: given to the service, never by trust on first use. */
  readonly roots: FollowText;
  /** Somebody should know: no certificate yet, a broken file of roots. */
  readonly onWarning: (message: string) => void;
  readonly onIssued?: (held: HeldCertificate) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Runs a function after so many milliseconds; the returned one calls it off. */
  readonly later: (run: () => void, ms: number) => () => void;
}

/** What a TLS endpoint needs, PEM. */
export interface TlsMaterial {
  /** The leaf first. */
  readonly chain: string;
  readonly key: string;
  readonly roots: string;
}

/**
 * A service of the control plane as a workload of the mesh: its X.509-SVID, kept as the agent keeps those of workloads
 * (renewed at half of its life, tried for again with growing pauses), and the roots by which it knows its peers.
 */
export class ServiceIdentity {
  readonly spiffeId: string;
  readonly #certificate: WorkloadCertificate;
  readonly #listeners = new Set<() => void>();
  readonly #ends: (() => void)[] = [];
  #token: string | undefined;
  #bundles: TrustBundles = new Map();

  constructor(private readonly options: ServiceIdentityOptions) {
    const { identity, authority, onWarning, now, random, later } = options;
    this.spiffeId = formatWorkloadId(identity);
    this.#certificate = new WorkloadCertificate({
      identity,
      makeKey: () => makeWorkloadKey('ecdsa-p256'),
      ask: authority(() => this.#bundles),
      token: () => this.#token,
      bundles: () => this.#bundles,
      onIssued: (held) => {
        options.onIssued?.(held);
        this.#changed();
      },
      onFailed: (reason, waitMs) =>
        onWarning(`no certificate for ${this.spiffeId}: ${reason}; next try in ${Math.round(waitMs)} ms`),
      now,
      random,
      later,
    });
  }

  get trustDomain(): string {
    return this.options.identity.trustDomain;
  }

  /** The roots that are trusted now. */
  get bundles(): TrustBundles {
    return this.#bundles;
  }

  /** The certificate in force and the roots; undefined before the first, and when it has expired. */
  get material(): TlsMaterial | undefined {
    const { held, isInForce } = this.#certificate;
    if (!held || !isInForce) return undefined;
    return { chain: held.chain.join(''), key: exportKey(held.key), roots: this.rootsPem };
  }

  get rootsPem(): string {
    return [...this.#bundles.values()].flat().join('');
  }

  /** Asks for a certificate, and keeps it from then on. */
  start(): void {
    this.#ends.push(this.options.roots((text) => this.#readRoots(text)));
    this.#ends.push(
      this.options.token((text) => {
        this.#token = text?.trim() || undefined;
        this.#certificate.tokenChanged();
      }),
    );
    this.#certificate.start();
  }

  /** Resolves when there is a certificate in force, the first or a later one. */
  async whenReady(): Promise<void> {
    if (this.material) return;
    await new Promise<void>((resolve) => {
      const end = this.onChange(() => {
        if (!this.material) return;
        end();
        resolve();
      });
    });
  }

  stop(): void {
    this.#certificate.stop();
    for (const end of this.#ends.splice(0)) end();
  }

  /** @param listener is called after each change of the certificate or the roots @returns ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #readRoots(text: string | undefined): void {
    const read = text === undefined ? { error: 'is not there' } : readTrustedRoots(text);
    if ('error' in read) {
      const kept = this.#bundles.size > 0 ? '; the roots that were there are kept' : '';
      this.options.onWarning(`the file of roots ${read.error}${kept}`);
      return;
    }
    this.#bundles = new Map([[this.options.identity.trustDomain, read.roots]]);
    this.#changed();
    this.#certificate.rootsChanged();
  }
}
