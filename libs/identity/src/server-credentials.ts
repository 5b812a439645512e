import {
  Metadata,
  ResponderBuilder,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  type status,
} from '@grpc/grpc-js';
import type { ServiceIdentity, TlsMaterial } from './service-identity.js';
import { contextFor, serverContext } from './tls-server.js';

/** Why a call is not let through: a status, and a sentence for the caller. */
export interface CallRefusal {
  readonly code: status;
  readonly details: string;
}

/**
 * Decides on each call of a server, before it is read.
 * @param path `/package.Service/Method`
 * @param leaf DER: what the client has shown, its chain verified by TLS; undefined where it showed nothing that counts
 * @param peer the client's address
 * @returns undefined when it is let through
 */
export type AuthorizeCall = (path: string, leaf: Buffer | undefined, peer: string) => CallRefusal | undefined;

/**
 * TLS of a grpc-js server whose certificate is replaced while it serves. Clients may show a certificate, and need not;
 * one that does not chain to the roots is not handed on. What it is worth is judged where identities are: TLS knows no
 * SPIFFE IDs.
 */
export class RotatingServerCredentials extends ServerCredentials {
  readonly #interceptors: ServerInterceptor[];

  /**
   * @param material undefined = none yet: handshakes fail until there is one
   * @param authorize default: whoever answers the calls decides
   */
  constructor(material?: TlsMaterial, authorize?: AuthorizeCall) {
    super(
      { requestCert: true, rejectUnauthorized: false, ALPNProtocols: ['h2'], ...serverContext },
      material && contextFor(material),
    );
    this.#interceptors = authorize ? [authorizing(authorize)] : [];
  }

  /** Follows the certificate of a service. */
  static of(
    identity: Pick<ServiceIdentity, 'material' | 'onChange'>,
    authorize?: AuthorizeCall,
  ): RotatingServerCredentials {
    const credentials = new RotatingServerCredentials(identity.material, authorize);
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

  override _getInterceptors(): ServerInterceptor[] {
    return this.#interceptors;
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function authorizing(authorize: AuthorizeCall): ServerInterceptor {
  return ({ path }, call) => {
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const refusal = authorize(path, call.getAuthContext().sslPeerCertificate?.raw, call.getPeer());
        if (refusal) call.sendStatus({ ...refusal, metadata: new Metadata() });
        else next(metadata);
      })
      .build();
    return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
  };
}
