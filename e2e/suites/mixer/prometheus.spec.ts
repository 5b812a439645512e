import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import {
  documents,
  many,
  MixerProcess,
  Prometheus,
  promtool,
  type Reply,
  request,
  serviceYaml,
  type TargetGroup,
  TestMesh,
  telemetryYaml,
} from '../../src/index.js';
import { choicesOf, filledIn, queriesOf, readDashboards } from './dashboard-queries.js';
import { istioQueries, kialiQueries } from './known-queries.js';
import { mixerYaml } from './policy-mesh.js';

jest.setTimeout(240_000);
const url = 'http://reviews:8080';
const reviews = 'reviews.default.svc.cluster.local';
/** Of a hundred requests: what each kind of path is, and how long the application takes for it. */
const mix = [
  { path: '/ok', share: 82, status: 200, delayMs: 70 },
  { path: '/slow', share: 5, status: 200, delayMs: 350 },
  { path: '/missing', share: 4, status: 404, delayMs: 70 },
  { path: '/broken', share: 9, status: 500, delayMs: 70 },
] as const;
const paths = mix.flatMap(({ path, share }) => Array.from({ length: share }, () => path));
const rounds = 6;

const limitYaml = `apiVersion: policy.seine.dev/v1alpha1
kind: RateLimit
metadata: { name: wide, namespace: default }
spec:
  selector: { matchLabels: { app: reviews } }
  global: [{ requests: 1000000, per: 24h, timeout: 10s }]
`;

const requestCount = {
  name: 'asked',
  instance_name: 'asked.instance.istio-system',
  kind: 'COUNTER',
  label_names: ['destination'],
};
/** Work for all of mixer: proxies log to it and ask it, and an adapter of its own counts. */
const rulesYaml = documents(
  telemetryYaml('logs', { accessLogging: [{ providers: [{ name: 'mixer' }] }] }),
  mixerYaml('rule', 'header', {
    match: 'destination.labels["app"] == "reviews"',
    requestHeaderOperations: [{ name: 'x-source', values: ['source.workload.name | "-"'] }],
  }),
  mixerYaml('handler', 'prom', { compiledAdapter: 'prometheus', params: { metrics: [requestCount] } }),
  mixerYaml('instance', 'asked', {
    compiledTemplate: 'metric',
    params: { value: '1', dimensions: { destination: 'destination.workload.name | "unknown"' } },
  }),
  mixerYaml('rule', 'count', {
    match: 'context.protocol == "http" && context.reporter.kind == "inbound"',
    actions: [{ handler: 'prom', instances: ['asked'] }],
  }),
);

let mesh: TestMesh;
let mixer: MixerProcess;
let prometheus: Prometheus;
let replies: readonly Reply[];
/** What an application says of itself: with a name that is Istio's, too. */
const application = http.createServer((_request, response) => {
  response.end('# TYPE orders counter\norders_total 7\nistio_requests_total{reporter="source"} 1000000\n');
});

/** Something for pilot to do. */
const changeYaml = (name: string) => `${serviceYaml({ name })}---\n${telemetryYaml(name, {}, 'elsewhere')}`;

const kubernetes = (container: object): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(container).map(([key, value]) => [`__meta_kubernetes_${key}`, String(value)]));

/** A pod as Kubernetes' service discovery says it, at an address of this machine. */
function pod(name: string, labels: object, target: string, namespace = 'default'): TargetGroup {
  return { targets: [target], labels: kubernetes({ namespace, pod_name: name, pod_phase: 'Running', ...labels }) };
}

function sidecars(): readonly TargetGroup[] {
  return mesh.envoys.map(({ name, adminPort }) =>
    pod(
      name,
      {
        pod_container_name: 'istio-proxy',
        pod_container_port_name: 'http-envoy-prom',
        pod_host_ip: '127.0.0.1',
        pod_ip: '127.0.0.1',
        pod_label_app: name.replace(/-v\d$/, ''),
      },
      `127.0.0.1:${adminPort}`,
    ),
  );
}

