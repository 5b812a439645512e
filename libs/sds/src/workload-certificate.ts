import { type KeyObject, X509Certificate } from 'node:crypto';
import {
  formatWorkloadId,
  makeCertificateRequest,
  renewalTime,
  type TrustBundles,
  verifyPeer,
  type WorkloadIdentity,
} from '@seine/ca';
import { retryDelay } from './backoff.js';

/** By what an agent proves an identity to the authority. Texts are PEM. */
export type Proof = { readonly by: 'token'; readonly token: string } | CertificateProof;
export interface CertificateProof {
  readonly by: 'certificate';
  readonly chain: string;
  readonly key: string;
}

/** Asks the authority. @returns the chain in PEM, the leaf first @throws AuthorityError, or anything else for no answer */
export type AskAuthority = (request: string, proof: Proof) => Promise<readonly string[]>;

/** The authority has answered, and said no. */
export class AuthorityError extends Error {
  override readonly name = 'AuthorityError';

  constructor(
    message: string,
    /** The proof was not believed. */
    readonly isUnauthenticated: boolean,
  ) {
    super(message);
  }
}

/** A certificate with its key. Times in milliseconds since 1970. */
export interface HeldCertificate {
  readonly key: KeyObject;
  /** PEM, the leaf first, without a root: who does not have it would not believe it. */
  readonly chain: readonly string[];
  /** Hex. */
  readonly serial: string;
  readonly issuedAt: number;
  readonly notAfter: number;
}

export interface WorkloadCertificateOptions {
  readonly identity: WorkloadIdentity;
  readonly makeKey: () => Promise<KeyObject>;
  readonly ask: AskAuthority;
  /** What the token file holds now; undefined where there is none. */
  readonly token: () => string | undefined;
  /** The roots that are trusted now. */
  readonly bundles: () => TrustBundles;
  readonly onIssued: (held: HeldCertificate) => void;
  /** @param waitMs until the next try */
  readonly onFailed: (reason: string, waitMs: number) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Runs a function after so many milliseconds; the returned one calls it off. */
  readonly later: (run: () => void, ms: number) => () => void;
}

interface Answer {
  readonly key: KeyObject;
  readonly chain: readonly string[];
}

/** A certificate that an agent has kept for its next start. */
export type KeptCertificate = Pick<HeldCertificate, 'key' | 'chain' | 'issuedAt'>;

/** Timers stand still while a machine sleeps and clocks are set: the time is looked at this often. */
const longestSleepMs = 30_000;

/**
 * The certificate of one identity: asked for by a token, renewed at half of its life by itself (or by the token, where
 * that is believed and the certificate is not), kept while the authority is away, and asked for by the token again when
 * it has expired.
 */
export class WorkloadCertificate {
  readonly #spiffeId: string;
  #held: HeldCertificate | undefined;
  /** What came from the authority, but is signed by a root that is not trusted (yet). */
  #untrusted: Answer | undefined;
  #failures = 0;
  #preferToken = false;
  #isBusy = false;
  #isRunning = false;
  #callOff: (() => void) | undefined;

  constructor(private readonly options: WorkloadCertificateOptions) {
    this.#spiffeId = formatWorkloadId(options.identity);
  }

  get held(): HeldCertificate | undefined {
    return this.#held;
  }

  get isInForce(): boolean {
    return this.#remaining() > 0;
  }

