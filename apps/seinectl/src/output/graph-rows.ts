import type { EdgeEnd, GraphEdge, ServiceGraph } from '@seine/service-graph';
import { formatMilliseconds } from './milliseconds.js';
import type { Cell, Row } from './table.js';

export const graphHeader = [
  ...['SOURCE', 'DESTINATION', 'SERVICE', 'PROTOCOL', 'RATE', 'ERRORS', 'P50', 'P95', 'P99', 'OWN', 'MTLS'],
];

/** Errors from which on an edge is red; below it is yellow. */
const badShare = 0.05;

/** One row for each edge: what fails by itself first, then what is slow by itself. */
export function graphRows(graph: ServiceGraph): Row[] {
  return [...graph.edges]
    .sort((a, b) => b.own.errors - a.own.errors || b.own.latency - a.own.latency || (a.id < b.id ? -1 : 1))
    .map((edge) => ({ cells: cellsOf(edge, graph) }));
}

function cellsOf(edge: GraphEdge, { worst }: ServiceGraph): readonly Cell[] {
  const { source, destination, service, protocol, latency, own } = edge;
  const at = (value: number | undefined): string => (value === undefined ? '-' : formatMilliseconds(value));
  return [
    endName(source),
    endName(destination),
    service || '-',
    protocol,
    `${edge.rate.toFixed(edge.rate < 10 ? 2 : 1)}/s`,
    errorCell(edge),
    at(latency?.p50),
    at(latency?.p95),
    at(latency?.p99),
    latency === null ? '-' : edge.id === worst.latency ? { text: at(own.latency), colour: 'yellow' } : at(own.latency),
    mutualTlsCell(edge.mutualTls),
  ];
}

function errorCell({ errors: { total, share } }: GraphEdge): Cell {
  if (total === 0) return '-';
  return { text: percent(share), colour: share >= badShare ? 'red' : 'yellow' };
}

function mutualTlsCell(share: number | null): Cell {
  if (share === null) return '-';
  return share === 1 ? { text: 'yes', colour: 'green' } : share === 0 ? 'no' : percent(share);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 2 : 1)}%`;
}

/** `reviews-v2.default` */
export function endName({ workload, namespace }: EdgeEnd): string {
  return namespace && workload !== 'unknown' ? `${workload}.${namespace}` : workload;
}

/** Names the edge at which most calls fail, and the one that adds most latency. */
export function worstSentences({ edges, worst }: ServiceGraph): string[] {
  const find = (id: string | null): GraphEdge | undefined => edges.find((edge) => edge.id === id);
  const [failing, slow] = [find(worst.errors), find(worst.latency)];
  return [
    ...(failing ? [`most errors: ${nameOf(failing)}: ${errorText(failing)}`] : []),
    ...(slow?.latency
      ? [
          `slowest: ${nameOf(slow)}: ${formatMilliseconds(slow.own.latency)} of its own on average (p95 of all ${formatMilliseconds(slow.latency.p95)})`,
        ]
      : []),
  ];
}

function nameOf({ source, destination, service }: GraphEdge): string {
  const unknown = destination.workload === 'unknown' && service !== '';
  return `${endName(source)} -> ${unknown ? service : endName(destination)}`;
}

function errorText({ errors, requests, connections, responseCodes, grpcStatuses, responseFlags }: GraphEdge): string {
  const all = connections ? `${connections.closed} connections` : `${requests} requests`;
  const codes = Object.entries(responseCodes).filter(([code]) => !/^[123]/.test(code));
  const statuses = Object.entries(grpcStatuses)
    .filter(([status]) => status !== '0')
    .map(([status, count]) => [`grpc ${status}`, count] as const);
  const kinds = [...codes, ...statuses, ...Object.entries(responseFlags)].map(([name, count]) => `${name} x${count}`);
  return `${errors.total} of ${all} failed (${kinds.join(', ')})`;
}
