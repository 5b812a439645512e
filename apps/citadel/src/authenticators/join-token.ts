import type { JoinTokens } from '@seine/ca';
import { type Authenticator, joinTokenPrefix } from '@seine/identity';

/** The form in which join tokens are handed out, so that they are told from a platform's tokens. */
export function formatJoinToken(token: string): string {
  return joinTokenPrefix + token;
}

export function byJoinToken(tokens: JoinTokens, now: () => number): Authenticator {
  return ({ bearer }) => {
    if (!bearer?.startsWith(joinTokenPrefix)) return Promise.resolve(undefined);
    try {
      const redeemed = tokens.redeem(bearer.slice(joinTokenPrefix.length), now());
      return Promise.resolve('error' in redeemed ? redeemed : { identity: redeemed, by: 'join-token' });
    } catch (error) {
      // What keeps the tokens is away: whether it is one cannot be told.
      return Promise.resolve({ error: error instanceof Error ? error.message : String(error), unavailable: true });
    }
  };
}
