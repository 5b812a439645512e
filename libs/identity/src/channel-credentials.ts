import net from 'node:net';
import type { PeerCertificate } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, experimental } from '@grpc/grpc-js';
import { formatWorkloadId, verifyPeer, type WorkloadIdentity } from '@seine/ca';
import { shownChain } from './peer.js';
import type { ServiceIdentity } from './service-identity.js';

type Follower = Pick<ServiceIdentity, 'material' | 'bundles' | 'onChange'>;

/** Hands the certificate of a service to grpc-js, as it is now and after each change. */
class IdentityProvider implements experimental.CertificateProvider {
  readonly #ends = new Map<unknown, () => void>();

  constructor(private readonly identity: Follower) {}

  addCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.#follow(listener, ({ roots }) => listener({ caCertificate: Buffer.from(roots) }));
  }

  removeCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.#end(listener);
  }

  addIdentityCertificateListener(listener: experimental.IdentityCertificateUpdateListener): void {
    this.#follow(listener, ({ chain, key }) =>
      listener({ certificate: Buffer.from(chain), privateKey: Buffer.from(key) }),
    );
  }

  removeIdentityCertificateListener(listener: experimental.IdentityCertificateUpdateListener): void {
    this.#end(listener);
  }

  #follow(listener: unknown, tell: (material: NonNullable<Follower['material']>) => void): void {
    const look = (): void => {
      const { material } = this.identity;
      if (material) tell(material);
    };
    this.#ends.set(listener, this.identity.onChange(look));
    look();
  }

  #end(listener: unknown): void {
    this.#ends.get(listener)?.();
    this.#ends.delete(listener);
  }
}

/**
 * Mutual TLS of a grpc-js client: shows the service's certificate as it is at each connection, and speaks with a server
 * of one identity only, whatever it is called in DNS. Connections that are open stay when the certificate changes;
 * before there is one, calls wait.
 * @param now milliseconds since 1970
 */
export function channelCredentials(
  identity: Follower,
  server: WorkloadIdentity,
  now: () => number,
): ChannelCredentials {
  const expected = formatWorkloadId(server);
  const provider = new IdentityProvider(identity);
  // TLS has verified the chain before.
  const checkServerIdentity = (_name: string, certificate: PeerCertificate): Error | undefined => {
    const verdict = verifyPeer(shownChain(certificate), identity.bundles, now());
    if ('error' in verdict) return new Error(verdict.error);
    return verdict.spiffeId === expected
      ? undefined
      : new Error(`the server is ${verdict.spiffeId} where ${expected} was expected`);
  };
  return experimental.createCertificateProviderChannelCredentials(provider, provider, { checkServerIdentity });
}

/**
 * What a channel is opened with beside its credentials: where a server is known by an address only, a name for TLS, as
 * a server name may not be an address (RFC 6066, 3).
 */
export function channelOptions(host: string, { namespace, serviceAccount }: WorkloadIdentity): ChannelOptions {
  return net.isIP(host) ? { 'grpc.ssl_target_name_override': `${serviceAccount}.${namespace}.svc` } : {};
}