  /** The certificate in force, shown as a proof of who asks. */
  proof(): CertificateProof | undefined {
    return this.#held && this.isInForce
      ? { by: 'certificate', chain: this.#held.chain.join(''), key: exportKey(this.#held.key) }
      : undefined;
  }

  /** Asks at once, and from then on when it is due. */
  start(): void {
    this.#isRunning = true;
    this.#attemptNow();
  }

  /**
   * Goes on with a certificate of before, so that no token is needed; else as `start`.
   * @returns why it cannot be used; undefined when it is in use
   */
  resume(kept: KeptCertificate): string | undefined {
    this.#isRunning = true;
    const judged = this.#judge(kept, kept.issuedAt);
    if ('error' in judged) {
      this.#attemptNow();
      return judged.error;
    }
    this.#hold(judged);
    return undefined;
  }

  stop(): void {
    this.#isRunning = false;
    this.#callOff?.();
  }

  /** The token file has changed: a workload that is cut off need not wait for its next try. */
  tokenChanged(): void {
    if (!this.isInForce) this.#attemptNow();
  }

  /** The roots have changed: uses a certificate that waited for its root, and asks anew where there is none that counts. */
  rootsChanged(): void {
    const waiting = this.#untrusted;
    if (!this.#isRunning) return;
    if (waiting && !('error' in this.#judge(waiting))) this.#settle(waiting);
    else if (!this.#held || 'error' in this.#judge(this.#held)) this.#attemptNow();
  }

  #remaining(): number {
    return this.#held ? this.#held.notAfter - this.options.now() : 0;
  }

  #attemptNow(): void {
    if (this.#isBusy || !this.#isRunning) return;
    this.#callOff?.();
    void this.#attempt();
  }

  /** Whatever comes of it, a timer is set for what is next. */
  async #attempt(): Promise<void> {
    this.#isBusy = true;
    const proof = this.#bestProof();
    try {
      if (!proof) throw new Error('there is no token to ask with');
      const key = await this.options.makeKey();
      const chain = await this.options.ask(makeCertificateRequest(key, { uris: [this.#spiffeId] }), proof);
      if (this.#isRunning) this.#settle({ key, chain });
    } catch (error) {
      // The one proof was not believed: the next try is by the other, where there is one.
      if (error instanceof AuthorityError && error.isUnauthenticated) this.#preferToken = proof?.by === 'certificate';
      if (this.#isRunning) this.#fail(error instanceof Error ? error.message : String(error));
    } finally {
      this.#isBusy = false;
    }
  }

  #bestProof(): Proof | undefined {
    const token = this.options.token();
    const own = this.proof();
    if (own && !(this.#preferToken && token !== undefined)) return own;
    return token === undefined ? undefined : { by: 'token', token };
  }

  #settle(answer: Answer): void {
    const judged = this.#judge(answer);
    if ('error' in judged) {
      this.#untrusted = judged.mayBeTrustedLater ? answer : undefined;
      this.#fail(judged.error);
      return;
    }
    this.#untrusted = undefined;
    this.#hold(judged);
  }

  #hold(held: HeldCertificate): void {
    const { random, onIssued } = this.options;
    this.#held = held;
    this.#failures = 0;
    this.#preferToken = false;
    this.#arm(renewalTime(held.issuedAt, held.notAfter, random()));
    onIssued(held);
  }

  /** The authority too is checked: a wrong identity is worse than none. */
  #judge(
    { key, chain }: Answer,
    issuedAt = this.options.now(),
  ): HeldCertificate | { readonly error: string; readonly mayBeTrustedLater: boolean } {
    const { bundles, now } = this.options;
    const path = chain.filter((pem, index) => index === 0 || !isSelfSigned(pem));
    const verdict = verifyPeer(path, bundles(), now());
    const leaf = readLeaf(path[0]);
    if (!leaf?.checkPrivateKey(key))
      return { error: 'the certificate is not for the key that was asked for', mayBeTrustedLater: false };
    if ('error' in verdict) return { error: clockError(leaf, now()) ?? verdict.error, mayBeTrustedLater: true };
    if (verdict.spiffeId !== this.#spiffeId) {
      const error = `the authority gave a certificate of ${verdict.spiffeId} where ${this.#spiffeId} was expected`;
      return { error, mayBeTrustedLater: false };
    }
    const serial = leaf.serialNumber.toLowerCase();
    return { key, chain: path, serial, issuedAt, notAfter: Date.parse(leaf.validTo) };
  }

  #fail(reason: string): void {
    const { now, random, onFailed } = this.options;
    const wait = retryDelay(++this.#failures, this.#remaining(), random());
    this.#arm(now() + wait);
    onFailed(reason, wait);
  }

  #arm(due: number): void {
    const { now, later } = this.options;
    this.#callOff?.();
    if (!this.#isRunning) return;
    const wait = Math.max(0, Math.min(due - now(), longestSleepMs));
    this.#callOff = later(() => {
      if (now() >= due) this.#attemptNow();
      else this.#arm(due);
    }, wait);
  }
}

function readLeaf(pem: string | undefined): X509Certificate | undefined {
  try {
    return pem === undefined ? undefined : new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** What comes fresh from the authority and is not in force tells of clocks that differ. */
function clockError(leaf: X509Certificate, now: number): string | undefined {
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  if (from <= now && now < to) return undefined;
  const term = `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
  const where = now < from ? 'not in force yet' : 'over';
  return `the certificate is ${where} (${term}) by this machine’s clock, which says ${new Date(now).toISOString()}: is it right?`;
}

function isSelfSigned(pem: string): boolean {
  const certificate = readLeaf(pem);
  return certificate !== undefined && certificate.subject === certificate.issuer;
}

/** For Envoy, and for the TLS handshake by which a certificate is renewed; nobody else sees it. */
export function exportKey(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}