function controlPlane(): readonly TargetGroup[] {
  const addresses = {
    pilot: `127.0.0.1:${mesh.pilot.ports.admin}`,
    citadel: mesh.identity.citadelAdmin,
    agent: mesh.identity.agentAdmin,
    mixer: mixer.adminAddress,
  };
  return Object.entries(addresses).map(([app, address]) =>
    pod(app, { pod_container_port_name: 'http-monitoring', pod_label_app: app }, address, 'istio-system'),
  );
}

/**
 * Of a hundred paths, a request each; few at a time, so that a moment in which the machine does something else spoils less than
 * one in a hundred of them.
 */
const load = (times: number): Promise<readonly Reply[]> =>
  many(paths.length * times, (i) => mesh.call(url + (paths[i % paths.length] ?? '')), 4);

async function tcp(times: number): Promise<void> {
  const address = await mesh.loopbackOf(8081);
  const options = { headers: { host: 'ledger', connection: 'close' } };
  await many(times, () => request(address, 8081, '/', options), 1);
}

const scalar = async (expr: string): Promise<number> => (await prometheus.query(expr))[0]?.value ?? NaN;

const total = (reporter: string) =>
  scalar(`sum(istio_requests_total{reporter="${reporter}", destination_service="${reviews}"})`);

beforeAll(async () => {
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  mixer = await MixerProcess.prepare();
  mesh = await TestMesh.start({
    identity: true,
    workloads: [
      { name: 'reviews-v1', sidecar: true, scrape: `127.0.0.1:${(application.address() as AddressInfo).port}/metrics` },
      { name: 'ledger-v1', sidecar: true },
    ],
    services: [{ name: 'ledger', ports: [{ name: 'tcp', port: 8081, targetPort: 8080 }] }],
    config: { mixer: mixer.yaml, limit: limitYaml, rules: rulesYaml },
  });
  await mixer.start(mesh.identity, ['--config-dir', mesh.configDir]);
  mesh.echo('reviews-v1').answer = ({ path }) => mix.find((kind) => kind.path === path) ?? {};
  prometheus = await Prometheus.start({
    config: 'prometheus.yml',
    discovered: {
      'seine-workloads': sidecars(),
      'seine-control-plane': controlPlane(),
      'seine-mixer-mesh': controlPlane(),
      'seine-mixer-handlers': controlPlane(),
    },
    ports: { 15020: Number(mesh.identity.agentAdmin.split(':')[1]) },
  });
  // Each series is there, and has been seen, before what is measured begins: a series' first value is no rate.
  await load(1);
  await tcp(2);
  await mesh.apply('first', changeYaml('first'));
  await untilCounted(paths.length);
  replies = await load(rounds);
  await tcp(5);
  await mesh.apply('second', changeYaml('second'));
  await untilCounted(paths.length * (rounds + 1));
});
afterAll(async () => {
  await prometheus.stop();
  await mixer.stop();
  await mesh.stop();
  application.close();
});

/** Waits until Prometheus has seen so many requests at both ends, in counters and in Envoy's histograms, which come later. */
async function untilCounted(requests: number): Promise<void> {
  const holds = async () => {
    const counted = await Promise.all([
      total('source'),
      total('destination'),
      scalar(`sum(istio_request_duration_milliseconds_count{reporter="source", destination_service="${reviews}"})`),
      scalar(
        `sum(istio_request_duration_milliseconds_count{reporter="destination", destination_service="${reviews}"})`,
      ),
    ]);
    return counted.every((count) => count >= requests);
  };
  await poll(holds, `${requests} requests to be counted`, 90_000);
}

it('finds and reads every part of the mesh', async () => {
  await poll(async () => (await prometheus.targets()).every(({ health }) => health !== 'unknown'), 'all to be scraped');
  const targets = await prometheus.targets();
  expect(
    targets.filter(({ health }) => health !== 'up').map(({ scrapeUrl, lastError }) => [scrapeUrl, lastError]),
  ).toEqual([]);
  const jobs = targets.map(({ labels }) => `${labels['job']} ${labels['pod']} ${labels['app']}`);
  expect(jobs.sort()).toEqual([
    'agent agent agent',
    'citadel citadel istiod',
    'mixer mixer mixer',
    'pilot pilot istiod',
    'seine-mixer-handlers mixer undefined',
    'seine-mixer-mesh mixer undefined',
    'seine-workloads client client',
    'seine-workloads ledger-v1 ledger',
    'seine-workloads reviews-v1 reviews',
  ]);
});

