import { CertificateRequestError, readCertificateRequest } from './certificate-request.js';
import { grantLifetime, type LifetimeLimits } from './lifetime.js';
import type { IssuedCertificate } from './signer.js';
import { type CertificateSigner, SignerUnavailableError } from './signers/certificate-signer.js';
import { formatWorkloadId, type WorkloadIdentity } from './spiffe-id.js';
import { type RateLimit, TokenBuckets } from './token-bucket.js';

/** Who has asked: the identity that was proved, how, and from where. */
export interface Caller {
  readonly identity: WorkloadIdentity;
  /** How the identity was proved: `join-token`, `certificate`, `oidc`, … */
  readonly by: string;
  readonly address: string;
  /** SPIFFE ID of who asks in this one's place, where it is somebody else. */
  readonly onBehalfBy?: string;
}

export interface SigningRequest {
  /** PEM, PKCS #10. */
  readonly csr: string;
  /** Seconds; 0 = the default. */
  readonly lifetime: number;
}

export type RefusalCode = 'INVALID_ARGUMENT' | 'PERMISSION_DENIED' | 'RESOURCE_EXHAUSTED' | 'UNAVAILABLE';

export interface Refusal {
  readonly code: RefusalCode;
  /** For the caller. */
  readonly message: string;
  /** Milliseconds after which another try may succeed. */
  readonly retryAfter?: number;
}

export type SigningDecision = IssuedCertificate | { readonly refusal: Refusal };

/** One line of the audit log (C-23): no key and no token in it. */
export interface AuditRecord {
  /** RFC 3339. */
  readonly time: string;
  readonly event: 'issued' | 'refused' | 'administered';
  /** Whom it is about; empty where nobody was proved, or it is about nobody. */
  readonly spiffeId: string;
  readonly by: string;
  readonly address: string;
  /** Who asked for somebody else's certificate, where that is so. */
  readonly onBehalfBy?: string;
  readonly serial?: string;
  /** RFC 3339. */
  readonly notAfter?: string;
  /** The life that was granted, seconds. */
  readonly ttl?: number;
  readonly reason?: string;
  /** What an operator did. */
  readonly action?: AdminAction;
}

export type AdminAction =
  `root ${'start' | 'prepare' | 'activate' | 'retire' | 'cancel'}` | 'deny' | 'allow' | 'join token';

export interface AuthorityOptions {
  readonly lifetimes: LifetimeLimits;
  readonly perIdentity: RateLimit;
  readonly perAddress: RateLimit;
  readonly signer: CertificateSigner;
  /** Told why nobody signs at present. */
  readonly onUnavailable?: (reason: string) => void;
  /** Identities that get no certificates any more, as SPIFFE IDs. */
  readonly isDenied: (spiffeId: string) => boolean;
  readonly audit: (record: AuditRecord) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export const defaultLimits: Pick<AuthorityOptions, 'perIdentity' | 'perAddress'> = Object.freeze({
  perIdentity: Object.freeze({ burst: 20, perSecond: 5 }),
  perAddress: Object.freeze({ burst: 1000, perSecond: 500 }),
});

/** Decides on requests for certificates, signs, and has each decision written down. */
export class CertificateAuthority {
  readonly #identities: TokenBuckets;
  readonly #addresses: TokenBuckets;

  constructor(private readonly options: AuthorityOptions) {
    this.#identities = new TokenBuckets(options.perIdentity);
    this.#addresses = new TokenBuckets(options.perAddress);
  }

  /** Counts a request before anything is done for it. @returns why there is nothing done for it */
  admit(address: string): Refusal | undefined {
    const wait = this.#addresses.take(address, this.options.now());
    return wait > 0 ? tooMany(wait) : undefined;
  }

  /** Writes down that somebody was not believed. */
  writeUnproved(address: string, reason: string): void {
    const time = new Date(this.options.now()).toISOString();
    this.options.audit({ time, event: 'refused', spiffeId: '', by: '', address, reason });
  }

  /** @returns a certificate for the caller's proven identity, whatever the request asks to be called */
  async sign(caller: Caller, request: SigningRequest): Promise<SigningDecision> {
    const now = this.options.now();
    const outcome = await this.#decide(caller, request, now);
    const { identity, by, address, onBehalfBy } = caller;
    const who = { spiffeId: formatWorkloadId(identity), by, address, ...(onBehalfBy !== undefined && { onBehalfBy }) };
    const about = { time: new Date(now).toISOString(), ...who };
    if ('refusal' in outcome) this.options.audit({ ...about, event: 'refused', reason: outcome.refusal.message });
    else {
      const notAfter = new Date(outcome.notAfter).toISOString();
      const ttl = Math.round((outcome.notAfter - now) / 1000);
      this.options.audit({ ...about, event: 'issued', serial: outcome.serial, notAfter, ttl });
    }
    return outcome;
  }

  async #decide(caller: Caller, { csr, lifetime }: SigningRequest, now: number): Promise<SigningDecision> {
    const { identity } = caller;
    const spiffeId = formatWorkloadId(identity);
    if (this.options.isDenied(spiffeId)) return refuse('PERMISSION_DENIED', `${spiffeId} is revoked`);
    const wait = this.#identities.take(spiffeId, now);
    if (wait > 0) return { refusal: tooMany(wait) };
    const granted = grantLifetime(lifetime, this.options.lifetimes);
    if ('error' in granted) return refuse('INVALID_ARGUMENT', granted.error);
    try {
      const request = readCertificateRequest(csr);
      return await this.options.signer.sign({ identity, csr, request, lifetimeMs: granted.seconds * 1000, now });
    } catch (error) {
      if (error instanceof CertificateRequestError) return refuse('INVALID_ARGUMENT', error.message);
      if (!(error instanceof SignerUnavailableError)) throw error;
      this.options.onUnavailable?.(error.message);
      return refuse('UNAVAILABLE', 'nobody signs at present; try again', retryUnavailableMs);
    }
  }
}

const retryUnavailableMs = 1000;

function tooMany(wait: number): Refusal {
  return { code: 'RESOURCE_EXHAUSTED', message: `too many requests; try again in ${wait} ms`, retryAfter: wait };
}

function refuse(code: RefusalCode, message: string, retryAfter?: number): { readonly refusal: Refusal } {
  return { refusal: { code, message, ...(retryAfter !== undefined && { retryAfter }) } };
}
