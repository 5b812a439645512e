import { CertificateRequestError, readCertificateRequest } from './certificate-request.js';
import { grantLifetime, type LifetimeLimits } from './lifetime.js';
import { issueCertificate, type IssuedCertificate, type Signer } from './signer.js';
import { formatWorkloadId, type WorkloadIdentity } from './spiffe-id.js';
import { type RateLimit, TokenBuckets } from './token-bucket.js';

/** Who has asked: the identity that was proved, how, and from where. */
export interface Caller {
  readonly identity: WorkloadIdentity;
  /** How the identity was proved: `join-token`, `certificate`, `oidc`, … */
  readonly by: string;
  readonly address: string;
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

/** One line of the audit log (C-23): no key and no token in it. */
export interface AuditRecord {
  /** RFC 3339. */
  readonly time: string;
  readonly event: 'issued' | 'refused';
  readonly spiffeId: string;
  readonly by: string;
  readonly address: string;
  readonly serial?: string;
  /** RFC 3339. */
  readonly notAfter?: string;
  readonly reason?: string;
}

export interface AuthorityOptions {
  readonly lifetimes: LifetimeLimits;
  readonly perIdentity: RateLimit;
  readonly perAddress: RateLimit;
  /** What signs now; undefined while that is not known. */
  readonly signer: () => Signer | undefined;
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

  /** @returns a certificate for the caller's proven identity, whatever the request asks to be called */
  sign(caller: Caller, request: SigningRequest): IssuedCertificate | { readonly refusal: Refusal } {
    const now = this.options.now();
    const outcome = this.#decide(caller, request, now);
    const { identity, by, address } = caller;
    const about = { time: new Date(now).toISOString(), spiffeId: formatWorkloadId(identity), by, address };
    if ('refusal' in outcome) this.options.audit({ ...about, event: 'refused', reason: outcome.refusal.message });
    else {
      const notAfter = new Date(outcome.notAfter).toISOString();
      this.options.audit({ ...about, event: 'issued', serial: outcome.serial, notAfter });
    }
    return outcome;
  }

  #decide(
    caller: Caller,
    { csr, lifetime }: SigningRequest,
    now: number,
  ): IssuedCertificate | { readonly refusal: Refusal } {
    const spiffeId = formatWorkloadId(caller.identity);
    if (this.options.isDenied(spiffeId)) return refuse('PERMISSION_DENIED', `${spiffeId} is revoked`);
    const wait = Math.max(this.#addresses.take(caller.address, now), this.#identities.take(spiffeId, now));
    if (wait > 0) return refuse('RESOURCE_EXHAUSTED', `too many requests; try again in ${wait} ms`, wait);
    const granted = grantLifetime(lifetime, this.options.lifetimes);
    if ('error' in granted) return refuse('INVALID_ARGUMENT', granted.error);
    const signer = this.options.signer();
    if (!signer) return refuse('UNAVAILABLE', 'there is nothing to sign with yet');
    try {
      const read = readCertificateRequest(csr);
      return issueCertificate(signer, {
        identity: caller.identity,
        request: read,
        lifetimeMs: granted.seconds * 1000,
        now,
      });
    } catch (error) {
      if (error instanceof CertificateRequestError) return refuse('INVALID_ARGUMENT', error.message);
      throw error;
    }
  }
}

function refuse(code: RefusalCode, message: string, retryAfter?: number): { readonly refusal: Refusal } {
  return { refusal: { code, message, ...(retryAfter !== undefined && { retryAfter }) } };
}
