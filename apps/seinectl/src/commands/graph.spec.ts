import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { EdgeEnd, GraphEdge, ServiceGraph } from '@seine/service-graph';
import { run } from '../program.js';
import { FakeHttp } from '../testing/fake-http.js';
import { FakeIo } from '../testing/fake-io.js';
import { FakeState } from '../testing/fake-state.js';

const end = (workload: string, namespace = 'default'): EdgeEnd => {
  const [app = '', version = ''] = workload.split('-');
  return { workload, namespace, app, version };
};

function edge(source: EdgeEnd, destination: EdgeEnd, more: Partial<GraphEdge> = {}): GraphEdge {
  return {
    id: `${source.workload}>${destination.workload}`,
    source,
    destination,
    service: `${destination.app}.default.svc.cluster.local`,
    protocol: 'http',
    reporter: 'destination',
    requests: 60,
    rate: 1,
    errors: { total: 0, share: 0, client: 0, server: 0, none: 0 },
    responseCodes: { 200: 60 },
    grpcStatuses: {},
    responseFlags: {},
    latency: { mean: 5, p50: 4.5, p90: 8, p95: 9, p99: 120, max: 130 },
    requestBytes: 0,
    responseBytes: 0,
    mutualTls: 1,
    connections: null,
    own: { latency: 2, errors: 0 },
    ...more,
  };
}

const unknown: EdgeEnd = { workload: 'unknown', namespace: 'unknown', app: '', version: '' };
const graph: ServiceGraph = {
  from: '2026-01-01T00:00:00.000Z',
  to: '2026-01-01T00:05:00.000Z',
  replicas: 2,
  nodes: [end('productpage-v1'), end('reviews-v2'), end('ratings-v1'), end('mongo'), unknown].map((node) => ({
    ...node,
    services: [],
  })),
  edges: [
    edge(end('productpage-v1'), end('reviews-v2')),
    edge(end('reviews-v2'), end('ratings-v1'), {
      errors: { total: 6, share: 0.1, client: 0, server: 6, none: 0 },
      responseCodes: { 200: 54, 503: 6 },
      responseFlags: { UF: 6 },
      latency: { mean: 302, p50: 301, p90: 302, p95: 303, p99: 1250, max: 1300 },
      own: { latency: 301.4, errors: 6 },
    }),
    edge(end('ratings-v1'), end('mongo'), {
      protocol: 'tcp',
      latency: null,
      requests: 0,
      connections: { opened: 3, closed: 3 },
      mutualTls: null,
    }),
    edge(unknown, end('productpage-v1'), { mutualTls: 0, own: { latency: 3, errors: 0 } }),
  ],
  worst: { errors: 'reviews-v2>ratings-v1', latency: 'reviews-v2>ratings-v1' },
  problems: [],
};

let io: FakeIo;
let state: FakeState;
let mixer: FakeHttp;
beforeEach(async () => {
  io = new FakeIo();
  mixer = new FakeHttp({
    '/graph?since=300s': JSON.stringify(graph),
    '/graph?since=60s&duration=10s&namespace=bank': JSON.stringify({ ...graph, edges: [], problems: ['half of it'] }),
  });
  const port = await mixer.start();
  state = await FakeState.create({ urls: { pilotAdmin: `http://127.0.0.1:${port}` } });
  io.env['SEINE_STATE'] = state.dir;
});
afterEach(async () => {
  await mixer.stop();
  await state.remove();
});

it('prints edges, the worst first, and names it', async () => {
  expect(await run(['graph'], io)).toBe(0);
  expect(io.stdout).toBe(
    `SOURCE                   DESTINATION              SERVICE                                 PROTOCOL   RATE     ERRORS   P50       P95       P99      OWN       MTLS
reviews-v2.default       ratings-v1.default       ratings.default.svc.cluster.local       http       1.00/s   10.0%    301 ms    303 ms    1.25 s   301 ms    yes
unknown                  productpage-v1.default   productpage.default.svc.cluster.local   http       1.00/s   -        4.50 ms   9.00 ms   120 ms   3.00 ms   no
productpage-v1.default   reviews-v2.default       reviews.default.svc.cluster.local       http       1.00/s   -        4.50 ms   9.00 ms   120 ms   2.00 ms   yes
ratings-v1.default       mongo.default            mongo.default.svc.cluster.local         tcp        1.00/s   -        -         -         -        -         -
most errors: reviews-v2.default -> ratings-v1.default: 6 of 60 requests failed (503 x6, UF x6)
slowest: reviews-v2.default -> ratings-v1.default: 301 ms of its own on average (p95 of all 303 ms)
`,
  );
});

it('asks for a namespace and a time, and says what is not whole', async () => {
  expect(await run(['graph', '-n', 'bank', '--since', '1m', '--duration', '10s'], io)).toBe(0);
  expect(io.stdout).toBe('');
  expect(io.stderr).toMatch(/warning: half of it\nmixer was told of no calls of namespace bank in the last 1m/);
});

it('has the graph as data', async () => {
  expect(await run(['graph', '-o', 'json'], io)).toBe(0);
  expect(JSON.parse(io.stdout)).toEqual(graph);
  expect(await run(['graph', '-o', 'yaml'], io)).toBe(0);
  expect(io.stdout).toContain('replicas: 2');
});

it('draws the graph', async () => {
  expect(await run(['graph', '-o', 'dot'], io)).toBe(0);
  expect(io.stdout).toMatch(/^digraph mesh \{\n/);
  expect(io.stdout).toContain('  subgraph cluster_0 {\n    label="default";\n');
  expect(io.stdout).toContain(
    '  "reviews-v2.default" -> "ratings-v1.default" [label="http 1.00/s; 10.0% errors; p95 303 ms", color=red, style=bold];',
  );
  expect(io.stdout).toContain('"ratings-v1.default" -> "mongo.default" [label="tcp 1.00/s", style=dashed];');
});

it.each<[string[], number, RegExp]>([
  [['graph', '--since', 'soon'], 2, /--since: soon is not a duration/],
  [['graph', '--mixer-admin', '127.0.0.1:1'], 1, /mixer's admin port does not answer/],
  [['graph', '-o', 'svg'], 2, /Allowed choices are table, json, yaml, dot/],
])('%j exits with %d', async (args, code, stderr) => {
  expect(await run(args, io)).toBe(code);
  expect(io.stderr).toMatch(stderr);
});
