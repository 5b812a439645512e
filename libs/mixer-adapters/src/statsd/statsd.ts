import { forms, type Of } from '@seine/istio';
import { type AdapterContext, adapterKind, type AdapterKind, type ParamsProblem, type Templates } from '@seine/mixer';
import { addressProblems, hostPort } from '../params/address.js';
import { milliseconds } from '../params/durations.js';
import { UdpLines } from '../push/udp-lines.js';
import type { AdapterRim } from '../rim/rim.js';
import { numberOf } from '../values/values.js';
import { nameTemplate, plainName, templateFields } from './name-template.js';

const types = ['UNKNOWN', 'COUNTER', 'GAUGE', 'DISTRIBUTION'] as const;

const params = forms.message('Sends metrics to StatsD.', {
  address: { ...forms.text('host:port of StatsD, UDP.'), default: 'localhost:8125' },
  prefix: { ...forms.text('Stands before all names, with a dot.'), default: '' },
  flushDuration: { ...forms.durationOrZero('How long metrics may wait for others.'), default: '300ms' },
  flushBytes: { ...forms.integer('Most bytes of a packet.', { minimum: 0, maximum: 65_000 }), default: 512 },
  samplingRate: { ...forms.decimal('What part of metrics is sent.', { minimum: 0, maximum: 1 }), default: 1 },
  metrics: {
    ...forms.mapOf(
      forms.message('How a metric is sent.', {
        type: { ...forms.choice(types, 'What it is.', { numbered: true }), default: 'UNKNOWN' },
        nameTemplate: { ...forms.text('Its name, as {{.apiMethod}}-{{.responseCode}}, of dimensions.'), default: '' },
      }),
      'By full name of the metric instance.',
    ),
    default: {},
  },
});
type Params = Required<Of<typeof params>>;
type Info = Required<Params['metrics'][string]>;

function problems(given: Of<typeof params>): readonly ParamsProblem[] {
  const { address, metrics } = given as Params;
  return [
    ...addressProblems('address', address),
    ...Object.entries(metrics as Readonly<Record<string, Info>>).flatMap(([name, info]) => {
      const at = `metrics[${name}]`;
      const found: ParamsProblem[] = [];
      if (info.type === 'UNKNOWN')
        found.push({ path: `${at}.type`, message: 'Must be one of COUNTER, GAUGE, DISTRIBUTION.' });
      if (!templateFields(info.nameTemplate))
        found.push({
          path: `${at}.nameTemplate`,
          message: `'${info.nameTemplate}': only {{.dimension}} is understood.`,
        });
      return found;
    }),
  ];
}

/** A metric's lines; none where it is no number. */
type Lines = (instance: Templates['metric']) => readonly string[];

function writer(name: string, info: Info, given: Params, { instances, warn }: AdapterContext): Lines {
  const known = instances.get(name);
  const dimensions = known?.maps['dimensions'];
  for (const field of templateFields(info.nameTemplate) ?? [])
    if (known && !dimensions?.has(field)) warn(`${name} has no dimension '${field}' for its nameTemplate`);
  const prefix = given.prefix === '' ? '' : `${given.prefix}.`;
  const made = info.nameTemplate === '' ? undefined : nameTemplate(info.nameTemplate, dimensions);
  const plain = plainName(name);
  const rate = given.samplingRate < 1 ? `|@${given.samplingRate}` : '';
  const timed = known?.value === 'DURATION';

  return ({ value, dimensions: of }) => {
    const seconds = numberOf(value, known?.value);
    if (!Number.isFinite(seconds)) return [];
    const full = prefix + (made?.(of) ?? plain);
    switch (info.type) {
      case 'GAUGE':
        // A sign would make it a change of the gauge.
        return seconds < 0 ? [`${full}:0|g`, `${full}:${seconds}|g`] : [`${full}:${seconds}|g${rate}`];
      case 'DISTRIBUTION':
        return [timed ? `${full}:${Number((seconds * 1000).toFixed(6))}|ms${rate}` : `${full}:${seconds}|c${rate}`];
      default:
        return [`${full}:${seconds}|c${rate}`];
    }
  };
}

/** Metrics for StatsD over UDP (Istio 1.4's `statsd`). */
export const statsd = (rim: AdapterRim): AdapterKind =>
  adapterKind<Params>({
    name: 'statsd',
    templates: ['metric'],
    params,
    problems,
    make(given, context) {
      const writers = new Map<string, Lines>();
      for (const [name, info] of Object.entries(given.metrics as Readonly<Record<string, Info>>))
        writers.set(name, writer(name, info, given, context));
      for (const [name, { template }] of context.instances)
        if (template === 'metric' && !writers.has(name))
          context.warn(`metrics has nothing for the instance ${name}, so it is not sent`);

      const flushMs = milliseconds(given.flushDuration);
      const maxBytes = given.flushBytes === 0 ? 512 : given.flushBytes;
      const udp = new UdpLines({ to: hostPort(given.address), maxBytes, warn: context.warn });
      if (flushMs > 0) context.every(flushMs, () => udp.flush());
      return {
        metric(instances) {
          for (const instance of instances)
            if (given.samplingRate >= 1 || rim.random() < given.samplingRate)
              for (const line of writers.get(instance.instance)?.(instance) ?? []) udp.add(line);
          if (flushMs === 0) udp.flush();
        },
        close: () => udp.close(),
      };
    },
  });
