import { describe, expect, it } from '@jest/globals';
import type { Observation } from '../edges/observation.js';
import { both, end, request, type RequestOptions } from '../testing/observations.js';
import { mergePartials } from '../windows/read-edges.js';
import { GraphRecorder } from '../windows/recorder.js';
import { buildGraph } from './build-graph.js';
import type { GraphEdge, ServiceGraph } from './service-graph.js';

const start = 1_000_000_000;

/** The graph of reports that came in one minute, over as many mixers as are given. */
function graphOf(observed: readonly Observation[], namespace?: string, mixers = 1): ServiceGraph {
  const recorders = Array.from({ length: mixers }, (_, i) => new GraphRecorder(`mixer-${i}`));
  observed.forEach((one, i) => recorders[i % mixers]!.observe(one, start + i));
  const { table, replicas } = mergePartials(
    recorders.flatMap((r) => r.take(start).partials),
    start,
    start + 60_000,
  );
  const edges = [...table.edges.values()];
  return buildGraph(edges, { from: start, to: start + 60_000, namespace }, { replicas, problems: [] });
}

const times = <T>(count: number, make: () => readonly T[]): T[] => Array.from({ length: count }, make).flat();
const named = ({ source, destination }: GraphEdge): string => `${source.workload} > ${destination.workload}`;
const only = (graph: ServiceGraph): GraphEdge => {
  expect(graph.edges).toHaveLength(1);
  return graph.edges[0]!;
};
const nameById = (graph: ServiceGraph, id: string | null): string | undefined =>
  graph.edges.filter((edge) => edge.id === id).map(named)[0];

describe('an edge', () => {
  it('counts each request once, though both proxies report it to different mixers', () => {
    const graph = graphOf(
      times(60, () => both('productpage-v1', 'reviews-v2')),
      undefined,
      3,
    );
    expect(graph.replicas).toBe(3);
    expect(only(graph)).toMatchObject({
      source: end('productpage-v1'),
      destination: end('reviews-v2'),
      service: 'reviews.default.svc.cluster.local',
      protocol: 'http',
      reporter: 'destination',
      requests: 60,
      rate: 1,
      errors: { total: 0, share: 0 },
      responseCodes: { 200: 60 },
      requestBytes: 600,
      responseBytes: 6000,
      mutualTls: 1,
      connections: null,
    });
    expect(graph.nodes).toEqual([
      { ...end('productpage-v1'), services: [] },
      { ...end('reviews-v2'), services: ['reviews.default.svc.cluster.local'] },
    ]);
  });

  it('is counted by the caller where the callee says nothing, or less', () => {
    const calls = times(10, () => [request('a', 'b', { reporter: 'source', mutualTls: undefined })]);
    expect(only(graphOf(calls))).toMatchObject({ reporter: 'source', requests: 10, mutualTls: null });
    expect(only(graphOf([...calls, request('a', 'b')]))).toMatchObject({
      reporter: 'source',
      requests: 10,
      mutualTls: 1,
    });
  });

  it('counts what the callee has never seen beside what it has', () => {
    const refused = request('a', 'b', { reporter: 'source', responseCode: 503, responseFlags: 'UF,URX' });
    const graph = graphOf([...times(8, () => both('a', 'b')), refused, refused]);
    expect(only(graph)).toMatchObject({
      reporter: 'destination',
      requests: 10,
      errors: { total: 2, share: 0.2, client: 0, server: 2, none: 0 },
      responseCodes: { 200: 8, 503: 2 },
      responseFlags: { UF: 2, URX: 2 },
    });
  });

  it.each<[RequestOptions, Partial<GraphEdge['errors']>]>([
    [{ responseCode: 404 }, { client: 1 }],
    [{ responseCode: 500 }, { server: 1 }],
    [{ responseCode: 0, responseFlags: 'DC' }, { none: 1 }],
    [{ protocol: 'grpc', grpcStatus: 0 }, {}],
    [{ protocol: 'grpc', grpcStatus: 5 }, { client: 1 }],
    [{ protocol: 'grpc', grpcStatus: 14 }, { server: 1 }],
    [{ responseCode: 301 }, {}],
    [{ protocol: 'tcp', responseCode: 0, connection: 'closed' }, {}],
    [{ protocol: 'tcp', responseCode: 0, connection: 'closed', responseFlags: 'UF' }, { none: 1 }],
  ])('says of %j what kind of error it is: %j', (more, errors) => {
    const none = { total: Object.keys(errors).length, client: 0, server: 0, none: 0 };
    expect(only(graphOf([request('a', 'b', more)])).errors).toMatchObject({ ...none, ...errors });
  });

  it('has connections in place of requests where it is TCP', () => {
    const tcp = { protocol: 'tcp', responseCode: 0, durationMs: 60_000 } as const;
    const opened = times(3, () => both('a', 'db-v1', { ...tcp, connection: 'opened' }));
    const open = both('a', 'db-v1', { ...tcp, connection: 'open', requestBytes: 1000 });
    const closed = times(2, () => both('a', 'db-v1', { ...tcp, connection: 'closed' }));
    expect(only(graphOf([...opened, ...open, ...closed]))).toMatchObject({
      protocol: 'tcp',
      requests: 0,
      rate: 0.05,
      connections: { opened: 3, closed: 2 },
      latency: null,
      requestBytes: 1050,
      responseCodes: {},
      mutualTls: 1,
    });
  });

  it('says what share is over mutual TLS, and keeps protocols apart', () => {
    const graph = graphOf([
      ...times(3, () => [request('a', 'b')]),
      request('a', 'b', { mutualTls: false }),
      request('a', 'b', { protocol: 'grpc', grpcStatus: 0 }),
    ]);
    expect(graph.edges.map(({ protocol, mutualTls, requests }) => [protocol, mutualTls, requests])).toEqual([
      ['grpc', 1, 1],
      ['http', 0.75, 4],
    ]);
  });

  it('has the latency that its callers see', () => {
    const durations = Array.from({ length: 100 }, (_, i) => i + 1);
    const seen = durations.flatMap((durationMs) => [
      request('a', 'b', { reporter: 'source', durationMs }),
      request('a', 'b', { durationMs: 1 }),
    ]);
    const { latency } = only(graphOf(seen));
    for (const [share, right] of [
      ['p50', 50],
      ['p90', 90],
      ['p99', 99],
    ] as const)
      expect(Math.abs(latency![share] - right) / right).toBeLessThan(0.01);
    expect([latency!.mean, latency!.max]).toEqual([50.5, 100]);
  });

  it('bounds codes and flags that servers make up', () => {
    const calls = Array.from({ length: 500 }, (_, i) =>
      request('a', 'b', { responseCode: 100 + i, responseFlags: `F${i}` }),
    );
    const { responseCodes, responseFlags } = only(graphOf(calls));
    expect([Object.keys(responseCodes).length, Object.keys(responseFlags).length]).toEqual([33, 33]);
    expect(responseCodes['other']).toBe(468);
  });
});

