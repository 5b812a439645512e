import { describe, expect, it } from '@jest/globals';
import { GrpcError, type GrpcStream, type GrpcStreamEvents } from '@seine/h2grpc';
import type { Endpoint } from '../part.js';
import { exportRequest, type SpanFixture } from './otlp.fixture.js';
import { readExport } from './otlp-request.js';
import { type TraceBounds, TraceStore } from './trace-store.js';
import { TracesController } from './traces.controller.js';
import { tracesPart } from './traces.part.js';

const ids = (n: number) => n.toString(16).padStart(32, '0');
const big: TraceBounds = { traces: 100, bytes: 1e6, spansPerTrace: 100, bytesPerTrace: 1e5 };

function storeOf(bounds: Partial<TraceBounds>, ...requests: readonly Buffer[]): TraceStore {
  const store = new TraceStore({ ...big, ...bounds });
  for (const request of requests) for (const span of readExport(request).spans) store.add(span);
  return store;
}

describe('a span', () => {
  const whole: SpanFixture = {
    traceId: 'ab'.repeat(16),
    id: 'cd'.repeat(8),
    parentId: 'ef'.repeat(8),
    name: 'Reviews.default:8080/*',
    kind: 3,
    start: 1_700_000_000_000,
    end: 1_700_000_000_250,
    attributes: { 'http.status_code': '503', error: true, retries: -1, share: 0.5, list: ['a', 'b'] },
    events: [{ time: 1_700_000_000_100, name: 'retry' }],
    status: { code: 2, message: 'upstream failed' },
  };

  it('is what Zipkin would show of it', () => {
    const store = storeOf({}, exportRequest('Productpage.default', whole));
    expect(store.trace('AB'.repeat(16))).toEqual([
      {
        traceId: 'ab'.repeat(16),
        id: 'cd'.repeat(8),
        parentId: 'ef'.repeat(8),
        kind: 'CLIENT',
        name: 'reviews.default:8080/*',
        timestamp: 1_700_000_000_000_000,
        duration: 250_000,
        localEndpoint: { serviceName: 'productpage.default' },
        annotations: [{ timestamp: 1_700_000_000_100_000, value: 'retry' }],
        tags: { 'http.status_code': '503', error: 'true', retries: '-1', share: '0.5', list: '["a","b"]' },
      },
    ]);
  });

  it('is a failure by its status alone, and none by a tag that says so', () => {
    const spans = [
      { id: '1'.repeat(16), status: { code: 2, message: 'late' } },
      { id: '2'.repeat(16), status: { code: 2 } },
      { id: '3'.repeat(16), attributes: { error: 'false' } },
    ];
    const read = storeOf({}, exportRequest('a', ...spans)).trace('1'.repeat(32));
    expect(read.map(({ tags }) => tags['error'])).toEqual(['late', 'true', undefined]);
  });

  it.each<[string, SpanFixture]>([
    ['no trace', { traceId: '' }],
    ['a trace of zeros', { traceId: ids(0) }],
    ['a trace ID of another length', { traceId: 'ab' }],
    ['no span ID', { id: '' }],
  ])('with %s is rejected, and others are taken', (_, odd) => {
    const { spans, rejected } = readExport(exportRequest('a', odd, {}));
    expect([spans.length, rejected]).toEqual([1, 1]);
  });
});

describe('a message that is broken', () => {
  const good = exportRequest('a', { attributes: { key: 'value' } });

  it('is refused or read, wherever it ends', () => {
    const store = new TraceStore(big);
    for (let length = 0; length < good.length; length++)
      try {
        for (const span of readExport(good.subarray(0, length)).spans) store.add(span);
      } catch (error) {
        expect((error as Error).name).toBe('WireError');
      }
    expect(() => store.find({ limit: 10 })).not.toThrow();
  });

  it('does no harm, whichever byte is another', () => {
    for (let at = 0; at < good.length; at++) {
      const bytes = Buffer.from(good);
      bytes[at] = bytes[at]! ^ 0xff;
      const store = new TraceStore(big);
      try {
        for (const span of readExport(bytes).spans) store.add(span);
      } catch (error) {
        expect((error as Error).name).toBe('WireError');
      }
      expect(() => store.find({ limit: 10 })).not.toThrow();
    }
  });
});

