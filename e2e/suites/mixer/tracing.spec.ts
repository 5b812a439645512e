import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import {
  binomialRange,
  documents,
  httpRoutesYaml,
  many,
  meshConfigYaml,
  MixerProcess,
  OtlpCollector,
  podYaml,
  seinectl,
  serviceYaml,
  telemetryYaml,
  TestMesh,
  to,
  Zipkin,
  type ZipkinSpan,
} from '../../src/index.js';

jest.setTimeout(240_000);
/** productpage asks reviews, and version 2 of it asks ratings. */
const url = 'http://productpage:8080/api/v1/products/0/reviews';

const always = {
  randomSamplingPercentage: 100,
  customTags: {
    team: { literal: { value: 'books' } },
    user: { header: { name: 'end-user', defaultValue: 'nobody' } },
  },
};

/** A server of this machine as a service of the mesh, in the namespace `tracing`. */
function serverYaml(name: string, port: { readonly name: string; readonly port: number }, targetPort: number): string {
  const place = { name, namespace: 'tracing' };
  const ports = [{ name: port.name, containerPort: targetPort }];
  return documents(
    serviceYaml({ ...place, ports: [{ ...port, targetPort }] }),
    podYaml({ ...place, address: '127.0.0.1', labels: { app: name }, ports, serviceAccount: name }),
  );
}

let zipkin: Zipkin;
let mixer: MixerProcess;
let collector: OtlpCollector;
let mesh: TestMesh;
beforeAll(async () => {
  mixer = await MixerProcess.prepare();
  [zipkin, collector] = await Promise.all([Zipkin.start(), OtlpCollector.start()]);
  mesh = await TestMesh.start({
    identity: true,
    workloads: [
      { name: 'productpage-v1', sidecar: true, sample: 'productpage' },
      { name: 'reviews-v2', sidecar: true, sample: 'reviews' },
      { name: 'ratings-v1', sidecar: true, sample: 'ratings' },
      { name: 'details-v1', sidecar: true },
    ],
    config: {
      mixer: mixer.yaml,
      servers: documents(
        serverYaml('zipkin', { name: 'http', port: 9411 }, zipkin.port),
        serverYaml('jaeger-collector', { name: 'grpc-otlp', port: 4317 }, collector.port),
      ),
      'mesh-config': meshConfigYaml({
        extensionProviders: [
          { name: 'zipkin', zipkin: { service: 'zipkin.tracing.svc.cluster.local', port: 9411 } },
          { name: 'jaeger', opentelemetry: { service: 'jaeger-collector.tracing.svc.cluster.local', port: 4317 } },
        ],
      }),
      telemetry: telemetryYaml('mesh', { tracing: [{ providers: [{ name: 'zipkin' }], ...always }] }),
    },
  });
  await mixer.start(mesh.identity);
});
afterAll(async () => {
  await Promise.all([zipkin.stop(), collector.stop()]);
  await mixer.stop();
  await mesh.stop();
});

const traced = (spec: object) =>
  mesh.apply(
    'telemetry',
    telemetryYaml('mesh', { tracing: [{ providers: [{ name: 'zipkin' }], ...always, ...spec }] }),
  );

/** Somebody whose calls the test can tell from others: traces have the user as a tag. */
const someone = () => `user-${randomBytes(6).toString('hex')}`;
const call = async (target: string, user = someone()) =>
  // A connection each: one that is kept may be ended, as its listener has changed, while it is being used.
  (await mesh.call(target, { headers: { 'end-user': user, connection: 'close' } })).status;

/** Whether the client's proxy has the last call to details traced, or not: its decision is handed on. */
const decision = () => mesh.echo('details-v1').seen.at(-1)?.headers['x-b3-sampled'];

/** Calls until of the last twenty decisions each was one of these, and all of these were made: each worker has the change. */
const settle = (wanted: readonly string[]) => {
  const seen: (string | undefined)[] = [];
  return poll(
    async () => {
      await call('http://details:8080/');
      seen.push(decision());
      return seen.length >= 20 && [...new Set(seen.slice(-20))].sort().join() === wanted.join();
    },
    `the decisions ${wanted.join()}`,
    60_000,
  );
};

