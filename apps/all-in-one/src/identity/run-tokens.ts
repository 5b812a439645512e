import { createHash, randomBytes } from 'node:crypto';
import type { WorkloadIdentity } from '@seine/ca';
import type { Authenticator } from '@seine/identity';

const prefix = 'seine-run.';
const bytes = 32;

/**
 * Tokens by which the workloads of one run prove who they are to the citadel in the same process. Unlike join tokens
 * they last as long as the run: a machine that slept for longer than its certificates live has nothing else to show.
 */
export class RunTokens {
  readonly #identities = new Map<string, WorkloadIdentity>();

  /** @returns a token of this identity, kept as its hash only */
  create(identity: WorkloadIdentity): string {
    const token = prefix + randomBytes(bytes).toString('base64url');
    this.#identities.set(hashOf(token), identity);
    return token;
  }

  readonly authenticate: Authenticator = ({ bearer }) => {
    if (!bearer?.startsWith(prefix)) return Promise.resolve(undefined);
    const identity = this.#identities.get(hashOf(bearer));
    return Promise.resolve(identity ? { identity, by: 'run-token' } : { error: 'the token is of no workload here' });
  };
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