it('counts each request once on each side', async () => {
  const sent = paths.length * (rounds + 1);
  expect([await total('source'), await total('destination')]).toEqual([sent, sent]);
});

describe('the dashboards', () => {
  it.each(readDashboards().map((dashboard) => [dashboard.uid, dashboard] as const))(
    '%s: every query of every panel has data',
    async (_uid, dashboard) => {
      const choices = await choicesOf(dashboard, prometheus);
      expect(choices.length).toBeGreaterThan(0);
      const empty: string[] = [];
      for (const { panel, expr, legend } of queriesOf(dashboard)) {
        const answers = await Promise.all(choices.map((choice) => prometheus.query(filledIn(expr, choice))));
        if (!answers.flat().some(({ value }) => Number.isFinite(value))) empty.push(`${panel} (${legend}): ${expr}`);
      }
      expect(empty).toEqual([]);
    },
  );

  /** The answers of a panel for one choice of variables, by legend. */
  async function panel(uid: string, title: string, choice: Readonly<Record<string, string>> = {}) {
    const dashboard = readDashboards().find((one) => one.uid === uid);
    const queries = (dashboard ? queriesOf(dashboard) : []).filter((query) => query.panel === title);
    expect([title, queries.length > 0]).toEqual([title, true]);
    const values = queries.map(async ({ expr, legend }) => [legend, await scalar(filledIn(expr, choice))] as const);
    return Object.fromEntries(await Promise.all(values)) as Readonly<Record<string, number>>;
  }

  it('show the success rate that the caller has seen, within 2 %', async () => {
    const seen = replies.filter(({ status }) => status < 500).length / replies.length;
    expect(seen).toBeCloseTo(0.91, 5);
    const { __auto: ofMesh = NaN } = await panel('seine-mesh', 'Success rate (no 5xx)');
    const { __auto: ofService = NaN } = await panel('seine-service', 'Success rate as workloads see it', {
      service: reviews,
    });
    for (const shown of [ofMesh, ofService]) expect(Math.abs(shown - seen) / seen).toBeLessThan(0.02);
  });

  it('show P50 and P99 within the histogram’s bucket of what the caller has measured', async () => {
    const took = replies.map((reply) => reply.took).sort((a, b) => a - b);
    const bounds = (
      await prometheus.query(`sum(istio_request_duration_milliseconds_bucket{reporter="source"}) by (le)`)
    )
      .map(({ metric }) => Number(metric['le']))
      .sort((a, b) => a - b);
    const bucketOf = (value: number) => bounds.findIndex((bound) => value <= bound);
    const shown = await panel('seine-service', 'Duration as clients see it', { service: reviews });
    for (const [legend, q] of [
      ['P50', 0.5],
      ['P99', 0.99],
    ] as const) {
      const measured = took[Math.ceil(q * took.length) - 1] ?? NaN;
      expect([legend, bucketOf(shown[legend] ?? NaN)]).toEqual([legend, bucketOf(measured)]);
    }
  });
});

it('shows mixer at work: asked, told, and counting', async () => {
  const sent = paths.length * (rounds + 1);
  await poll(
    async () => (await scalar('sum(mixer_access_log_entries_total{result="taken"})')) >= 2 * sent,
    'the logs',
    20_000,
  ).catch(() => undefined);
  const results = (await prometheus.query('sum(mixer_access_log_entries_total) by (result)')).map(
    ({ metric, value }) => [metric['result'], value] as const,
  );
  expect(results).toEqual([['taken', expect.any(Number)]]);
  expect(await scalar('sum(mixer_check_decisions_total{code="OK"})')).toBeGreaterThanOrEqual(sent);
  const counted = `sum({__name__=~".*asked.*", job="seine-mixer-handlers", destination="reviews-v1"})`;
  await poll(async () => (await scalar(counted)) >= sent, 'what the handler counts', 20_000).catch(() => undefined);
  expect(await scalar(counted)).toBe(sent);
});

