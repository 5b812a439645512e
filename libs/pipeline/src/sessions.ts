import { type ChainPolicies, keepsSessions } from '@seine/compile';
import { memo } from '@seine/memo';
import type { Services } from './visibility.js';

const anySessions = memo('anySessions', (services: Services): boolean => keepsSessions(services.values()));

const withFilter = memo('policiesWithSessions', (policies: ChainPolicies): ChainPolicies =>
  Object.freeze({ ...policies, sessions: true }),
);

/** What a client's chains are made with where some service that it sees keeps sessions; else the policies as they are. */
export function withSessions(policies: ChainPolicies, services: Services): ChainPolicies {
  return anySessions(services) ? withFilter(policies) : policies;
}
