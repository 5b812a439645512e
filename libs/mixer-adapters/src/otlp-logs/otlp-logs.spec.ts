import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Templates, Value, ValueType } from '@seine/mixer';
import { makeAdapter, problemsOf, TestContext, testRim } from '../testing/adapter.fixture.js';
import { HttpServer } from '../testing/http-server.fixture.js';
import { otlpLogs } from './otlp-logs.js';

const name = 'accesslog.logentry.istio-system';
const variables = new Map<string, ValueType>([
  ['latency', 'DURATION'],
  ['responseCode', 'INT64'],
  ['traceId', 'STRING'],
]);
const instances = { [name]: { template: 'logentry', maps: { variables } } } as const;
const traceId = '463ac35c9f6413ad48485a3953bb6124';
const entry = (more: readonly (readonly [string, Value])[] = []): Templates['logentry'] => ({
  instance: name,
  severity: 'Warning',
  timestamp: Date.UTC(2018, 8, 15),
  variables: new Map<string, Value>([['latency', 1.5], ['responseCode', 200], ...more]),
  monitoredResourceType: '',
  monitoredResourceDimensions: new Map(),
});

interface Request {
  readonly resourceLogs: readonly {
    readonly resource: unknown;
    readonly scopeLogs: readonly { readonly logRecords: readonly unknown[] }[];
  }[];
}

describe('otlp-logs', () => {
  let server: HttpServer;
  let context: TestContext;
  beforeEach(async () => {
    server = await HttpServer.listen();
    context = new TestContext({ instances });
  });
  afterEach(() => server.close());

  const made = (more: object = {}) => makeAdapter(otlpLogs(testRim()), { endpoint: server.url, ...more }, context);

  it('sends records as OTLP’s JSON has them', async () => {
    const adapter = await made({
      headers: { authorization: 'Bearer x' },
      resourceAttributes: { 'service.name': 'mesh' },
    });
    await adapter.logentry!([entry([['traceId', traceId]]), entry([['traceId', 'nonsense']])]);
    expect(server.requests).toEqual([]);
    await context.pass(1000);
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      path: '/v1/logs',
      headers: { authorization: 'Bearer x', 'content-type': 'application/json' },
    });
    const [{ resource, scopeLogs } = {} as Request['resourceLogs'][number]] = server.json<Request>()[0]!.resourceLogs;
    expect(resource).toEqual({ attributes: [{ key: 'service.name', value: { stringValue: 'mesh' } }] });
    const [first, second] = scopeLogs[0]!.logRecords;
    expect(first).toEqual({
      timeUnixNano: '1536969600000000000',
      observedTimeUnixNano: '1704164645000000000',
      severityNumber: 13,
      severityText: 'Warning',
      body: { stringValue: name },
      attributes: [
        { key: 'latency', value: { stringValue: '1.5ms' } },
        { key: 'responseCode', value: { intValue: '200' } },
        { key: 'traceId', value: { stringValue: traceId } },
      ],
      traceId,
    });
    expect(second).not.toHaveProperty('traceId');
  });

  it('sends again what the collector could not take, and lets go of what it never will', async () => {
    const adapter = await made();
    server.answer = () => ({ status: 503 });
    await adapter.logentry!([entry()]);
    await context.pass(1000);
    server.answer = () => ({ status: 200 });
    await context.pass(1000);
    server.answer = () => ({ status: 400 });
    await adapter.logentry!([entry()]);
    await context.pass(1000);
    await context.pass(1000);
    expect(server.requests).toHaveLength(3);
    expect(context.warnings).toEqual([
      expect.stringContaining('answers 503; they wait'),
      expect.stringMatching(/are dropped: .* answers 400$/),
    ]);
  });

  it('waits no longer than its time for a collector that does not answer', async () => {
    const adapter = await made({ timeout: '100ms' });
    server.answer = () => ({ never: true });
    await adapter.logentry!([entry()]);
    await context.pass(1000);
    expect(context.warnings).toEqual([expect.stringMatching(/timeout|aborted/)]);
    await adapter.close?.();
  });

  it('says what the collector did not take', async () => {
    const adapter = await made();
    const partialSuccess = { rejectedLogRecords: '1', errorMessage: 'too old' };
    server.answer = () => ({ body: JSON.stringify({ partialSuccess }) });
    await adapter.logentry!([entry()]);
    await context.pass(1000);
    expect(context.warnings).toEqual([expect.stringMatching(/took log entries, but not 1 of them \(too old\)$/)]);
  });

  it('sends what is left at the end, in batches', async () => {
    const adapter = await made({ maxBatchSize: 2 });
    await adapter.logentry!(Array.from({ length: 5 }, () => entry()));
    await adapter.close?.();
    expect(server.json<Request>().map(({ resourceLogs }) => resourceLogs[0]!.scopeLogs[0]!.logRecords.length)).toEqual([
      2, 2, 1,
    ]);
  });

  it.each([
    ['an endpoint that is none', { endpoint: 'collector:4318' }, 'endpoint'],
    ['a header that is none', { headers: { 'a b': 'c' } }, 'headers[a b]'],
    ['a header with a line of its own', { headers: { a: 'b\r\nc: d' } }, 'headers[a]'],
  ])('refuses %s', (_, params, path) => {
    expect(problemsOf(otlpLogs(testRim()), params)).toMatchObject([{ path }]);
  });
});
