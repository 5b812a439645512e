import { type JoinTokens, parseWorkloadId, type TrustBundles, verifyPeer } from '@seine/ca';
import { type Authenticator, joinTokenPrefix } from '@seine/identity';

export {
  authenticate,
  type Authenticator,
  byOidcToken,
  type Credentials,
  type OidcOptions,
  type Proof,
} from '@seine/identity';

/** The form in which join tokens are handed out, so that they are told from a platform's tokens. */
export function formatJoinToken(token: string): string {
  return joinTokenPrefix + token;
}

export function byJoinToken(tokens: JoinTokens, now: () => number): Authenticator {
  return ({ bearer }) => {
    if (!bearer?.startsWith(joinTokenPrefix)) return Promise.resolve(undefined);
    const redeemed = tokens.redeem(bearer.slice(joinTokenPrefix.length), now());
    return Promise.resolve('error' in redeemed ? redeemed : { identity: redeemed, by: 'join-token' });
  };
}

/**
 * By a certificate that citadel has signed and that is in force (C-12): how everybody renews.
 * @param bundles the roots that are trusted now
 * @param between what citadel's own chain has below the root, as a client need not send it
 */
export function byOwnCertificate(
  bundles: () => TrustBundles,
  between: () => readonly string[],
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
