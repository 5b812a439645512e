import type { CertificateRequest } from '../certificate-request.js';
import { issueCertificate, type IssuedCertificate, type Signer } from '../signer.js';
import type { WorkloadIdentity } from '../spiffe-id.js';

/** What was decided to sign. */
export interface SigningOrder {
  readonly identity: WorkloadIdentity;
  /** PEM, PKCS #10, as the caller has sent it. */
  readonly csr: string;
  readonly request: CertificateRequest;
  readonly lifetimeMs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** For the control plane's own servers only. */
  readonly dnsNames?: readonly string[];
}

/** Who signs: citadel's own key, or an authority elsewhere. It is given an identity that was proved, and decides nothing. */
export interface CertificateSigner {
  /**
   * @throws SignerUnavailableError when another try may succeed
   * @throws CertificateRequestError when the request is what keeps it from signing
   */
  sign(order: SigningOrder): IssuedCertificate | Promise<IssuedCertificate>;
}

/** Nobody signs at present; the caller is told to come back, the reason is for the log. */
export class SignerUnavailableError extends Error {
  override readonly name = 'SignerUnavailableError';
}

/** Signs with a key that is at hand. @param signer undefined while there is none */
export function localSigner(signer: () => Signer | undefined): CertificateSigner {
  return {
    sign: (order) => {
      const now = signer();
      if (!now) throw new SignerUnavailableError('there is nothing to sign with yet');
      return issueCertificate(now, order);
    },
  };
}
