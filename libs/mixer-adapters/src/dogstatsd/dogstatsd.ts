import { forms, type Of } from '@seine/istio';
import { type AdapterContext, adapterKind, type AdapterKind, type ParamsProblem, type Templates } from '@seine/mixer';
import { addressProblems, hostPort } from '../params/address.js';
import { UdpLines } from '../push/udp-lines.js';
import type { AdapterRim } from '../rim/rim.js';
import { plainName } from '../statsd/name-template.js';
import { numberOf, textOf } from '../values/values.js';

const types = ['UNKNOWN_TYPE', 'COUNTER', 'GAUGE', 'DISTRIBUTION'] as const;

const params = forms.message('Sends metrics to an agent of Datadog.', {
  address: { ...forms.text('host:port of the agent, UDP.'), default: 'localhost:8125' },
  prefix: { ...forms.text('Stands before all names.'), default: 'istio.' },
  bufferLength: { ...forms.integer('How many metrics go in a packet; 0 = one each.', { minimum: 0 }), default: 0 },
  globalTags: { ...forms.textMap('Tags of all metrics.'), default: {} },
  sampleRate: { ...forms.decimal('What part of metrics is sent.', { minimum: 0, maximum: 1 }), default: 1 },
  metrics: {
    ...forms.mapOf(
      forms.message('How a metric is sent.', {
        name: { ...forms.text('Its name; that of the instance where left out.'), default: '' },
        type: { ...forms.choice(types, 'What it is.', { numbered: true }), default: 'UNKNOWN_TYPE' },
        tags: { ...forms.textMap('Tags beside its dimensions.'), default: {} },
      }),
      'By full name of the metric instance; others are not sent.',
    ),
    default: {},
  },
});
type Params = Required<Of<typeof params>>;
type Info = Required<Params['metrics'][string]>;

function problems(given: Of<typeof params>): readonly ParamsProblem[] {
  const { address, metrics } = given as Params;
  const unknown = Object.entries(metrics)
    .filter(([, { type }]) => type === 'UNKNOWN_TYPE')
    .map(([name]) => ({ path: `metrics[${name}].type`, message: 'Must be one of COUNTER, GAUGE, DISTRIBUTION.' }));
  return [...addressProblems('address', address), ...unknown];
}

/** Longest value of a tag; Datadog cuts there, too. */
const longestTag = 200;
/** A tag's value may have a colon, but nothing that ends it. */
const tag = (name: string, value: string): string =>
  `${plainName(name)}:${value.slice(0, longestTag).replace(/[|,\s]/g, '_')}`;

type Line = (instance: Templates['metric']) => string | undefined;

function writer(name: string, info: Info, given: Params, { instances }: AdapterContext): Line {
  const known = instances.get(name);
  const dimensions = known?.maps['dimensions'];
  const timed = known?.value === 'DURATION';
  const kind = { COUNTER: 'c', GAUGE: 'g', DISTRIBUTION: timed ? 'ms' : 'h', UNKNOWN_TYPE: 'c' }[info.type];
  const full = plainName(given.prefix + (info.name === '' ? name : info.name));
  const rate = given.sampleRate < 1 ? `|@${given.sampleRate}` : '';
  const fixed = Object.entries({ ...given.globalTags, ...info.tags }).map(([key, value]) => tag(key, value));

  return ({ value, dimensions: of }) => {
    const amount = numberOf(value, known?.value);
    if (!Number.isFinite(amount)) return undefined;
    const shown = kind === 'ms' ? Number((amount * 1000).toFixed(6)) : amount;
    const tags = [...fixed];
    for (const [key, dimension] of of) tags.push(tag(key, textOf(dimension, dimensions?.get(key))));
    return `${full}:${shown}|${kind}${rate}${tags.length > 0 ? `|#${tags.join(',')}` : ''}`;
  };
}

/** Packets this large pass every network. */
const maxBytes = 1432;

/** Metrics for Datadog's agent over UDP (Istio 1.4's `dogstatsd`). */
export const dogstatsd = (rim: AdapterRim): AdapterKind =>
  adapterKind<Params>({
    name: 'dogstatsd',
    templates: ['metric'],
    params,
    problems,
    make(given, context) {
      const writers = new Map<string, Line>();
      for (const [name, info] of Object.entries(given.metrics as Readonly<Record<string, Info>>))
        writers.set(name, writer(name, info, given, context));
      const udp = new UdpLines({ to: hostPort(given.address), maxBytes, warn: context.warn });
      let waiting = 0;
      const flush = (): void => {
        waiting = 0;
        udp.flush();
      };
      if (given.bufferLength > 0) context.every(100, flush);
      return {
        metric(instances) {
          for (const instance of instances) {
            if (given.sampleRate < 1 && rim.random() >= given.sampleRate) continue;
            const line = writers.get(instance.instance)?.(instance);
            if (line === undefined) continue;
            udp.add(line);
            if (++waiting >= given.bufferLength) flush();
          }
        },
        close: () => udp.close(),
      };
    },
  });
