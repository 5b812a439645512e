import { describe, expect, it } from '@jest/globals';
import type { InstanceTypes, Templates, Value, ValueType } from '@seine/mixer';
import { readExposition } from '@seine/telemetry';
import { makeAdapter, problemsOf, TestContext } from '../testing/adapter.fixture.js';
import { boundsOf } from './buckets.js';
import { PrometheusExposition } from './exposition.js';
import { prometheus } from './prometheus.js';

const types = (value: ValueType): InstanceTypes => ({
  template: 'metric',
  value,
  maps: {
    dimensions: new Map<string, ValueType>([
      ['source_app', 'STRING'],
      ['response_code', 'INT64'],
    ]),
  },
});
const instances = {
  'requestcount.metric.istio-system': types('INT64'),
  'requestduration.metric.istio-system': types('DURATION'),
};
const metric = (instance: string, value: Value, source = 'reviews', code = 200): Templates['metric'] => ({
  instance,
  value,
  dimensions: new Map<string, Value>([
    ['source_app', source],
    ['response_code', code],
  ]),
  monitoredResourceType: 'UNSPECIFIED',
  monitoredResourceDimensions: new Map(),
});

const requests = {
  name: 'requests_total',
  instance_name: 'requestcount.metric.istio-system',
  kind: 'COUNTER',
  label_names: ['source_app', 'response_code'],
};
const duration = {
  name: 'request_duration_seconds',
  instance_name: 'requestduration.metric.istio-system',
  kind: 'DISTRIBUTION',
  label_names: ['source_app'],
  buckets: { explicit_buckets: { bounds: [0.005, 0.1, 1] } },
};

const family = (exposition: PrometheusExposition, name: string) => readExposition(exposition.text()).get(name);

