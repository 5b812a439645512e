import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { InstanceTypes, Templates, Value, ValueType } from '@seine/mixer';
import { makeAdapter, problemsOf, TestContext, testRim } from '../testing/adapter.fixture.js';
import { HttpServer } from '../testing/http-server.fixture.js';
import { otlpMetrics } from './otlp-metrics.js';

const types = (value: ValueType): InstanceTypes => ({
  template: 'metric',
  value,
  maps: { dimensions: new Map([['code', 'INT64']]) },
});
const instances = { count: types('INT64'), latency: types('DURATION'), open: types('DOUBLE') };
const metric = (instance: string, value: Value, code = 200): Templates['metric'] => ({
  instance,
  value,
  dimensions: new Map([['code', code]]),
  monitoredResourceType: '',
  monitoredResourceDimensions: new Map(),
});
const metrics = [
  { instanceName: 'count', name: 'requests', kind: 'COUNTER', unit: '{request}', description: 'Requests.' },
  { instance_name: 'latency', kind: 'DISTRIBUTION', buckets: { explicit_buckets: { bounds: [0.1, 1] } } },
  { instanceName: 'open', kind: 'GAUGE' },
];

interface Request {
  readonly resourceMetrics: readonly { readonly scopeMetrics: readonly { readonly metrics: readonly unknown[] }[] }[];
}

describe('otlp-metrics', () => {
  let server: HttpServer;
  let context: TestContext;
  beforeEach(async () => {
    server = await HttpServer.listen();
    context = new TestContext({ instances, time: 1_000_000 });
  });
  afterEach(() => server.close());

  const made = (more: object = {}) =>
    makeAdapter(otlpMetrics(testRim()), { endpoint: server.url, metrics, ...more }, context);
  const sent = (i: number) => server.json<Request>()[i]!.resourceMetrics[0]!.scopeMetrics[0]!.metrics;

  it('sends sums, histograms and gauges from the beginning on', async () => {
    const adapter = await made();
    await adapter.metric!([
      metric('count', 2),
      metric('count', 1, 503),
      metric('latency', 100),
      metric('latency', 5000),
    ]);
    await adapter.metric!([metric('open', 3), metric('open', -1.5), metric('count', -1), metric('nobody', 1)]);
    await context.pass(60_000);
    const attributes = [{ key: 'code', value: { intValue: '200' } }];
    const times = { startTimeUnixNano: '1000000000000', timeUnixNano: '1060000000000' };
    expect(server.requests[0]).toMatchObject({ path: '/v1/metrics' });
    expect(sent(0)).toEqual([
      {
        name: 'requests',
        description: 'Requests.',
        unit: '{request}',
        sum: {
          aggregationTemporality: 2,
          isMonotonic: true,
          dataPoints: [
            { ...times, attributes, asDouble: 2 },
            { ...times, attributes: [{ key: 'code', value: { intValue: '503' } }], asDouble: 1 },
          ],
        },
      },
      {
        name: 'latency',
        description: '',
        unit: 's',
        histogram: {
          aggregationTemporality: 2,
          dataPoints: [
            {
              ...times,
              attributes,
              count: '2',
              sum: 5.1,
              bucketCounts: ['1', '0', '1'],
              explicitBounds: [0.1, 1],
            },
          ],
        },
      },
      { name: 'open', description: '', unit: '', gauge: { dataPoints: [{ ...times, attributes, asDouble: -1.5 }] } },
    ]);
    await adapter.metric!([metric('count', 5)]);
    await adapter.close?.();
    expect(sent(1)).toMatchObject([{ sum: { dataPoints: [{ asDouble: 7 }, { asDouble: 1 }] } }, {}, {}]);
  });

  it('sends nothing where nothing was counted', async () => {
    const adapter = await made();
    await context.pass(60_000);
    await adapter.close?.();
    expect(server.requests).toEqual([]);
  });

  it('loses nothing while the collector is away', async () => {
    const adapter = await made();
    server.answer = () => ({ status: 503 });
    await adapter.metric!([metric('count', 1)]);
    await context.pass(60_000);
    await adapter.metric!([metric('count', 1)]);
    await context.pass(60_000);
    server.answer = () => ({});
    await context.pass(60_000);
    expect(sent(2)).toMatchObject([{ sum: { dataPoints: [{ asDouble: 2 }] } }]);
    expect(context.warnings).toHaveLength(1);
    await adapter.close?.();
  });

  it('is bounded, its sum right, and says so', async () => {
    const adapter = await made({ maxPoints: 3 });
    for (let i = 0; i < 100; i++) await adapter.metric!([metric('count', 1, i)]);
    await adapter.close?.();
    expect(sent(0)).toMatchObject([
      {
        sum: {
          dataPoints: [
            { asDouble: 1 },
            { asDouble: 1 },
            { asDouble: 1 },
            { attributes: [{ key: 'otel.metric.overflow', value: { boolValue: true } }], asDouble: 97 },
          ],
        },
      },
    ]);
    expect(context.warnings).toHaveLength(1);
  });

  it.each([
    ['a metric of no kind', { metrics: [{ instanceName: 'count' }] }, 'metrics[0].kind'],
    ['a metric of no instance', { metrics: [{ kind: 'GAUGE' }] }, 'metrics[0].instanceName'],
    ['an endpoint that is none', { endpoint: 'x' }, 'endpoint'],
  ])('refuses %s', (_, params, path) => {
    expect(problemsOf(otlpMetrics(testRim()), params)).toMatchObject([{ path }]);
  });
});