describe('a namespace', () => {
  it('shows edges of which one end is in it', () => {
    const into = request('a', 'b', { destination: end('b', 'bank') });
    const outOf = request('b', 'c', { source: end('b', 'bank') });
    expect(graphOf([into, outOf, request('c', 'd')], 'bank').edges.map(named)).toEqual(['b > c', 'a > b']);
  });
});

/** One request over three hops, of which each takes 2 ms itself, and what is added at one. */
function chain(slow: 'ab' | 'bc' | 'cd' | 'none', status: Readonly<Record<string, number>> = {}): Observation[] {
  const hops = ['cd', 'bc', 'ab'] as const;
  let below = 0;
  return hops.flatMap((hop) => {
    const [from, to] = [hop.slice(0, 1), hop.slice(1)];
    const inside = below + 2;
    // A fault is injected by the caller's proxy: the callee's sees nothing of it.
    const outside = inside + (hop === slow ? 300 : 0);
    below = outside;
    const responseCode = status[hop] ?? 200;
    return [
      request(from, to, { reporter: 'source', durationMs: outside, responseCode }),
      request(from, to, { durationMs: inside, responseCode }),
    ];
  });
}

describe('the worst', () => {
  it.each(['ab', 'bc', 'cd'] as const)('names the hop at which time is lost: %s', (slow) => {
    const graph = graphOf(times(20, () => chain(slow)));
    expect(nameById(graph, graph.worst.latency)).toBe(`${slow.slice(0, 1)} > ${slow.slice(1)}`);
    const own = Object.fromEntries(graph.edges.map((edge) => [named(edge), edge.own.latency]));
    expect(own).toEqual({ 'a > b': 2, 'b > c': 2, 'c > d': 2, [`${slow.slice(0, 1)} > ${slow.slice(1)}`]: 302 });
  });

  it('names the hop that fails, and not those that pass the failure on', () => {
    const failing = times(5, () => chain('none', { cd: 500, bc: 502, ab: 503 }));
    const graph = graphOf([...times(20, () => chain('none')), ...failing]);
    expect(nameById(graph, graph.worst.errors)).toBe('c > d');
    expect(graph.edges.map(({ own, errors }) => [own.errors, errors.server])).toEqual([
      [0, 5],
      [0, 5],
      [5, 5],
    ]);
  });

  it('names errors of callers where there are no others, and nothing where there is nothing', () => {
    const graph = graphOf([request('a', 'b'), request('b', 'c', { responseCode: 404 })]);
    expect(nameById(graph, graph.worst.errors)).toBe('b > c');
    expect(graphOf([]).worst).toEqual({ errors: null, latency: null });
    expect(graphOf([request('a', 'b')]).worst.errors).toBeNull();
  });

  it('does not take all unknown workloads for one', () => {
    const unknown = { ...end('unknown'), app: '', version: '' };
    const graph = graphOf([
      request('a', 'b', { destination: unknown, durationMs: 100 }),
      request('x', 'y', { source: unknown, durationMs: 90 }),
    ]);
    expect(graph.edges.map(({ own }) => own.latency)).toEqual([100, 90]);
  });
});
