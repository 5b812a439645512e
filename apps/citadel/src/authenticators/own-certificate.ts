import { parseWorkloadId, type ShownCertificate, type TrustBundles, verifyPeer } from '@seine/ca';
import type { Authenticator } from '@seine/identity';

/**
 * By a certificate that citadel has signed and that is in force (C-12): how everybody renews.
 * @param bundles the roots of citadel's own trust domain, those that are trusted now
 * @param between what citadel's own chain has below the root, as a client need not send it
 */
export function byOwnCertificate(
  bundles: () => TrustBundles,
  between: () => readonly ShownCertificate[],
  now: () => number,
): Authenticator {
  return ({ certificate }) => {
    if (!certificate) return Promise.resolve(undefined);
    const verdict = verifyPeer([certificate, ...between()], bundles(), now());
    if ('error' in verdict) return Promise.resolve(verdict);
    const identity = parseWorkloadId(verdict.spiffeId);
    return Promise.resolve(
      identity ? { identity, by: 'certificate' } : { error: `${verdict.spiffeId} names no service account` },
    );
  };
}
