import { forms, type Of } from '@seine/istio';
import { type AdapterContext, adapterKind, type AdapterKind, type ParamsProblem, type Templates } from '@seine/mixer';
import { anyValue, attributesOf, type KeyValue, nanoseconds, postOtlp, signalUrl } from '../otlp/otlp.js';
import { otlpFields, otlpProblems } from '../otlp/params.js';
import { milliseconds } from '../params/durations.js';
import { Outbox } from '../push/outbox.js';
import type { AdapterRim } from '../rim/rim.js';
import { textOf } from '../values/values.js';

const params = forms.message('Sends log entries by OTLP over HTTP.', {
  ...otlpFields,
  pushInterval: { ...forms.duration('How long entries may wait for others.'), default: '1s' },
  maxBatchSize: { ...forms.integer('Most entries of a request.', { minimum: 1 }), default: 512 },
  maxQueueSize: {
    ...forms.integer('How many entries may wait; more are dropped, and counted.', { minimum: 1 }),
    default: 16_384,
  },
});
type Params = Required<Of<typeof params>>;

const problems = (given: Of<typeof params>): readonly ParamsProblem[] => otlpProblems(given as Params);

interface LogRecord {
  readonly timeUnixNano: string;
  readonly observedTimeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: { readonly stringValue: string };
  readonly attributes: readonly KeyValue[];
  readonly traceId?: string;
  readonly spanId?: string;
}

/** Severities as OTLP numbers them, by words in whatever case. */
const severityNumbers: Readonly<Record<string, number>> = {
  trace: 1,
  debug: 5,
  informational: 9,
  info: 9,
  default: 9,
  warning: 13,
  warn: 13,
  error: 17,
  err: 17,
  fatal: 21,
};

const ids = { traceId: /^[0-9a-f]{32}$/i, spanId: /^[0-9a-f]{16}$/i };

/** Variables named `traceId` and `spanId` tie a record to its trace, where they are such. */
function traceOf({ variables }: Templates['logentry']): Pick<LogRecord, 'traceId' | 'spanId'> {
  const traceId = textOf(variables.get('traceId'), undefined);
  const spanId = textOf(variables.get('spanId'), undefined);
  return { ...(ids.traceId.test(traceId) && { traceId }), ...(ids.spanId.test(spanId) && { spanId }) };
}

function recordMaker({ instances, now }: AdapterContext): (entry: Templates['logentry']) => LogRecord {
  return (entry) => {
    const { instance, severity, timestamp, variables } = entry;
    const types = instances.get(instance)?.maps['variables'];
    const attributes: KeyValue[] = [];
    for (const [key, value] of variables) attributes.push({ key, value: anyValue(value, types?.get(key)) });
    return {
      timeUnixNano: nanoseconds(timestamp),
      observedTimeUnixNano: nanoseconds(now()),
      severityNumber: severityNumbers[severity.toLowerCase()] ?? 0,
      severityText: severity,
      body: { stringValue: instance },
      attributes,
      ...traceOf(entry),
    };
  };
}

/** Log entries for any collector of OpenTelemetry. */
export const otlpLogs = (rim: AdapterRim): AdapterKind =>
  adapterKind<Params>({
    name: 'otlp-logs',
    templates: ['logentry'],
    params,
    problems,
    make(given, context) {
      const { headers, endpoint } = given;
      const target = { url: signalUrl(endpoint, '/v1/logs'), headers, timeoutMs: milliseconds(given.timeout) };
      const resource = { attributes: attributesOf(given.resourceAttributes) };
      const outbox = new Outbox<LogRecord>(
        {
          things: 'log entries',
          target: target.url,
          maxItems: given.maxQueueSize,
          maxBatch: given.maxBatchSize,
          async send(logRecords) {
            const scopeLogs = [{ scope: { name: 'seine.mixer' }, logRecords }];
            const rejected = await postOtlp(rim, target, { resourceLogs: [{ resource, scopeLogs }] });
            if (rejected !== undefined) context.warn(`${target.url} took log entries, but not ${rejected}`);
          },
        },
        context,
      );
      const toRecord = recordMaker(context);
      context.every(milliseconds(given.pushInterval), () => outbox.flush());
      return { logentry: (entries) => outbox.add(entries.map(toRecord)), close: () => outbox.close() };
    },
  });
