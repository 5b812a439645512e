import { ServerCredentials } from '@grpc/grpc-js';
import type { ServiceIdentity, TlsMaterial } from './service-identity.js';
import { contextFor, serverContext } from './tls-server.js';

/**
 * TLS of a grpc-js server whose certificate is replaced while it serves. Clients may show a certificate, and need not;
 * one that does not chain to the roots is not handed on. What it is worth is judged where identities are: TLS knows no
 * SPIFFE IDs.
 */
export class RotatingServerCredentials extends ServerCredentials {
  /** @param material undefined = none yet: handshakes fail until there is one */
  constructor(material?: TlsMaterial) {
    super(
      { requestCert: true, rejectUnauthorized: false, ALPNProtocols: ['h2'], ...serverContext },
      material && contextFor(material),
    );
  }

  /** Follows the certificate of a service. */
  static of(identity: Pick<ServiceIdentity, 'material' | 'onChange'>): RotatingServerCredentials {
    const credentials = new RotatingServerCredentials(identity.material);
    identity.onChange(() => {
      const { material } = identity;
      if (material) credentials.replace(material);
    });
    return credentials;
  }

  /** From the next handshake on; connections that are open stay. */
  replace(material: TlsMaterial): void {
    this.updateSecureContextOptions(contextFor(material));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
