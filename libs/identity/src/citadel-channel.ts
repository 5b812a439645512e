import net from 'node:net';
import tls, { type PeerCertificate } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { formatWorkloadId, type TrustBundles, verifyPeer } from '@seine/ca';
import type { CertificateProof } from '@seine/sds';
import { shownChain } from './peer.js';

export interface CitadelChannelOptions {
  /** `host:port` */
  readonly address: string;
  readonly trustDomain: string;
  /** The roots that are trusted now; citadel is known by those of its own trust domain only. */
  readonly bundles: () => TrustBundles;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The name that every citadel, and istiod, has in its certificate; for where it is known by an address only. */
const serverName = 'istiod.istio-system.svc';
const citadelAccount = { namespace: 'istio-system', serviceAccount: 'citadel' };

/**
 * How to connect to citadel: by the roots as they are now, and with a certificate where there is one to show.
 * @returns what a grpc-js client takes @throws Error when there are no roots
 */
export function citadelChannel({ address, trustDomain, bundles, now }: CitadelChannelOptions) {
  const citadelId = formatWorkloadId({ trustDomain, ...citadelAccount });
  const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  // By its identity, or by its name, as istiod has no identity in its certificate. TLS has verified the chain before.
  const checkServerIdentity = (name: string, certificate: PeerCertificate): Error | undefined => {
    const verdict = verifyPeer(shownChain(certificate), bundles(), now());
    if (!('error' in verdict) && verdict.spiffeId === citadelId) return undefined;
    return tls.checkServerIdentity(name, certificate);
  };
  return (
    shown: CertificateProof | undefined,
  ): { readonly credentials: ChannelCredentials; readonly options: ChannelOptions } => {
    const roots = (bundles().get(trustDomain) ?? []).join('');
    // With no roots of ours, TLS would fall back to the system's.
    if (roots === '') throw new Error('there are no roots to know citadel by');
    const [key, chain] = shown ? [Buffer.from(shown.key), Buffer.from(shown.chain)] : [null, null];
    return {
      credentials: credentials.createSsl(Buffer.from(roots), key, chain, { checkServerIdentity }),
      // A server name may not be an address (RFC 6066, 3).
      options: net.isIP(host) ? { 'grpc.ssl_target_name_override': serverName } : {},
    };
  };
}
