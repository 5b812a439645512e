import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { forms, type Of } from '@seine/istio';
import { adapterKind, type AdapterKind, type ParamsProblem, type Templates } from '@seine/mixer';
import { urlProblems } from '../params/address.js';
import { milliseconds } from '../params/durations.js';
import { Outbox } from '../push/outbox.js';
import { postJson } from '../push/post-json.js';
import type { AdapterRim } from '../rim/rim.js';
import { textOf } from '../values/values.js';

const params = forms.message('Sends spans to Zipkin.', {
  url: { ...forms.text('Where to, as http://zipkin:9411/api/v2/spans.'), default: '' },
  sampleProbability: {
    ...forms.decimal('What part of traces is sent; all spans of a trace, or none.', { minimum: 0, maximum: 1 }),
    default: 0,
  },
  pushInterval: { ...forms.duration('How long spans may wait for others.'), default: '1s' },
  timeout: { ...forms.duration('How long a request may take.'), default: '10s' },
  maxQueueSize: {
    ...forms.integer('How many spans may wait; more are dropped, and counted.', { minimum: 1 }),
    default: 8192,
  },
});
type Params = Required<Of<typeof params>>;

const problems = (given: Of<typeof params>): readonly ParamsProblem[] => urlProblems('url', (given as Params).url);

/** Zipkin's v2 JSON. */
interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly kind: 'CLIENT' | 'SERVER';
  readonly timestamp: number;
  readonly duration: number;
  readonly localEndpoint: Endpoint;
  readonly remoteEndpoint: Endpoint;
  readonly tags: Readonly<Record<string, string>>;
}

interface Endpoint {
  readonly serviceName?: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
}

const traceId = /^([0-9a-f]{16}|[0-9a-f]{32})$/;
const spanId = /^[0-9a-f]{16}$/;

const endpoint = (name: string, ip: string): Endpoint => ({
  ...(name !== '' && { serviceName: name }),
  ...(ip !== '' && { [isIPv6(ip) ? 'ipv6' : 'ipv4']: ip }),
});

/** Another id for a client's span, the same on both ends: for who does not know spans that two ends share. */
const rewritten = (id: string): string => createHash('sha256').update(id).digest('hex').slice(0, 16);

type ToSpan = (span: Templates['tracespan'], tags: Readonly<Record<string, string>>) => ZipkinSpan | undefined;

/** A span as Zipkin has it; undefined where it has no ids. */
const toZipkin: ToSpan = (span, tags) => {
  const [trace, own, parent] = [span.traceId, span.spanId, span.parentSpanId].map((id) => id.toLowerCase());
  if (trace === undefined || own === undefined || !traceId.test(trace) || !spanId.test(own)) return undefined;
  const { clientSpan, rewriteClientSpanId } = span;
  const id = clientSpan && rewriteClientSpanId ? rewritten(own) : own;
  const above = !clientSpan && rewriteClientSpanId ? rewritten(own) : parent;
  const source = endpoint(span.sourceName, span.sourceIp);
  const destination = endpoint(span.destinationName, span.destinationIp);
  return {
    traceId: trace,
    id,
    ...(above !== undefined && spanId.test(above) && { parentId: above }),
    name: span.spanName,
    kind: clientSpan ? 'CLIENT' : 'SERVER',
    timestamp: Math.round(span.startTime * 1000),
    // Zipkin takes 0 for unknown.
    duration: Math.max(1, Math.round((span.endTime - span.startTime) * 1000)),
    localEndpoint: clientSpan ? source : destination,
    remoteEndpoint: clientSpan ? destination : source,
    tags: { ...tags, ...numbers(span) },
  };
};

const numbers = ({ httpStatusCode, requestSize, responseSize }: Templates['tracespan']) => ({
  ...(httpStatusCode > 0 && { 'http.status_code': String(httpStatusCode) }),
  ...(requestSize > 0 && { 'request.size': String(requestSize) }),
  ...(responseSize > 0 && { 'response.size': String(responseSize) }),
});

/** From 0 on, below 1, by the random end of a trace's id, so that all mixers decide alike. */
const drawOf = (trace: string): number => parseInt(trace.slice(-13), 16) / 2 ** 52;

/** Spans for Zipkin (Istio 1.4's `zipkin`). */
export const zipkin = (rim: AdapterRim): AdapterKind =>
  adapterKind<Params>({
    name: 'zipkin',
    templates: ['tracespan'],
    params,
    problems,
    make({ url, sampleProbability, pushInterval, timeout, maxQueueSize }, context) {
      if (sampleProbability === 0) context.warn('sampleProbability is 0, so no span is sent to Zipkin');
      const outbox = new Outbox<ZipkinSpan>(
        {
          things: 'spans',
          target: url,
          maxItems: maxQueueSize,
          maxBatch: 512,
          send: (spans) => postJson({ fetch: rim.fetch, url, timeoutMs: milliseconds(timeout) }, spans),
        },
        context,
      );
      context.every(milliseconds(pushInterval), () => outbox.flush());
      return {
        tracespan(spans) {
          const made: ZipkinSpan[] = [];
          for (const span of spans) {
            if (sampleProbability < 1 && !(drawOf(span.traceId) < sampleProbability)) continue;
            const types = context.instances.get(span.instance)?.maps['spanTags'];
            const tags: Record<string, string> = {};
            for (const [name, value] of span.spanTags) tags[name] = textOf(value, types?.get(name));
            const one = toZipkin(span, tags);
            if (one) made.push(one);
          }
          outbox.add(made);
        },
        close: () => outbox.close(),
      };
    },
  });
