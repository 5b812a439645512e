import { randomUUID } from 'node:crypto';
import { Encoder, ExtData } from '@msgpack/msgpack';
import { forms, type Of } from '@seine/istio';
import { type AdapterContext, adapterKind, type ParamsProblem, type Templates } from '@seine/mixer';
import { addressProblems, hostPort } from '../params/address.js';
import { milliseconds } from '../params/durations.js';
import { Outbox } from '../push/outbox.js';
import { jsonOf, type JsonValue, textOf } from '../values/values.js';
import { ForwardConnection, type ForwardMessage } from './forward-connection.js';

const params = forms.message('Sends log entries to Fluentd or Fluent Bit.', {
  address: { ...forms.text('host:port of the forward input.'), default: 'localhost:24224' },
  integerDuration: { ...forms.flag('Durations as whole milliseconds, not as text.'), default: false },
  instanceBufferSize: {
    ...forms.integer('How many entries may wait; more are dropped, and counted.', { minimum: 1 }),
    default: 65_536,
  },
  maxBatchSizeBytes: { ...forms.integer('Most bytes that go at once.', { minimum: 1024 }), default: 8 * 1024 * 1024 },
  pushIntervalDuration: { ...forms.duration('How long entries may wait for others.'), default: '1s' },
  pushTimeoutDuration: { ...forms.duration('How long a batch may take.'), default: '10s' },
  requireAckResponse: {
    ...forms.flag('Waits until the other end says that it has a batch, else sends it again.'),
    default: true,
  },
});
type Params = Required<Of<typeof params>>;

const problems = (given: Of<typeof params>): readonly ParamsProblem[] =>
  addressProblems('address', (given as Params).address);

interface Entry {
  readonly tag: string;
  /** `[time, record]` */
  readonly bytes: Uint8Array;
}

/** What most entries go in at once, however small. */
const maxBatch = 10_000;

/** Fluent's EventTime: seconds and nanoseconds as extension type 0. */
function eventTime(ms: number): ExtData {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  const seconds = Math.floor(ms / 1000);
  view.setUint32(0, seconds);
  view.setUint32(4, Math.round((ms - seconds * 1000) * 1e6));
  return new ExtData(0, bytes);
}

type ToEntry = (entry: Templates['logentry']) => Entry;

function entryMaker({ integerDuration }: Params, { instances }: AdapterContext): ToEntry {
  const encoder = new Encoder();
  return ({ instance, severity, timestamp, variables }) => {
    const types = instances.get(instance)?.maps['variables'];
    const record: Record<string, JsonValue> = {};
    for (const [name, value] of variables) {
      const type = types?.get(name);
      record[name] =
        integerDuration && type === 'DURATION' && typeof value === 'number' ? Math.trunc(value) : jsonOf(value, type);
    }
    record['severity'] = severity;
    let tag = instance;
    const own = variables.get('tag');
    if (own !== undefined) {
      tag = textOf(own, types?.get('tag'));
      delete record['tag'];
      record['name'] = instance;
    }
    return { tag, bytes: encoder.encode([eventTime(timestamp), record]) };
  };
}

/** Entries of one tag together, in the order of their first. */
function messagesOf(entries: readonly Entry[]): readonly ForwardMessage[] {
  const byTag = new Map<string, Uint8Array[]>();
  for (const { tag, bytes } of entries) {
    const known = byTag.get(tag);
    if (known) known.push(bytes);
    else byTag.set(tag, [bytes]);
  }
  return [...byTag].map(([tag, bytes]) => ({ tag, entries: bytes }));
}

/** Log entries in Fluent's forward protocol (Istio 1.4's `fluentd`). */
export const fluentd = adapterKind<Params>({
  name: 'fluentd',
  templates: ['logentry'],
  params,
  problems,
  make(given, context) {
    const connection = new ForwardConnection({
      to: hostPort(given.address),
      timeoutMs: milliseconds(given.pushTimeoutDuration),
      acknowledged: given.requireAckResponse,
      newChunk: randomUUID,
    });
    const outbox = new Outbox<Entry>(
      {
        things: 'log entries',
        target: `Fluentd at ${given.address}`,
        maxItems: given.instanceBufferSize,
        maxSize: 8 * given.maxBatchSizeBytes,
        maxBatchSize: given.maxBatchSizeBytes,
        sizeOf: ({ bytes }) => bytes.length,
        maxBatch: Math.min(maxBatch, Math.max(1, Math.ceil(given.instanceBufferSize / 2))),
        send: (entries) => connection.send(messagesOf(entries)),
      },
      context,
    );
    const toEntry = entryMaker(given, context);
    context.every(milliseconds(given.pushIntervalDuration), () => outbox.flush());
    return {
      logentry: (entries) => outbox.add(entries.map(toEntry)),
      async close() {
        await outbox.close();
        connection.close();
      },
    };
  },
});
