import type { ChainPolicies } from '@seine/compile';
import { memo } from '@seine/memo';
import type { Scope } from './scope.js';
import { withSessions } from './sessions.js';

const withMutualTls = memo('policiesWithMutualTls', (policies: ChainPolicies): ChainPolicies =>
  Object.freeze({ ...policies, mutualTls: true }),
);

/** What a client's chains are made with: its policies, and what the services that it calls want of it. */
export function withClientFilters(policies: ChainPolicies, { services, kind }: Scope): ChainPolicies {
  const ours = withSessions(policies, services);
  return kind.workloadCertificates ? withMutualTls(ours) : ours;
}
