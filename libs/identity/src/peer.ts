import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';
import { parseWorkloadId, type TrustBundles, verifyPeer, type WorkloadIdentity } from '@seine/ca';

/** The certificates that the other end of TLS has shown, DER, the leaf first; none where it has shown none. */
export function shownChain(certificate: Partial<PeerCertificate>): readonly Buffer[] {
  const chain: Buffer[] = [];
  // A root names itself as its issuer.
  for (let next: Partial<DetailedPeerCertificate> | undefined = certificate; next?.raw; next = next.issuerCertificate) {
    const { raw } = next;
    if (chain.some((seen) => seen.equals(raw))) break;
    chain.push(raw);
  }
  return chain;
}

/** A workload, or why a peer is none; the reason is for the log. */
export type PeerJudgement = { readonly identity: WorkloadIdentity } | { readonly error: string };

/**
 * Whom a chain of certificates proves a peer to be. Whether its trust domain is one that is meant is for the caller to
 * say: a bundle may hold more.
 * @param now milliseconds since 1970
 */
export function judgePeer(chain: readonly Buffer[], bundles: TrustBundles, now: number): PeerJudgement {
  const verdict = verifyPeer(chain, bundles, now);
  if ('error' in verdict) return verdict;
  const identity = parseWorkloadId(verdict.spiffeId);
  return identity ? { identity } : { error: `${verdict.spiffeId} names no service account` };
}