describe('tracing with a real Zipkin', () => {
  it('shows one trace of six spans for a call over three hops, each with the right parent', async () => {
    const user = someone();
    expect(await call(url, user)).toBe(200);
    const spans = await zipkin.traceOfTag('user', user, 6);
    expect(spans).toHaveLength(6);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    const find = (kind: ZipkinSpan['kind'], service: string): ZipkinSpan | undefined =>
      spans.find((span) => span.kind === kind && span.localEndpoint?.serviceName === service);
    const chain = [
      find('CLIENT', 'client.default'),
      find('SERVER', 'productpage.default'),
      find('CLIENT', 'productpage.default'),
      find('SERVER', 'reviews.default'),
      find('CLIENT', 'reviews.default'),
      find('SERVER', 'ratings.default'),
    ];
    expect(chain.map((span) => span?.parentId)).toEqual([undefined, ...chain.slice(0, -1).map((span) => span?.id)]);
    expect(new Set(chain.map((span) => span?.id)).size).toBe(6);
    for (const span of chain) expect(span?.tags).toMatchObject({ 'http.status_code': '200', team: 'books', user });
    // What is called lies within the call.
    for (const [i, span] of chain.slice(1).entries()) expect(span?.duration).toBeLessThanOrEqual(chain[i]!.duration!);
  });

  it('takes none at 0 %', async () => {
    await traced({ randomSamplingPercentage: 0 });
    await settle(['0']);
    const [before, after] = [someone(), someone()];
    await many(50, () => call(url, before));
    await traced({ randomSamplingPercentage: 100 });
    await settle(['1']);
    await call(url, after);
    // Proxies send spans in order: what comes after is there, so what was before would be.
    await zipkin.traceOfTag('user', after, 6);
    expect(await zipkin.tracesOfTag('user', before)).toEqual([]);
  });

  it('takes the share of requests that the Telemetry resource says, and all of those', async () => {
    await traced({ randomSamplingPercentage: 50 });
    await settle(['0', '1']);
    mesh.resetUpstreams();
    const user = someone();
    const trials = 400;
    await many(trials, () => call('http://details:8080/', user));
    const sampled = mesh.echo('details-v1').seen.filter(({ headers }) => headers['x-b3-sampled'] === '1').length;
    const { low, high } = binomialRange(trials, 0.5);
    expect(sampled).toBeGreaterThanOrEqual(low);
    expect(sampled).toBeLessThanOrEqual(high);
    await poll(async () => (await zipkin.tracesOfTag('user', user)).length >= sampled, `${sampled} traces`, 60_000);
    expect(await zipkin.tracesOfTag('user', user)).toHaveLength(sampled);
  });
});

/** Calls until there are spans of each side of each proxy: each takes a change over by itself. */
const untilAllSend = (sides: () => Promise<readonly string[]>) =>
  poll(
    async () => {
      await call(url);
      return new Set(await sides()).size === 6;
    },
    'all proxies to send spans there',
    60_000,
  );

describe('tracing with mixer', () => {
  /** The trace of a user's one call, when it has so many spans. */
  async function traceOf(user: string, spans: number): Promise<readonly ZipkinSpan[]> {
    const url = `http://${mixer.adminAddress}/api/v2/traces?annotationQuery=user=${user}`;
    const read = async () => ((await (await fetch(url)).json()) as ZipkinSpan[][])[0] ?? [];
    await poll(async () => (await read()).length >= spans, `${spans} spans at mixer`, 60_000);
    return await read();
  }

  it('has the six spans of three hops, sent by the built-in provider, and seinectl prints them as a tree', async () => {
    const fault = { delay: { percentage: { value: 100 }, fixedDelay: '300ms' } };
    await mesh.apply('slow', httpRoutesYaml('ratings', [{ fault, route: [to('ratings')] }]));
    await traced({ providers: [{ name: 'mixer' }] });
    await untilAllSend(async () => {
      const traces = (await (
        await fetch(`http://${mixer.adminAddress}/api/v2/traces?limit=1000`)
      ).json()) as ZipkinSpan[][];
      return traces.flat().map(({ kind, localEndpoint }) => `${localEndpoint?.serviceName ?? ''} ${kind ?? ''}`);
    });
    const user = someone();
    expect(await call(url, user)).toBe(200);
    const spans = await traceOf(user, 6);
    expect(spans).toHaveLength(6);
    const byId = new Map(spans.map((span) => [span.id, span]));
    const chain: string[] = [];
    let at = spans.find(({ localEndpoint }) => localEndpoint?.serviceName === 'ratings.default');
    while (at) {
      chain.push(`${at.kind ?? ''} ${at.localEndpoint?.serviceName ?? ''}`);
      at = byId.get(at.parentId ?? '');
    }
    expect(chain.reverse()).toEqual([
      'CLIENT client.default',
      'SERVER productpage.default',
      'CLIENT productpage.default',
      'SERVER reviews.default',
      'CLIENT reviews.default',
      'SERVER ratings.default',
    ]);
    for (const { tags } of spans) expect(tags).toMatchObject({ 'http.status_code': '200', team: 'books', user });
    const printed = await seinectl('trace', spans[0]!.traceId, '--mixer-admin', mixer.adminAddress);
    expect(printed).toMatch(/: 6 spans of 4 services, /);
    expect(printed).toMatch(/^ {12}└─ ratings\.default +server .* 200 /m);
    expect(printed).toMatch(/^slowest: the call of reviews\.default to ratings\.default\.svc\.cluster\.local:8080/m);
    const last = await seinectl('trace', '--service', 'ratings.default', '--mixer-admin', mixer.adminAddress);
    expect(last).toContain('ratings.default');
  });
});

it('sends OpenTelemetry spans that its own code reads, as for Jaeger', async () => {
  await traced({ providers: [{ name: 'jaeger' }] });
  await untilAllSend(() => Promise.resolve(collector.spans.map(({ service, kind }) => `${service} ${kind}`)));
  const user = someone();
  expect(await call(url, user)).toBe(200);
  const found = () => collector.spans.filter(({ tags }) => tags['user'] === user);
  await poll(() => Promise.resolve(found().length >= 6), 'six spans', 60_000);
  const spans = found();
  expect(spans).toHaveLength(6);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  const parents = spans.map(({ parentId }) => spans.find(({ id }) => id === parentId)?.service ?? 'nobody');
  expect(parents.sort()).toEqual(
    ['nobody', 'client', 'productpage', 'productpage', 'reviews', 'reviews']
      .map((name) => (name === 'nobody' ? name : `${name}.default`))
      .sort(),
  );
  for (const { tags } of spans) expect(tags).toMatchObject({ 'http.status_code': '200', team: 'books' });
});