describe('what is kept', () => {
  const request = (n: number, more: SpanFixture = {}) => exportRequest(`s${n}`, { traceId: ids(n), ...more });

  it('is the newest traces, by count', () => {
    const store = storeOf({ traces: 3 }, ...[1, 2, 3, 4, 5].map((n) => request(n)));
    expect([store.size, store.evicted]).toEqual([3, 2]);
    expect(store.trace(ids(2))).toEqual([]);
    expect(store.services()).toEqual(['s3', 's4', 's5']);
  });

  it('is the newest traces, by bytes', () => {
    const attributes = { long: 'x'.repeat(10_000) };
    const store = storeOf({ bytes: 50_000 }, ...Array.from({ length: 20 }, (_, n) => request(n + 1, { attributes })));
    expect(store.size).toBe(4);
    expect(store.bytes).toBeLessThanOrEqual(50_000);
    expect(store.trace(ids(20))).toHaveLength(1);
  });

  it('is no trace without end', () => {
    const spans = Array.from({ length: 500 }, (_, n) => ({ id: (n + 1).toString(16).padStart(16, '0') }));
    expect(storeOf({}, exportRequest('a', ...spans)).trace('1'.repeat(32))).toHaveLength(100);
    const fat = spans.map((span) => ({ ...span, attributes: { long: 'x'.repeat(20_000) } }));
    expect(storeOf({}, exportRequest('a', ...fat)).trace('1'.repeat(32))).toHaveLength(4);
  });
});

describe('GET /api/v2', () => {
  const at = (n: number) => 1_700_000_000_000 + n * 1000;
  const store = storeOf(
    {},
    ...[1, 2, 3].map((n) =>
      exportRequest('reviews', {
        traceId: ids(n),
        name: `GET /${n}`,
        start: at(n),
        end: at(n) + n * 10,
        attributes: { user: `u${n}` },
      }),
    ),
    exportRequest('ratings', { traceId: ids(3), id: '9'.repeat(16), start: at(3) + 1, end: at(3) + 2 }),
  );
  const controller = new TracesController(store);
  const found = (query: Record<string, string>) =>
    controller.traces(query).map((spans) => Number(`0x${spans[0]!.traceId}`));

  it.each<[Record<string, string>, number[]]>([
    [{}, [3, 2, 1]],
    [{ limit: '2' }, [3, 2]],
    [{ serviceName: 'Ratings' }, [3]],
    [{ serviceName: 'nobody' }, []],
    [{ serviceName: 'reviews', spanName: 'GET /2' }, [2]],
    [{ serviceName: 'ratings', spanName: 'get /3' }, []],
    [{ annotationQuery: 'user=u1' }, [1]],
    [{ annotationQuery: 'user and user=u2' }, [2]],
    [{ minDuration: '20000' }, [3, 2]],
    [{ minDuration: '15000', maxDuration: '25000' }, [2]],
    [{ endTs: String(at(2)), lookback: '1000' }, [2, 1]],
    [{ endTs: String(at(2)), lookback: '500' }, [2]],
  ])('traces?%j', (query, expected) => {
    expect(found(query)).toEqual(expected);
  });

  it('has one trace whole, by its begin', () => {
    expect(controller.trace(ids(3)).map(({ localEndpoint }) => localEndpoint.serviceName)).toEqual([
      'reviews',
      'ratings',
    ]);
    expect(() => controller.trace(ids(99))).toThrow(/no trace 0+63 is kept/);
  });

  it('has the names of services and their spans', () => {
    expect(controller.services()).toEqual(['ratings', 'reviews']);
    expect(controller.spans('reviews')).toEqual(['get /1', 'get /2', 'get /3']);
    expect(controller.spans()).toEqual([]);
  });

  it('says what is wrong with a number', () => {
    expect(() => controller.traces({ limit: 'all of them' })).toThrow(/limit takes a whole number/);
  });
});

describe('TraceService/Export', () => {
  /** Makes one call. @returns the answer, or the code that it ended with */
  function call(endpoint: Endpoint, request: Buffer, callerOf = () => undefined): Buffer | number {
    let events: GrpcStreamEvents | undefined;
    let answer: Buffer | number = -1;
    const stream = {
      closed: false,
      on: (given: GrpcStreamEvents) => (events = given),
      write: ([bytes]: readonly Buffer[]) => (answer = bytes!),
      end: (code: number) => (code === 0 ? undefined : (answer = code)),
    } as unknown as GrpcStream;
    endpoint.handle(stream, callerOf);
    events?.message(request);
    return answer;
  }

  it('takes what it can, and says how much it could not', () => {
    const counts: Record<string, number> = {};
    const counted = (result: string, spans: number) => (counts[result] = (counts[result] ?? 0) + spans);
    const { endpoints } = tracesPart({ store: new TraceStore(big), counted, onError: () => undefined });
    expect(call(endpoints[0]!, exportRequest('a', {}))).toEqual(Buffer.alloc(0));
    const answer = call(endpoints[0]!, exportRequest('a', {}, { id: '' }, { traceId: '' })) as Buffer;
    expect(answer.subarray(2, 4)).toEqual(Buffer.from([8, 2]));
    expect(answer.toString()).toMatch(/spans without trace_id/);
    expect(counts).toEqual({ taken: 2, rejected: 2 });
    expect(call(endpoints[0]!, Buffer.from([0xff]))).toBe(3);
    const nobody = () => {
      throw new GrpcError(16, 'the client’s identity is not proved');
    };
    expect(call(endpoints[0]!, exportRequest('a', {}), nobody)).toBe(16);
  });
});
