import { forms, type Of } from '@seine/istio';
import { type AdapterContext, adapterKind, type AdapterKind, type ParamsProblem, type Templates } from '@seine/mixer';
import { anyValue, attributesOf, nanoseconds, postOtlp, signalUrl } from '../otlp/otlp.js';
import { otlpFields, otlpProblems } from '../otlp/params.js';
import { milliseconds } from '../params/durations.js';
import { bucketProblems, bucketsSchema, boundsOf } from '../prometheus/buckets.js';
import { reasonOf } from '../rim/reason.js';
import type { AdapterRim } from '../rim/rim.js';
import { numberOf, textOf } from '../values/values.js';
import { Aggregate, type MetricKind } from './aggregate.js';

const kinds = ['UNSPECIFIED', 'GAUGE', 'COUNTER', 'DISTRIBUTION'] as const;

const params = forms.message('Sends metrics by OTLP over HTTP.', {
  ...otlpFields,
  pushInterval: { ...forms.duration('How often they are sent.'), default: '60s' },
  maxPoints: { ...forms.integer('Most points of a metric.', { minimum: 1 }), default: 2000 },
  metrics: {
    ...forms.list(
      forms.message('A metric.', {
        name: { ...forms.text('Its name; that of the instance where left out.'), default: '' },
        instanceName: { ...forms.text('Full name of the metric instance.'), default: '' },
        description: { ...forms.text('What it says.'), default: '' },
        unit: { ...forms.text('As s, By or {request}; s for durations where left out.'), default: '' },
        kind: { ...forms.choice(kinds, 'What it is.', { numbered: true }), default: 'UNSPECIFIED' },
        buckets: bucketsSchema,
      }),
      'What is sent, with all dimensions as attributes.',
    ),
    default: [],
  },
});
type Params = Required<Of<typeof params>>;
type Metric = Omit<Required<Params['metrics'][number]>, 'buckets'> & Pick<Params['metrics'][number], 'buckets'>;

function problems(given: Of<typeof params>): readonly ParamsProblem[] {
  const { metrics } = given as Params;
  return [
    ...otlpProblems(given as Params),
    ...(metrics as readonly Metric[]).flatMap(({ instanceName, kind, buckets }, i) => {
      const found: ParamsProblem[] = [...bucketProblems(buckets, `metrics[${i}].buckets`)];
      if (instanceName === '')
        found.push({ path: `metrics[${i}].instanceName`, message: 'Must be the full name of a metric instance.' });
      if (kind === 'UNSPECIFIED')
        found.push({ path: `metrics[${i}].kind`, message: 'Must be one of GAUGE, COUNTER, DISTRIBUTION.' });
      return found;
    }),
  ];
}

interface Kept {
  readonly metric: Metric;
  readonly unit: string;
  readonly aggregate: Aggregate;
  readonly bounds: readonly number[];
  readonly record: (instance: Templates['metric']) => void;
}

function keep(metric: Metric, { maxPoints }: Params, { instances, now, warn }: AdapterContext): Kept {
  const types = instances.get(metric.instanceName);
  const dimensions = types?.maps['dimensions'];
  const bounds = metric.kind === 'DISTRIBUTION' ? boundsOf(metric.buckets) : [];
  const aggregate = new Aggregate({ kind: metric.kind as MetricKind, bounds, maxPoints, now });
  const lowest = metric.kind === 'COUNTER' ? 0 : -Infinity;
  let warned = false;
  const record = (instance: Templates['metric']): void => {
    const value = numberOf(instance.value, types?.value);
    if (!Number.isFinite(value) || value < lowest) return;
    let key = '';
    for (const [name, dimension] of instance.dimensions) key += `${name}=${textOf(dimension, dimensions?.get(name))}\0`;
    const attributes = () =>
      [...instance.dimensions].map(([name, dimension]) => ({
        key: name,
        value: anyValue(dimension, dimensions?.get(name)),
      }));
    aggregate.record(key, attributes, value);
    if (!warned && aggregate.size > maxPoints) {
      warned = true;
      warn(`${metric.instanceName} has more than ${maxPoints} points: further ones are put together in one`);
    }
  };
  const unit = metric.unit === '' && types?.value === 'DURATION' ? 's' : metric.unit;
  return { metric, unit, aggregate, bounds, record };
}

/** opentelemetry-proto: AGGREGATION_TEMPORALITY_CUMULATIVE. */
const cumulative = 2;

function exported({ metric, unit, aggregate, bounds }: Kept, now: number): object {
  const timeUnixNano = nanoseconds(now);
  const common = {
    name: metric.name === '' ? metric.instanceName : metric.name,
    description: metric.description,
    unit,
  };
  const points = [...aggregate.all()].map(({ attributes, since, sum, count, buckets }) => {
    const point = { attributes, startTimeUnixNano: nanoseconds(since), timeUnixNano };
    if (metric.kind !== 'DISTRIBUTION') return { ...point, asDouble: sum };
    return { ...point, count: String(count), sum, bucketCounts: buckets.map(String), explicitBounds: bounds };
  });
  switch (metric.kind) {
    case 'GAUGE':
      return { ...common, gauge: { dataPoints: points } };
    case 'DISTRIBUTION':
      return { ...common, histogram: { aggregationTemporality: cumulative, dataPoints: points } };
    default:
      return { ...common, sum: { aggregationTemporality: cumulative, isMonotonic: true, dataPoints: points } };
  }
}

/** Metrics for any collector of OpenTelemetry. */
export const otlpMetrics = (rim: AdapterRim): AdapterKind =>
  adapterKind<Params>({
    name: 'otlp-metrics',
    templates: ['metric'],
    params,
    problems,
    make(given, context) {
      const { headers, endpoint } = given;
      const target = { url: signalUrl(endpoint, '/v1/metrics'), headers, timeoutMs: milliseconds(given.timeout) };
      const resource = { attributes: attributesOf(given.resourceAttributes) };
      const kept = (given.metrics as readonly Metric[]).map((metric) => keep(metric, given, context));
      const byInstance = new Map<string, Kept[]>();
      for (const one of kept)
        byInstance.set(one.metric.instanceName, [...(byInstance.get(one.metric.instanceName) ?? []), one]);
      let failing = false;

      /** Points are of all time, so what is not sent now is in what is sent next. */
      const push = async (): Promise<void> => {
        const counted = kept.filter(({ aggregate }) => aggregate.size > 0);
        if (counted.length === 0) return;
        const metrics = counted.map((one) => exported(one, context.now()));
        const scopeMetrics = [{ scope: { name: 'seine.mixer' }, metrics }];
        try {
          const rejected = await postOtlp(rim, target, { resourceMetrics: [{ resource, scopeMetrics }] });
          if (rejected !== undefined) context.warn(`${target.url} took metrics, but not ${rejected}`);
          failing = false;
        } catch (error) {
          if (!failing) context.warn(`cannot send metrics to ${target.url}: ${reasonOf(error)}; it is tried again`);
          failing = true;
        }
      };
      let pushing: Promise<void> | undefined;
      const pushOnce = (): Promise<void> => (pushing ??= push().finally(() => (pushing = undefined)));
      context.every(milliseconds(given.pushInterval), pushOnce);
      return {
        metric(instances) {
          for (const instance of instances)
            for (const { record } of byInstance.get(instance.instance) ?? []) record(instance);
        },
        async close() {
          await pushing;
          await push();
        },
      };
    },
  });
