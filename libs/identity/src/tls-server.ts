import { constants } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import tls, { type SecureContextOptions, type TLSSocket } from 'node:tls';
import { shownChain } from './peer.js';
import type { ServiceIdentity, TlsMaterial } from './service-identity.js';

export interface TlsServerOptions {
  readonly identity: Pick<ServiceIdentity, 'material' | 'onChange'>;
  /** @param certificates what the client has shown, DER, the leaf first: not verified, and maybe none */
  readonly onConnection: (socket: TLSSocket, certificates: readonly Buffer[]) => void;
  /** A handshake failed. @param peer the client's address */
  readonly onHandshakeError?: (peer: string, error: Error) => void;
}

const handshakeMs = 10_000;

/** How all TLS servers of the control plane speak. */
export const serverContext = {
  minVersion: 'TLSv1.2',
  // A session that is resumed does not show the whole chain again, and might outlive the certificate it began with.
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const satisfies SecureContextOptions;

/** The options of a TLS context for a server that has this certificate. */
export function contextFor({ chain, key, roots }: TlsMaterial): SecureContextOptions {
  return { ...serverContext, cert: chain, key, ca: roots };
}

/**
 * TLS for servers that speak on bare sockets. It follows the certificate of its service: a new one counts from the next
 * handshake on, and connections that are open stay. Who a client is, is not decided here: clients without a certificate
 * come in, too, so that they can be told why they get nothing.
 */
export class TlsServer {
  readonly #server: tls.Server;
  readonly #follow: () => void;

  constructor({ identity, onConnection, onHandshakeError }: TlsServerOptions) {
    const { material } = identity;
    this.#server = tls.createServer({
      ...(material ? contextFor(material) : serverContext),
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
      handshakeTimeout: handshakeMs,
      noDelay: true,
    });
    this.#server.on('secureConnection', (socket) => onConnection(socket, shownChain(socket.getPeerCertificate(true))));
    this.#server.on('tlsClientError', (error, socket) => {
      socket.destroy();
      onHandshakeError?.(`${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`, error);
    });
    this.#follow = identity.onChange(() => {
      const next = identity.material;
      if (next) this.#server.setSecureContext(contextFor(next));
    });
  }

  /** Listens even while there is no certificate: handshakes fail until it is there. @returns the port in use */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 4096 }, () => {
        this.#server.off('error', reject);
        // For want of file descriptors, for instance: clients try again.
        this.#server.on('error', () => undefined);
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no more connections; those that are open belong to whoever was given them. */
  close(): void {
    this.#follow();
    this.#server.close();
  }
}
