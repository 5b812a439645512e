import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { many, meshConfigYaml, request, telemetryYaml, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
const collector = { service: 'collector.default.svc.cluster.local', port: 8080 };
beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1', sidecar: true }, { name: 'ratings-v1', sidecar: true }, { name: 'collector-v1' }],
    config: {
      'mesh-config': meshConfigYaml({
        extensionProviders: [
          { name: 'zipkin', zipkin: collector },
          { name: 'otel', opentelemetry: { ...collector, http: { path: '/v1/traces' } } },
        ],
      }),
    },
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

/** As Zipkin's API v2 has it. */
interface Span {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly kind: string;
  readonly localEndpoint: { readonly serviceName: string };
  readonly tags: Readonly<Record<string, string>>;
}

const reports = (path: string) => mesh.echo('collector-v1').seen.filter((seen) => seen.path === path);
const spans = (): Span[] => reports('/api/v2/spans').flatMap(({ body }) => JSON.parse(body) as Span[]);
const traced = (spec: object) => mesh.apply('telemetry', telemetryYaml('mesh', { tracing: [spec] }));

const propagated = ['x-request-id', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled', 'x-b3-parentspanid', 'traceparent'];

/** The headers that an application hands on from a request it serves to those it makes. */
function handedOn(name: string): Record<string, string> {
  const headers = mesh.echo(name).seen.at(-1)?.headers ?? {};
  return Object.fromEntries(Object.entries(headers).filter(([header]) => propagated.includes(header)));
}

/**
 * Calls until what reviews gets is so: connections that were open when a listener changed are traced as before until
 * they are drained.
 */
const settle = (holds: (headers: Record<string, string>) => boolean) =>
  poll(
    async () => {
      await mesh.call('http://reviews:8080/');
      return holds(handedOn('reviews-v1'));
    },
    'the change to be in force',
    60_000,
  );

describe('tracing', () => {
  it('gives one trace of a call over three workloads, each span with its parent', async () => {
    await traced({
      providers: [{ name: 'zipkin' }],
      randomSamplingPercentage: 100,
      customTags: {
        team: { literal: { value: 'books' } },
        user: { header: { name: 'end-user', defaultValue: 'nobody' } },
      },
    });
    await mesh.call('http://reviews:8080/', { headers: { 'end-user': 'jason' } });
    // The application of reviews calls ratings through its own Envoy.
    const address = mesh.workloads.get('reviews-v1')?.address ?? '';
    await request(address, 15_007, 'http://ratings:8080/', {
      headers: { host: 'ratings:8080', ...handedOn('reviews-v1') },
    });
    await poll(() => spans().length >= 4, 'four spans', 30_000);
    const all = spans();
    expect(all).toHaveLength(4);
    expect(new Set(all.map(({ traceId }) => traceId)).size).toBe(1);
    const find = (kind: string, service: string) =>
      all.find((span) => span.kind === kind && span.localEndpoint.serviceName === service);
    const chain = [
      find('CLIENT', 'client.default'),
      find('SERVER', 'reviews.default'),
      find('CLIENT', 'reviews.default'),
      find('SERVER', 'ratings.default'),
    ];
    expect(chain.map((span) => span?.parentId)).toEqual([undefined, ...chain.slice(0, -1).map((span) => span?.id)]);
    expect(chain[1]?.tags).toMatchObject({
      'istio.canonical_service': 'reviews',
      'istio.canonical_revision': 'v1',
      'istio.namespace': 'default',
      'istio.mesh_id': 'unknown',
      'istio.cluster_id': 'unknown',
      'http.status_code': '200',
      team: 'books',
      user: 'jason',
    });
    expect(chain[3]?.tags['user']).toBe('nobody');
  });

  it('traces no request at 0 percent', async () => {
    await traced({ providers: [{ name: 'zipkin' }], randomSamplingPercentage: 0 });
    await settle((headers) => headers['x-b3-sampled'] === '0');
    mesh.resetUpstreams();
    await many(20, () => mesh.call('http://reviews:8080/'));
    expect(mesh.echo('reviews-v1').seen.map(({ headers }) => headers['x-b3-sampled'])).toEqual(Array(20).fill('0'));
  });

  it('traces only the side that a Telemetry names', async () => {
    await traced({ match: { mode: 'CLIENT' }, providers: [{ name: 'zipkin' }], randomSamplingPercentage: 100 });
    // A span of the called side would have the caller's as its parent.
    await settle((headers) => headers['x-b3-sampled'] === '1' && headers['x-b3-parentspanid'] === undefined);
    const own = handedOn('reviews-v1')['x-b3-traceid'];
    await poll(() => spans().some(({ traceId }) => traceId === own), 'the span of the caller', 30_000);
    expect(spans().filter(({ traceId }) => traceId === own)).toEqual([expect.objectContaining({ kind: 'CLIENT' })]);
  });

  it('ends where it is disabled', async () => {
    await traced({ providers: [{ name: 'zipkin' }], randomSamplingPercentage: 100, disableSpanReporting: true });
    await settle((headers) => headers['x-b3-traceid'] === undefined);
  });

  it('sends OpenTelemetry spans by HTTP, under the name of the service', async () => {
    await traced({ providers: [{ name: 'otel' }], randomSamplingPercentage: 100 });
    await settle((headers) => headers['traceparent'] !== undefined && headers['x-b3-traceid'] === undefined);
    const names = () => reports('/v1/traces').flatMap(({ body }) => body.match(/(client|reviews)\.default/g) ?? []);
    await settle(() => new Set(names()).size === 2);
  });

  it('does without a provider whose service there is not', async () => {
    await mesh.apply(
      'mesh-config',
      meshConfigYaml({ extensionProviders: [{ name: 'zipkin', zipkin: { service: 'nobody.default.svc', port: 1 } }] }),
    );
    await traced({ providers: [{ name: 'zipkin' }], randomSamplingPercentage: 100 });
    await settle((headers) => headers['x-b3-traceid'] === undefined && headers['traceparent'] === undefined);
    expect((await mesh.client.rejections()).count).toBe(0);
  });
});
