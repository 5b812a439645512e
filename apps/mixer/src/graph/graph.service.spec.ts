import { describe, expect, it } from '@jest/globals';
import { type GraphPartial, type GraphStore, MemoryGraphStore } from '@seine/service-graph';
import type { LogEnd, LogEnds, LogRecord } from '../access-log/log-sink.js';
import { GraphController } from './graph.controller.js';
import { GraphService } from './graph.service.js';

const start = 1_700_000_000_000;

const end = (workload: string): LogEnd => ({
  workload,
  namespace: workload && 'default',
  service: workload,
  revision: 'latest',
  app: workload,
  version: 'v1',
  cluster: 'Kubernetes',
  principal: workload && `spiffe://cluster.local/ns/default/sa/${workload}`,
});

function ends(source: string, destination: string, reporter: LogEnds['reporter'] = 'inbound'): LogEnds {
  const host = `${destination}.default.svc.cluster.local`;
  return {
    key: `${reporter} ${source} ${destination}`,
    reporter,
    source: end(source),
    destination: end(destination),
    service: { host, name: destination, namespace: 'default' },
    mutualTls: source !== '',
  };
}

const record = (of: LogEnds, more: Partial<LogRecord> = {}): LogRecord => ({
  protocol: 'http',
  event: 'end',
  ends: of,
  startTime: start,
  duration: 5,
  receivedBytes: 1,
  sentBytes: 2,
  responseCode: 200,
  grpcStatus: undefined,
  responseFlags: '',
  method: 'GET',
  path: '/',
  authority: 'reviews',
  requestId: '',
  traceParent: '',
  attributes: { get: () => undefined },
  ...more,
});

/** Mixers that share a store, and a clock that the test turns. */
function mixers(count: number, store?: GraphStore) {
  const clock = { now: start };
  const now = () => clock.now;
  const shared = store ?? new MemoryGraphStore({ now });
  const problems: string[] = [];
  const services = Array.from(
    { length: count },
    (_, i) =>
      new GraphService({
        replica: `mixer-${i}`,
        store: shared,
        now,
        onProblem: (message) => problems.push(message),
        onRecovered: (message) => problems.push(message),
      }),
  );
  return { clock, services, problems };
}

describe('GraphService', () => {
  it('counts what proxies log, and answers for all mixers', async () => {
    const { clock, services } = mixers(2);
    const [calls, served] = [ends('productpage', 'reviews', 'outbound'), ends('productpage', 'reviews')];
    for (let i = 0; i < 30; i++) {
      services[0]!.sink(record(calls, { duration: 9 }));
      services[1]!.sink(record(served, { responseCode: i < 3 ? 500 : 200 }));
      clock.now += 1000;
    }
    await services[1]!.flush();
    const graph = await services[0]!.graph({ sinceMs: 300_000 });
    expect(graph).toMatchObject({ replicas: 2, problems: [], to: new Date(clock.now).toISOString() });
    expect(graph.edges).toMatchObject([
      {
        source: { workload: 'productpage', namespace: 'default', app: 'productpage', version: 'v1' },
        destination: { workload: 'reviews' },
        service: 'reviews.default.svc.cluster.local',
        requests: 30,
        rate: 1,
        errors: { total: 3, share: 0.1 },
        latency: { mean: 9 },
        mutualTls: 1,
      },
    ]);
  });

  it('knows of connections and of callers without a proxy', async () => {
    const { services } = mixers(1);
    const of = ends('', 'mongodb');
    const { sink } = services[0]!;
    for (const event of ['open', 'continue', 'end'] as const)
      sink(record(of, { protocol: 'tcp', event, responseCode: 0 }));
    const { edges } = await services[0]!.graph({ sinceMs: 60_000 });
    expect(edges).toMatchObject([
      {
        source: { workload: 'unknown', namespace: 'unknown' },
        protocol: 'tcp',
        connections: { opened: 1, closed: 1 },
        requestBytes: 3,
        mutualTls: 0,
      },
    ]);
  });

  it('knows of which service nobody was reached', async () => {
    const { services } = mixers(1);
    const nobody = { ...ends('reviews', 'ratings', 'outbound'), destination: end('') };
    services[0]!.sink(record(nobody, { responseCode: 503, responseFlags: 'UH' }));
    const { edges, nodes } = await services[0]!.graph({ sinceMs: 60_000, namespace: 'default' });
    const destination = { workload: 'unknown', namespace: 'default', app: '', version: '' };
    expect(edges).toMatchObject([{ destination, service: 'ratings.default.svc.cluster.local', errors: { server: 1 } }]);
    expect(nodes).toContainEqual({ ...destination, services: ['ratings.default.svc.cluster.local'] });
  });

  it('answers of a time in the past, and of the whole since it began', async () => {
    const { clock, services } = mixers(1);
    const [graphs] = services;
    for (const code of [500, 200]) {
      for (let i = 0; i < 60; i++, clock.now += 1000) graphs!.sink(record(ends('a', 'b'), { responseCode: code }));
      clock.now += 60_000;
    }
    const before = await graphs!.graph({ sinceMs: 240_000, durationMs: 60_000 });
    expect(before.edges[0]).toMatchObject({ requests: 60, rate: 1, errors: { total: 60 } });
    const all = await graphs!.graph({ sinceMs: 3_600_000 });
    expect(all.edges[0]).toMatchObject({ requests: 120, rate: 0.5 });
  });

  it('says that the store is away, keeps what it could not write, and writes it later', async () => {
    const memory = new MemoryGraphStore({ now: () => start });
    let isAway = true;
    const fail = <T>(then: () => Promise<T>): Promise<T> => (isAway ? Promise.reject(new Error('no answer')) : then());
    const store: GraphStore = {
      write: (partials: readonly GraphPartial[]) => fail(() => memory.write(partials)),
      read: (...range) => fail(() => memory.read(...range)),
      keptFrom: (width) => fail(() => memory.keptFrom(width)),
    };
    const { services, problems } = mixers(1, store);
    const [graphs] = services;
    graphs!.sink(record(ends('a', 'b')));
    const { edges, problems: said } = await graphs!.graph({ sinceMs: 60_000 });
    expect(edges).toMatchObject([{ requests: 1 }]);
    expect(said).toEqual([expect.stringMatching(/only what this mixer has not written yet: .* no answer/)]);
    await graphs!.flush();
    expect(problems).toEqual(['the service graph cannot be written: no answer']);
    isAway = false;
    graphs!.sink(record(ends('a', 'b')));
    expect(await graphs!.graph({ sinceMs: 60_000 })).toMatchObject({ edges: [{ requests: 2 }], problems: [] });
    expect(problems).toHaveLength(2);
  });
});

describe('GET /graph', () => {
  const { services } = mixers(1);
  const controller = new GraphController(services[0]!);

  it('takes the times that people write', async () => {
    services[0]!.sink(record(ends('a', 'b')));
    expect((await controller.graph('default', '1h30m', '10s')).edges).toEqual([]);
    expect((await controller.graph('', '', '')).edges).toHaveLength(1);
    expect((await controller.graph('elsewhere')).edges).toEqual([]);
  });

  it.each(['soon', '-5m', '0s', '25h', '5'])('says what is wrong with since=%s', async (since) => {
    await expect(async () => controller.graph(undefined, since)).rejects.toThrow(/since/);
  });
});
