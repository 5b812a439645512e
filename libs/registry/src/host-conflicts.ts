import { type Diagnostic, formatObjectRef } from '@seine/diagnostics';
import { serviceSeenFrom } from '@seine/model';
import type { ServiceSource } from './service-source.js';

/** Who speaks for a host. */
export interface RankedSources {
  /** For all namespaces that see no other; undefined: nobody defines the host. */
  readonly common: ServiceSource | undefined;
  /** For the namespaces that they are exported to; in their order. */
  readonly others: readonly ServiceSource[];
  /** What to say of those that are in force nowhere. */
  readonly conflicts: readonly Diagnostic[];
}

/**
 * Decides between objects that define one host. The first that is exported to all stands; beside it those stand that
 * are exported to some namespaces and come first in one of them.
 * @param candidates in their order
 */
export function rankSources(host: string, candidates: readonly ServiceSource[]): RankedSources {
  const common = candidates.find(({ service }) => service.exportTo === '*') ?? candidates[0];
  if (!common || candidates.length === 1) return { common, others: [], conflicts: [] };
  const services = candidates.map(({ service }) => service);
  const rest = candidates.filter((candidate) => candidate !== common);
  const isSeen = ({ service }: ServiceSource): boolean =>
    service.exportTo !== '*' && service.exportTo.some((namespace) => serviceSeenFrom(namespace, services) === service);
  const others = rest.filter(isSeen);
  const losers = rest.filter((candidate) => !isSeen(candidate) && candidate.service.exportTo.length > 0);
  return { common, others, conflicts: losers.map((loser) => conflict(host, common, loser)) };
}

function conflict(host: string, winner: ServiceSource, { service }: ServiceSource): Diagnostic {
  return {
    severity: 'warning',
    code: 'SEINE-DUPLICATE-HOST',
    message: `Host ${host} is already defined by ${formatObjectRef(winner.service.origin)}, which stays in force; use another host or delete one of the two.`,
    object: service.origin,
    path: service.registry === 'external' ? 'spec.hosts' : 'metadata.name',
  };
}
