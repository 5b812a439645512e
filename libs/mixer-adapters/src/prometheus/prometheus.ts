import { forms, type Of } from '@seine/istio';
import { type AdapterContext, adapterKind, type AdapterKind, type ParamsProblem, type Templates } from '@seine/mixer';
import { isLabelName, type LabelledSeries } from '@seine/telemetry';
import { milliseconds } from '../params/durations.js';
import { numberOf, textOf } from '../values/values.js';
import { bucketProblems, bucketsSchema, boundsOf } from './buckets.js';
import type { MetricDefinition, PrometheusExposition } from './exposition.js';

const kinds = ['UNSPECIFIED', 'GAUGE', 'COUNTER', 'DISTRIBUTION'] as const;
const types = { GAUGE: 'gauge', COUNTER: 'counter', DISTRIBUTION: 'histogram' } as const;

const params = forms.message('Keeps metrics for Prometheus to read.', {
  metrics: {
    ...forms.list(
      forms.message('A metric.', {
        namespace: { ...forms.text('The beginning of its name.'), default: 'istio' },
        name: { ...forms.text('The rest of its name; that of the instance where left out.'), default: '' },
        instanceName: {
          ...forms.text('Full name of the metric instance, as requestcount.metric.istio-system.'),
          default: '',
        },
        description: { ...forms.text('HELP in what Prometheus reads.'), default: '' },
        kind: { ...forms.choice(kinds, 'What it is.', { numbered: true }), default: 'UNSPECIFIED' },
        buckets: bucketsSchema,
        labelNames: { ...forms.texts('The dimensions of the instance that become labels.'), default: [] },
      }),
      'What is counted.',
    ),
    default: [],
  },
  metricsExpirationPolicy: forms.message('Forgets what has not been counted for long.', {
    metricsExpiryDuration: forms.durationOrZero('For how long; never where left out.'),
    expiryCheckIntervalDuration: forms.durationOrZero('How often to look; half of it where left out.'),
  }),
});
type Params = Of<typeof params>;
type Metric = Required<Omit<NonNullable<Params['metrics']>[number], 'buckets'>> &
  Pick<NonNullable<Params['metrics']>[number], 'buckets'>;

/** As Istio made names that Prometheus takes. */
const safeName = (name: string): string => name.replace(/^\//, '').replaceAll(/[/. ]/g, '_').replaceAll('-', '');

const nameOf = ({ namespace, name, instanceName }: Metric): string =>
  `${safeName(namespace === '' ? 'istio' : namespace)}_${safeName(name === '' ? instanceName : name)}`;

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

function metricProblems(metric: Metric, path: string): readonly ParamsProblem[] {
  const found: ParamsProblem[] = [];
  if (metric.instanceName === '')
    found.push({ path: `${path}.instanceName`, message: 'Must be the full name of a metric instance.' });
  if (!metricName.test(nameOf(metric)))
    found.push({ path: `${path}.name`, message: `'${nameOf(metric)}' is no name of a metric.` });
  if (metric.kind === 'UNSPECIFIED')
    found.push({ path: `${path}.kind`, message: 'Must be one of GAUGE, COUNTER, DISTRIBUTION.' });
  metric.labelNames.forEach((label, i) => {
    if (!isLabelName(safeName(label)) || safeName(label) === 'le')
      found.push({ path: `${path}.labelNames[${i}]`, message: `'${label}' is no name of a label.` });
  });
  return [...found, ...bucketProblems(metric.buckets, `${path}.buckets`)];
}

function problems({ metrics = [] }: Params): readonly ParamsProblem[] {
  const seen = new Map<string, number>();
  return (metrics as readonly Metric[]).flatMap((metric, i) => {
    const name = nameOf(metric);
    const other = seen.get(name);
    seen.set(name, i);
    const twice = { path: `metrics[${i}].name`, message: `metrics[${other ?? 0}] has the name ${name} too.` };
    return [...metricProblems(metric, `metrics[${i}]`), ...(other === undefined ? [] : [twice])];
  });
}

function definitionOf(metric: Metric): MetricDefinition {
  const type = types[metric.kind as keyof typeof types];
  const name = nameOf(metric);
  return {
    name,
    type,
    help: metric.description === '' ? name : metric.description,
    labels: metric.labelNames.map(safeName),
    bounds: type === 'histogram' ? boundsOf(metric.buckets) : undefined,
  };
}

type Count = (instance: Templates['metric']) => void;

function counter(metric: Metric, series: LabelledSeries, { instances, warn }: AdapterContext): Count {
  const known = instances.get(metric.instanceName);
  const dimensions = known?.maps['dimensions'];
  const labels = metric.labelNames.map((name) => ({ name, type: dimensions?.get(name) }));
  for (const { name, type } of labels)
    if (known && type === undefined)
      warn(`${metric.instanceName} has no dimension '${name}', so the label of ${nameOf(metric)} is always empty`);
  const lowest = metric.kind === 'COUNTER' ? 0 : -Infinity;
  let warned = false;
  return ({ value, dimensions: given }) => {
    const amount = numberOf(value, known?.value);
    if (amount >= lowest) {
      series.with(labels.map(({ name, type }) => textOf(given.get(name), type))).record(amount);
      return;
    }
    if (!warned) warn(`${textOf(value, known?.value)} is no amount for ${nameOf(metric)}; it is left out`);
    warned = true;
  };
}

/** Metrics that Prometheus reads (Istio 1.4's `prometheus`). */
export function prometheus(exposition: PrometheusExposition): AdapterKind {
  return adapterKind<Params>({
    name: 'prometheus',
    templates: ['metric'],
    params,
    problems,
    make({ metrics = [], metricsExpirationPolicy }, context) {
      const used: ReturnType<PrometheusExposition['use']>[] = [];
      const close = (): void => used.forEach(({ release }) => release());
      const counters = new Map<string, Count>();
      try {
        for (const metric of metrics as readonly Metric[]) {
          const definition = definitionOf(metric);
          const one = exposition.use(definition, context.handler, ({ label, maxSeries }) =>
            context.warn(
              `${definition.name} has more than ${maxSeries} series: further values of ${label} are 'other'`,
            ),
          );
          used.push(one);
          counters.set(metric.instanceName, counter(metric, one.family.labels(definition.labels), context));
        }
      } catch (error) {
        close();
        throw error;
      }
      for (const [name, { template }] of context.instances)
        if (template === 'metric' && !counters.has(name))
          context.warn(`metrics has nothing for the instance ${name}, so it is not counted`);

      const expiryMs = milliseconds(metricsExpirationPolicy?.metricsExpiryDuration ?? '0s');
      const checkMs = milliseconds(metricsExpirationPolicy?.expiryCheckIntervalDuration ?? '0s');
      if (expiryMs > 0)
        context.every(checkMs > 0 ? checkMs : expiryMs / 2, () => used.forEach(({ expire }) => expire(expiryMs)));

      return {
        metric(instances) {
          for (const instance of instances) counters.get(instance.instance)?.(instance);
        },
        close,
      };
    },
  });
}
