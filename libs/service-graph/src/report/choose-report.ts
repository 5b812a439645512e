import type { EdgeTotals } from '../edges/edge-totals.js';
import type { ReportTotals } from '../edges/report-totals.js';
import { LogSketch } from '../sketch/log-sketch.js';

/** Whose proxy counts an edge's requests: the callee's, unless the caller's has seen more (the callee has no proxy, or logs less). */
export function reporterOf(edge: EdgeTotals): 'source' | 'destination' {
  const there = edge.report('destination');
  const here = edge.report('source');
  return there && there.seen >= (here?.seen ?? 0) ? 'destination' : 'source';
}

/** Reports that together have each request once. */
export function countedReports(edge: EdgeTotals): readonly ReportTotals[] {
  return [edge.report(reporterOf(edge)), edge.report('unsent')].filter((report) => report !== undefined);
}

export function requestsOf(edge: EdgeTotals): number {
  return countedReports(edge).reduce((sum, { requests }) => sum + requests, 0);
}

/** Failures that are not the caller's fault. */
export function failures(reports: readonly ReportTotals[]): number {
  return reports.reduce((sum, { errors }) => sum + errors.server + errors.none, 0);
}

/** How long callers waited: only their own proxies know of the way there, and of what they do before. */
export function callerLatency(edge: EdgeTotals): LogSketch {
  const callers = [edge.report('source'), edge.report('unsent')].filter((report) => report !== undefined);
  const latency = new LogSketch();
  for (const report of callers) latency.merge(report.latency);
  return latency.count > 0 ? latency : (edge.report('destination')?.latency ?? latency);
}

/** Milliseconds that all requests of an edge took together. */
export function latencySum(edge: EdgeTotals): number {
  const callers = (edge.report('source')?.latency.sum ?? 0) + (edge.report('unsent')?.latency.sum ?? 0);
  return callers > 0 ? callers : (edge.report('destination')?.latency.sum ?? 0);
}
