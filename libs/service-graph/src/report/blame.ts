import type { EdgeTotals } from '../edges/edge-totals.js';
import type { EdgeEnd } from '../edges/observation.js';
import { callerLatency, countedReports, failures, latencySum, requestsOf } from './choose-report.js';

/** What happened inside an edge and not further down. */
export interface Own {
  /** Milliseconds of the mean request. */
  readonly latency: number;
  readonly errors: number;
}

/** What a workload has been asked, and what it asked others in turn. */
interface Through {
  requests: number;
  calledMs: number;
  calledFailures: number;
}

const nameOf = ({ namespace, workload }: EdgeEnd): string => `${namespace}/${workload}`;
/** Many are called so: what one of them is asked has nothing to do with what another one asks. */
const isOne = ({ workload }: EdgeEnd): boolean => workload !== 'unknown' && workload !== '';

/**
 * Tells time and failures of an edge's own from those of calls further down: from the mean of an edge goes what its
 * destination has spent in calls of its own for each request, from its failures those of these calls. A destination that
 * calls several at once is thus given less than it took, never more.
 */
export function ownOf(edges: readonly EdgeTotals[]): (edge: EdgeTotals) => Own {
  const workloads = new Map<string, Through>();
  const throughOf = (end: EdgeEnd): Through => {
    const name = nameOf(end);
    let through = workloads.get(name);
    if (!through) workloads.set(name, (through = { requests: 0, calledMs: 0, calledFailures: 0 }));
    return through;
  };
  for (const edge of edges) {
    const { source, destination, protocol } = edge.identity;
    if (protocol === 'tcp') continue;
    const requests = requestsOf(edge);
    if (isOne(destination)) throughOf(destination).requests += requests;
    if (!isOne(source)) continue;
    const through = throughOf(source);
    through.calledMs += latencySum(edge);
    through.calledFailures += failures(countedReports(edge));
  }
  return (edge) => {
    const reports = countedReports(edge);
    const through = isOne(edge.identity.destination) ? workloads.get(nameOf(edge.identity.destination)) : undefined;
    const each = through && through.requests > 0 ? 1 / through.requests : 0;
    const called = { ms: (through?.calledMs ?? 0) * each, failures: (through?.calledFailures ?? 0) * each };
    return {
      latency: Math.max(0, callerLatency(edge).mean - called.ms),
      errors: Math.max(0, failures(reports) - called.failures * requestsOf(edge)),
    };
  };
}