describe('prometheus', () => {
  it('counts, and has distributions in seconds, under Istio’s names', async () => {
    const exposition = new PrometheusExposition();
    const params = { metrics: [requests, duration] };
    const adapter = await makeAdapter(prometheus(exposition), params, new TestContext({ instances }));
    await adapter.metric!([
      metric('requestcount.metric.istio-system', 1),
      metric('requestcount.metric.istio-system', 2, 'a"\\\n', 503),
      metric('requestduration.metric.istio-system', 70),
    ]);
    await adapter.metric!([metric('requestcount.metric.istio-system', 1)]);
    const counted = family(exposition, 'istio_requests_total');
    expect(counted).toMatchObject({ type: 'counter', help: 'istio_requests_total' });
    expect([...counted!.series]).toEqual([
      ['istio_requests_total{source_app="reviews",response_code="200"}', 2],
      ['istio_requests_total{source_app="a\\"\\\\\\n",response_code="503"}', 2],
    ]);
    const timed = family(exposition, 'istio_request_duration_seconds')!;
    expect([...timed.series.values()]).toEqual([0, 1, 1, 1, 0.07, 1]);
    expect([...timed.series.keys()][0]).toBe('istio_request_duration_seconds_bucket{source_app="reviews",le="0.005"}');
  });

  it('makes names that Prometheus takes, and sets gauges', async () => {
    const exposition = new PrometheusExposition();
    const params = {
      metrics: [{ ...requests, kind: 1, namespace: 'my-mesh', name: '', description: 'Requests.' }],
    };
    const adapter = await makeAdapter(prometheus(exposition), params, new TestContext({ instances }));
    await adapter.metric!([metric('requestcount.metric.istio-system', 5)]);
    await adapter.metric!([metric('requestcount.metric.istio-system', -3)]);
    const gauge = family(exposition, 'mymesh_requestcount_metric_istiosystem');
    expect(gauge).toMatchObject({ type: 'gauge', help: 'Requests.' });
    expect([...gauge!.series.values()]).toEqual([-3]);
  });

  it('keeps the counts of a metric when its handler is made anew', async () => {
    const exposition = new PrometheusExposition();
    const kind = prometheus(exposition);
    const count = metric('requestcount.metric.istio-system', 1);
    const before = await makeAdapter(kind, { metrics: [requests] }, new TestContext({ instances }));
    await before.metric!([count]);
    const after = await makeAdapter(kind, { metrics: [requests, duration] }, new TestContext({ instances }));
    await before.close?.();
    await after.metric!([count]);
    expect([...family(exposition, 'istio_requests_total')!.series.values()]).toEqual([2]);
    await after.close?.();
    expect(exposition.text()).toBe('');
  });

  it('begins anew when its handler defines a metric otherwise', async () => {
    const exposition = new PrometheusExposition();
    const kind = prometheus(exposition);
    const before = await makeAdapter(kind, { metrics: [requests] }, new TestContext({ instances }));
    await before.metric!([metric('requestcount.metric.istio-system', 7)]);
    const fewer = { ...requests, label_names: ['source_app'] };
    const after = await makeAdapter(kind, { metrics: [fewer] }, new TestContext({ instances }));
    await before.close?.();
    await after.metric!([metric('requestcount.metric.istio-system', 1)]);
    expect([...family(exposition, 'istio_requests_total')!.series]).toEqual([
      ['istio_requests_total{source_app="reviews"}', 1],
    ]);
  });

  it('two handlers share a metric, or the second is refused', async () => {
    const exposition = new PrometheusExposition();
    const kind = prometheus(exposition);
    const count = metric('requestcount.metric.istio-system', 1);
    const contexts = ['a.default', 'b.default'].map((handler) => new TestContext({ handler, instances }));
    const [a, b] = await Promise.all(contexts.map((context) => makeAdapter(kind, { metrics: [requests] }, context)));
    await a!.metric!([count]);
    await b!.metric!([count]);
    const other = new TestContext({ handler: 'c.default', instances });
    await expect(makeAdapter(kind, { metrics: [duration, { ...requests, kind: 'GAUGE' }] }, other)).rejects.toThrow(
      'handler a.default defines the metric istio_requests_total otherwise',
    );
    expect([...family(exposition, 'istio_requests_total')!.series.values()]).toEqual([2]);
    expect(family(exposition, 'istio_request_duration_seconds')).toBeUndefined();
  });

  it('is bounded, and says when labels are cut', async () => {
    const exposition = new PrometheusExposition(Date.now, 100);
    const context = new TestContext({ instances });
    const adapter = await makeAdapter(prometheus(exposition), { metrics: [requests] }, context);
    for (let i = 0; i < 1000; i++)
      await adapter.metric!([metric('requestcount.metric.istio-system', 1, `app-${i}-${'x'.repeat(2000)}`)]);
    const { series } = family(exposition, 'istio_requests_total')!;
    expect(series.size).toBeLessThan(110);
    expect([...series.values()].reduce((sum, value) => sum + value, 0)).toBe(1000);
    expect(context.warnings.slice(1)).toEqual([
      "istio_requests_total has more than 100 series: further values of source_app are 'other'",
    ]);
  });

  it('forgets what is not counted for long', async () => {
    const context = new TestContext({ instances });
    const exposition = new PrometheusExposition(context.now);
    const params = { metrics: [requests], metricsExpirationPolicy: { metricsExpiryDuration: '15s' } };
    const adapter = await makeAdapter(prometheus(exposition), params, context);
    await adapter.metric!([metric('requestcount.metric.istio-system', 1, 'old')]);
    await context.pass(10_000);
    await adapter.metric!([metric('requestcount.metric.istio-system', 1, 'new')]);
    await context.pass(7000);
    expect(context.timers.map(({ ms }) => ms)).toEqual([7500]);
    expect([...family(exposition, 'istio_requests_total')!.series.keys()]).toEqual([
      'istio_requests_total{source_app="new",response_code="200"}',
    ]);
  });

  it('says what it cannot count', async () => {
    const context = new TestContext({ instances });
    const exposition = new PrometheusExposition();
    const params = { metrics: [{ ...requests, label_names: ['source_app', 'nobody'] }] };
    const adapter = await makeAdapter(prometheus(exposition), params, context);
    for (const value of [-1, NaN, 'many', 1])
      await adapter.metric!([metric('requestcount.metric.istio-system', value)]);
    await adapter.metric!([metric('requestduration.metric.istio-system', 1)]);
    expect(context.warnings).toEqual([
      expect.stringContaining("no dimension 'nobody'"),
      expect.stringContaining('nothing for the instance requestduration.metric.istio-system'),
      '-1 is no amount for istio_requests_total; it is left out',
    ]);
    expect([...family(exposition, 'istio_requests_total')!.series]).toEqual([
      ['istio_requests_total{source_app="reviews",nobody=""}', 1],
    ]);
  });

  it.each([
    ['no kind', { ...requests, kind: null }, 'metrics[0].kind'],
    ['no instance', { ...requests, instance_name: null }, 'metrics[0].instanceName'],
    ['a name that is none', { ...requests, name: 'a+b' }, 'metrics[0].name'],
    ['a label that is none', { ...requests, label_names: ['a', 'le'] }, 'metrics[0].labelNames[1]'],
    [
      'bounds that do not ascend',
      { ...duration, buckets: { explicitBuckets: { bounds: [1, 1] } } },
      'metrics[0].buckets.explicitBuckets.bounds[1]',
    ],
    [
      'buckets that do not grow',
      { ...duration, buckets: { exponentialBuckets: { numFiniteBuckets: 8, growthFactor: 1, scale: 1 } } },
      'metrics[0].buckets.exponentialBuckets.growthFactor',
    ],
    [
      'buckets of no width',
      { ...duration, buckets: { linear_buckets: { num_finite_buckets: 8 } } },
      'metrics[0].buckets.linearBuckets.width',
    ],
  ])('refuses %s', (_, given, path) => {
    expect(problemsOf(prometheus(new PrometheusExposition()), { metrics: [given] })).toMatchObject([{ path }]);
  });

  it('refuses two metrics of one name', () => {
    const params = { metrics: [requests, { ...duration, name: 'requests/total' }] };
    expect(problemsOf(prometheus(new PrometheusExposition()), params)).toMatchObject([{ path: 'metrics[1].name' }]);
  });
});

it.each([
  ['usual', undefined, [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]],
  ['linear', { linearBuckets: { numFiniteBuckets: 3, width: 5, offset: 1 } }, [1, 6, 11, 16]],
  ['exponential', { exponentialBuckets: { numFiniteBuckets: 3, growthFactor: 10, scale: 1 } }, [1, 10, 100, 1000]],
  ['explicit', { explicitBuckets: { bounds: [1, 2] } }, [1, 2]],
])('bounds of %s buckets', (_, buckets, expected) => {
  expect(boundsOf(buckets)).toEqual(expected);
});