describe('queries of others', () => {
  it.each([
    ['Istio’s dashboards', istioQueries],
    ['Kiali', kialiQueries],
  ])('in the manner of %s have data', async (_whose, queries) => {
    // Their windows are short: traffic runs while they are asked.
    const [empty] = await Promise.all([
      (async () => {
        let left = [...queries];
        await poll(
          async () => {
            const answers = await Promise.all(left.map((query) => prometheus.query(query)));
            left = left.filter((_, i) => answers[i]?.length === 0);
            return left.length === 0;
          },
          'data',
          20_000,
        ).catch(() => undefined);
        return left;
      })(),
      load(1).then(() => tcp(3)),
    ]);
    expect(empty).toEqual([]);
  });
});

describe('rules', () => {
  it('are right, as promtool sees them, and so are the configurations', async () => {
    expect(await promtool(['check', 'rules', 'rules.yaml'])).toMatch(/SUCCESS: \d+ rules found/);
    expect(await promtool(['test', 'rules', 'rules.test.yaml'])).toContain('SUCCESS');
    expect(await promtool(['check', 'config', 'prometheus.laptop.yml'])).toContain('is valid');
    // The one for Kubernetes with files in place of its API: Debian's build knows no other.
    expect(await promtool(['check', 'config', prometheus.configFile])).toContain('is valid');
  });

  it('are evaluated without an error, and what they record is there', async () => {
    await poll(async () => (await prometheus.rules()).every(({ health }) => health !== 'unknown'), 'all rules to run');
    const rules = await prometheus.rules();
    expect(rules.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => [name, lastError])).toEqual([]);
    for (const { name } of rules.filter(({ type }) => type === 'recording'))
      await poll(async () => (await prometheus.query(name)).length > 0, name, 30_000);
    await poll(
      async () =>
        Math.abs((await scalar(`service:istio_request_errors:ratio_rate5m{destination_service="${reviews}"}`)) - 0.09) <
        0.01,
      'the error ratio to be recorded',
      30_000,
    );
  });
});

describe('an application’s own metrics', () => {
  it('stand beside its sidecar’s, without those that say what only its sidecar can', async () => {
    const found = await prometheus.query('orders_total');
    expect(found.map(({ metric, value }) => [metric['pod'], value])).toEqual([['reviews-v1', 7]]);
    const [host = '', port = ''] = mesh.identity.agentAdmin.split(':');
    const { body } = await request(host, Number(port), '/stats/prometheus/default/reviews-v1');
    expect(body).not.toContain('1000000');
    expect(body).toMatch(/^istio_requests_total\{reporter="destination",/m);
    expect(body).toMatch(/^envoy_server_uptime\{?/m);
    expect(body).toMatch(/# left out of the application's metrics, .*: istio_requests_total\n$/);
  });
});

it('reads the same from the sidecars themselves, by the configuration for that', async () => {
  const direct = await Prometheus.start({ config: 'prometheus.yml', discovered: { 'envoy-stats': sidecars() } });
  try {
    const query = `sum without (job, instance, app) (istio_requests_total{destination_service="${reviews}"})`;
    const lines = async (from: Prometheus) =>
      (await from.query(query))
        .map(({ metric, value }) => JSON.stringify([Object.entries(metric).sort(), value]))
        .sort();
    await poll(
      async () => (await direct.targets()).every(({ health }) => health === 'up'),
      'all to be scraped',
      20_000,
    );
    let [ours, theirs]: [readonly string[], readonly string[]] = [[], []];
    await poll(
      async () => {
        [ours, theirs] = await Promise.all([lines(prometheus), lines(direct)]);
        return ours.length > 0 && ours.join() === theirs.join();
      },
      'both to have read the last requests',
      20_000,
    ).catch(() => undefined);
    expect(theirs).toEqual(ours);
  } finally {
    await direct.stop();
  }
});
