import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Templates } from '@seine/mixer';
import { makeAdapter, problemsOf, TestContext, testRim } from '../testing/adapter.fixture.js';
import { HttpServer } from '../testing/http-server.fixture.js';
import { zipkin } from './zipkin.js';

const name = 'default.tracespan.istio-system';
const instances = {
  [name]: { template: 'tracespan', maps: { spanTags: new Map([['request.operation', 'STRING'] as const]) } },
} as const;
const span = (over: Partial<Templates['tracespan']> = {}): Templates['tracespan'] => ({
  instance: name,
  traceId: '463AC35C9F6413AD48485A3953BB6124',
  spanId: 'a2fb4a1d1a96d312',
  parentSpanId: '',
  spanName: 'reviews:9080/*',
  startTime: 1_537_044_396_009,
  endTime: 1_537_044_396_009 + 12.5,
  spanTags: new Map([['request.operation', 'get']]),
  httpStatusCode: 200,
  clientSpan: true,
  rewriteClientSpanId: false,
  sourceName: 'productpage',
  sourceIp: '10.0.0.1',
  destinationName: 'reviews',
  destinationIp: '2001:db8::1',
  requestSize: 0,
  requestTotalSize: 0,
  responseSize: 178,
  responseTotalSize: 0,
  apiProtocol: 'http',
  ...over,
});

interface Sent {
  readonly id: string;
  readonly parentId?: string;
  readonly kind: string;
  readonly traceId: string;
}

describe('zipkin', () => {
  let server: HttpServer;
  let context: TestContext;
  beforeEach(async () => {
    server = await HttpServer.listen();
    context = new TestContext({ instances });
  });
  afterEach(() => server.close());

  const made = (more: object = {}) =>
    makeAdapter(zipkin(testRim()), { url: `${server.url}/api/v2/spans`, sampleProbability: 1, ...more }, context);

  it('sends spans as Zipkin’s v2 JSON has them', async () => {
    const adapter = await made();
    server.answer = () => ({ status: 202 });
    await adapter.tracespan!([span()]);
    await context.pass(1000);
    expect(server.requests[0]).toMatchObject({ method: 'POST', path: '/api/v2/spans' });
    expect(server.json()).toEqual([
      [
        {
          traceId: '463ac35c9f6413ad48485a3953bb6124',
          id: 'a2fb4a1d1a96d312',
          name: 'reviews:9080/*',
          kind: 'CLIENT',
          timestamp: 1_537_044_396_009_000,
          duration: 12_500,
          localEndpoint: { serviceName: 'productpage', ipv4: '10.0.0.1' },
          remoteEndpoint: { serviceName: 'reviews', ipv6: '2001:db8::1' },
          tags: { 'request.operation': 'get', 'http.status_code': '200', 'response.size': '178' },
        },
      ],
    ]);
  });

  it('a server’s span has the ends the other way round', async () => {
    const adapter = await made();
    await adapter.tracespan!([span({ clientSpan: false, parentSpanId: 'a2fb4a1d1a96d311' })]);
    await adapter.close?.();
    expect(server.json<unknown[]>()[0]).toMatchObject([
      { kind: 'SERVER', parentId: 'a2fb4a1d1a96d311', localEndpoint: { serviceName: 'reviews' } },
    ]);
  });

  it('gives the client’s span an id of its own where it is asked to, and the server’s that for a parent', async () => {
    const adapter = await made();
    const shared = { rewriteClientSpanId: true, parentSpanId: 'a2fb4a1d1a96d311' };
    await adapter.tracespan!([span({ ...shared }), span({ ...shared, clientSpan: false })]);
    await adapter.close?.();
    const [client, server_] = server.json<Sent[]>()[0]!;
    expect(client).toMatchObject({ kind: 'CLIENT', parentId: 'a2fb4a1d1a96d311' });
    expect(client!.id).not.toBe('a2fb4a1d1a96d312');
    expect(server_).toMatchObject({ kind: 'SERVER', id: 'a2fb4a1d1a96d312', parentId: client!.id });
  });

  it('leaves out what has no ids', async () => {
    const adapter = await made();
    await adapter.tracespan!([span({ traceId: '' }), span({ spanId: 'x' })]);
    await adapter.close?.();
    expect(server.requests).toEqual([]);
  });

  it('takes a part of the traces, each whole', async () => {
    const adapter = await made({ sampleProbability: 0.25 });
    const traces = Array.from({ length: 2000 }, (_, i) =>
      // Multiplied by a number without pattern, for ids that look as if drawn.
      (BigInt(i + 1) * 0x9e3779b97f4a7c15n).toString(16).slice(-16).padStart(16, '0'),
    );
    for (const clientSpan of [true, false])
      for (const traceId of traces) await adapter.tracespan!([span({ traceId, clientSpan })]);
    await adapter.close?.();
    const sent = server.json<Sent[]>().flat();
    const [clients, servers] = ['CLIENT', 'SERVER'].map((kind) =>
      sent.filter((one) => one.kind === kind).map(({ traceId }) => traceId),
    );
    expect(clients).toEqual(servers);
    expect(clients!.length).toBeGreaterThan(400);
    expect(clients!.length).toBeLessThan(600);
  });

  it('says that it sends nothing where it was not told how much', async () => {
    await made({ sampleProbability: null });
    expect(context.warnings).toEqual([expect.stringContaining('sampleProbability is 0')]);
  });

  it('sends again when Zipkin is back', async () => {
    const adapter = await made();
    server.answer = () => ({ status: 500 });
    await adapter.tracespan!([span()]);
    await context.pass(1000);
    server.answer = () => ({ status: 202 });
    await context.pass(1000);
    await adapter.close?.();
    expect(server.requests).toHaveLength(2);
  });

  it('refuses to go without a URL', () => {
    expect(problemsOf(zipkin(testRim()), {})).toMatchObject([{ path: 'url' }]);
  });
});
