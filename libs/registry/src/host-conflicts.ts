import { type Diagnostic, formatObjectRef } from '@seine/diagnostics';
import type { ServiceSource } from './service-source.js';

/** What to say of several objects that define one host; `candidates` in their order, the winner first. */
export function hostConflicts(host: string, candidates: readonly ServiceSource[]): readonly Diagnostic[] {
  const [winner, ...losers] = candidates;
  if (!winner) return [];
  return losers.map(({ service }) => ({
    severity: 'warning',
    code: 'SEINE-DUPLICATE-HOST',
    message: `Host ${host} is already defined by ${formatObjectRef(winner.service.origin)}, which stays in force; use another host or delete one of the two.`,
    object: service.origin,
    path: service.registry === 'external' ? 'spec.hosts' : 'metadata.name',
  }));
}
