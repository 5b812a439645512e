import type { EdgeTotals } from '../edges/edge-totals.js';
import type { EdgeEnd } from '../edges/observation.js';
import { type ReportData, ReportTotals } from '../edges/report-totals.js';
import type { LogSketch } from '../sketch/log-sketch.js';
import { type Own, ownOf } from './blame.js';
import { callerLatency, countedReports, reporterOf } from './choose-report.js';
import type { GraphEdge, GraphLatency, GraphNode, ServiceGraph } from './service-graph.js';

export interface GraphQuestion {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** Edges of which at least one end is in it; undefined: all. */
  readonly namespace?: string | undefined;
}

/** What is known beside the edges. */
export interface GraphSources {
  readonly replicas: number;
  readonly problems: readonly string[];
}

/** The graph of edges as they were read. Its times are rounded to microseconds, shares to six digits. */
export function buildGraph(edges: readonly EdgeTotals[], asked: GraphQuestion, sources: GraphSources): ServiceGraph {
  const seconds = Math.max(1, asked.to - asked.from) / 1000;
  const own = ownOf(edges);
  const shown = edges
    .filter(({ identity }) => isIn(identity.source, asked) || isIn(identity.destination, asked))
    .map((edge) => graphEdge(edge, own(edge), seconds))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    from: new Date(asked.from).toISOString(),
    to: new Date(asked.to).toISOString(),
    replicas: sources.replicas,
    nodes: nodesOf(shown),
    edges: shown,
    worst: worstOf(shown),
    problems: sources.problems,
  };
}

function isIn(end: EdgeEnd, { namespace }: GraphQuestion): boolean {
  return namespace === undefined || end.namespace === namespace;
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

function graphEdge(edge: EdgeTotals, own: Own, seconds: number): GraphEdge {
  const { key: id, source, destination, service, protocol } = edge.identity;
  const counted = sum(countedReports(edge));
  const { client, server, none } = counted.errors;
  const total = client + server + none;
  const { codes = {}, grpcStatuses = {}, flags = {} }: ReportData = counted.toData();
  const isTcp = protocol === 'tcp';
  return {
    id,
    source,
    destination,
    service,
    protocol,
    reporter: reporterOf(edge),
    requests: isTcp ? 0 : counted.requests,
    rate: round(counted.seen / seconds, 3),
    errors: { total, share: round(total / Math.max(1, counted.requests), 6), client, server, none },
    responseCodes: codes,
    grpcStatuses,
    responseFlags: flags,
    latency: isTcp ? null : latencyOf(callerLatency(edge)),
    requestBytes: counted.requestBytes,
    responseBytes: counted.responseBytes,
    mutualTls: mutualTlsOf(edge),
    connections: isTcp ? { opened: Math.max(counted.opened, counted.requests), closed: counted.requests } : null,
    own: { latency: round(own.latency, 3), errors: Math.round(own.errors) },
  };
}

function sum(reports: readonly ReportTotals[]): ReportTotals {
  const totals = new ReportTotals();
  for (const report of reports) totals.merge(report.toData());
  return totals;
}

function latencyOf(sketch: LogSketch): GraphLatency {
  const at = (share: number): number => round(sketch.quantile(share), 3);
  return {
    mean: round(sketch.mean, 3),
    p50: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    max: round(sketch.max, 3),
  };
}

/** The callee knows best what it was spoken to. */
function mutualTlsOf(edge: EdgeTotals): number | null {
  for (const reporter of ['destination', 'source'] as const) {
    const { mutualTls = 0, plainText = 0 } = edge.report(reporter) ?? {};
    if (mutualTls + plainText > 0) return round(mutualTls / (mutualTls + plainText), 6);
  }
  return null;
}

function nodesOf(edges: readonly GraphEdge[]): readonly GraphNode[] {
  const ends = new Map<string, { end: EdgeEnd; services: Set<string> }>();
  const nodeOf = (end: EdgeEnd): Set<string> => {
    const name = `${end.namespace}/${end.workload}`;
    let node = ends.get(name);
    if (!node) ends.set(name, (node = { end, services: new Set() }));
    return node.services;
  };
  for (const { source, destination, service } of edges) {
    nodeOf(source);
    const services = nodeOf(destination);
    if (service) services.add(service);
  }
  return [...ends]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { end, services }]) => ({ ...end, services: [...services].sort() }));
}

/** By what is an edge's own, so that a failure names the hop that it happened at, and not all those that waited for it. */
function worstOf(edges: readonly GraphEdge[]): ServiceGraph['worst'] {
  const errors = greatest(edges, ({ own, errors: { client } }) => own.errors + client / 1e9);
  const latency = greatest(edges, ({ own }) => own.latency);
  return { errors, latency };
}

function greatest(edges: readonly GraphEdge[], measure: (edge: GraphEdge) => number): string | null {
  let worst: GraphEdge | undefined;
  for (const edge of edges) if (measure(edge) > (worst ? measure(worst) : 0)) worst = edge;
  return worst?.id ?? null;
}
