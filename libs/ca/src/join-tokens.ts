import { createHash, randomBytes } from 'node:crypto';
import type { WorkloadIdentity } from './spiffe-id.js';

/** What a join token stands for. Times in milliseconds since 1970. */
export interface JoinGrant {
  readonly identity: WorkloadIdentity;
  readonly expiresAt: number;
}

/** Keeps grants by the hash of their token, so that what is kept cannot be used to join. */
export interface JoinGrants {
  put(hash: string, grant: JoinGrant): void;
  /** Gives a grant out once: whoever takes it, it is gone. */
  take(hash: string): JoinGrant | undefined;
}

/** 256 random bits need no slow hash: nobody guesses them. */
export function hashJoinToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Grants that end with the program. */
export class JoinGrantsInMemory implements JoinGrants {
  readonly #grants = new Map<string, JoinGrant>();

  put(hash: string, grant: JoinGrant): void {
    this.#grants.set(hash, grant);
  }

  take(hash: string): JoinGrant | undefined {
    const grant = this.#grants.get(hash);
    this.#grants.delete(hash);
    return grant;
  }
}

/**
 * One-time tokens by which a machine without a platform's identity (a VM, a laptop's workload) proves who it is, once;
 * from then on it renews by its own certificate.
 */
export class JoinTokens {
  constructor(private readonly grants: JoinGrants) {}

  /** @returns the token, which is nowhere kept */
  create(identity: WorkloadIdentity, expiresAt: number): string {
    const token = randomBytes(32).toString('base64url');
    this.grants.put(hashJoinToken(token), { identity, expiresAt });
    return token;
  }

  /** Uses a token up. @returns whose it is, or why it is none */
  redeem(token: string, now: number): WorkloadIdentity | { readonly error: string } {
    const grant = this.grants.take(hashJoinToken(token));
    if (!grant) return { error: 'the join token is not known, or used up' };
    return grant.expiresAt > now ? grant.identity : { error: 'the join token has expired' };
  }
}
