import { ServerCredentials } from '@grpc/grpc-js';

export interface ServingCertificate {
  /** PEM, the leaf first. */
  readonly chain: string;
  /** PEM. */
  readonly key: string;
  /** PEM: by these a client's certificate is known; one of others counts as none. */
  readonly roots: string;
}

/**
 * TLS whose certificate is replaced while it serves. Clients may show a certificate, and need not; one that does
 * not chain to the roots is not handed on. What it is worth is judged where identities are: TLS knows no SPIFFE IDs.
 */
export class RotatingServerCredentials extends ServerCredentials {
  constructor({ chain, key, roots }: ServingCertificate) {
    super(
      { requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2', ALPNProtocols: ['h2'] },
      { cert: chain, key, ca: roots },
    );
  }

  /** From the next handshake on; connections that are open stay. */
  replace({ chain, key, roots }: ServingCertificate): void {
    this.updateSecureContextOptions({ cert: chain, key, ca: roots });
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
