import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { durationOf } from '@seine/envoy';
import {
  type AccessLogCommon,
  type AccessLogCommonSchema,
  AccessLogType,
} from '@seine/envoy/envoy/data/accesslog/v3/accesslog_pb.js';
import {
  type StreamAccessLogsMessage,
  StreamAccessLogsMessageSchema,
} from '@seine/envoy/envoy/service/accesslog/v3/als_pb.js';
import { type Directory, formatLogName, type LogHead, type Value } from '@seine/mixer';
import type { Workload } from '@seine/model';
import { MeshMetrics, SeriesStore } from '@seine/telemetry';
import { AccessLogService, type EntryResult } from './access-log.service.js';
import type { LogRecord } from './log-sink.js';

const columns = [
  ...['source_workload', 'source_workload_namespace', 'source_app', 'source_principal'],
  ...['destination_workload', 'destination_workload_namespace', 'destination_principal', 'destination_service'],
  ...['request_protocol', 'response_code', 'grpc_response_status', 'response_flags'],
];
const all = columns.map((_, i) => i);
const head: LogHead = {
  reporter: 'inbound',
  purposes: ['graph', 'rules', 'metrics'],
  columns,
  metrics: [
    { names: ['requests_total', 'request_duration_milliseconds', 'request_messages_total'], labels: all },
    { names: ['tcp_connections_opened_total', 'tcp_connections_closed_total'], labels: all },
    { names: ['tcp_sent_bytes_total', 'tcp_received_bytes_total'], labels: all },
  ],
};
const spiffe = (account: string) => `spiffe://cluster.local/ns/default/sa/${account}`;
const caller = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'reviews' };
const known: Readonly<Record<string, string>> = {
  source_workload: 'productpage-v1',
  source_workload_namespace: 'default',
  source_app: 'productpage',
  source_principal: spiffe('productpage'),
  destination_workload: 'reviews-v1',
  destination_workload_namespace: 'default',
  destination_principal: spiffe('reviews'),
  destination_service: 'reviews.default.svc.cluster.local',
  request_protocol: 'http',
  response_code: '200',
  response_flags: '-',
};
const row = (changes: Readonly<Record<string, string>> = {}) =>
  columns.map((name) => ({ ...known, ...changes })[name] ?? '').join('\n');
const address = (ip: string, portValue: number) => ({
  address: {
    case: 'socketAddress' as const,
    value: { address: ip, portSpecifier: { case: 'portValue' as const, value: portValue } },
  },
});

type Common = Exclude<MessageInitShape<typeof AccessLogCommonSchema>, AccessLogCommon>;
const common = (changes: Readonly<Record<string, string>>, more: Common): Common => ({
  customTags: { other: 'x', 'seine.row': row(changes) },
  startTime: { seconds: 1_700_000_000n, nanos: 500_000_000 },
  duration: durationOf(12.7),
  downstreamDirectRemoteAddress: address('10.1.0.7', 40_000),
  downstreamLocalAddress: address('10.1.0.8', 9080),
  ...more,
});

type Message = Exclude<MessageInitShape<typeof StreamAccessLogsMessageSchema>, StreamAccessLogsMessage>;
const encode = (message: Message): Buffer =>
  Buffer.from(toBinary(StreamAccessLogsMessageSchema, create(StreamAccessLogsMessageSchema, message)));
const identifier = (logHead: LogHead = head, id = 'sidecar~10.1.0.8~reviews-v1.default~default.svc.cluster.local') => ({
  logName: formatLogName(logHead),
  node: { id, extensions: [{ name: 'an extension' }], metadata: { NAMESPACE: 'default' } },
});
const requests = (...entries: Common[]): Message => ({
  logEntries: {
    case: 'httpLogs',
    value: {
      logEntry: entries.map((commonProperties) => ({
        commonProperties,
        request: {
          requestMethod: 1,
          path: '/reviews/0?stars=5',
          authority: 'reviews:9080',
          requestBodyBytes: 7n,
          requestHeadersBytes: 100n,
          requestHeaders: { 'x-team': 'books', traceparent: '00-aa-bb-01' },
        },
        response: { responseCode: 200, responseBodyBytes: 9n, responseHeaders: { server: 'envoy' } },
      })),
    },
  },
});
const connection = (type: AccessLogType, received: number, sent: number, more: Common = {}): Message => ({
  logEntries: {
    case: 'tcpLogs',
    value: {
      logEntry: [
        {
          commonProperties: common({ request_protocol: 'tcp' }, { accessLogType: type, streamId: 'a', ...more }),
          connectionProperties: { receivedBytes: BigInt(received), sentBytes: BigInt(sent) },
        },
      ],
    },
  },
});

function service(directory?: Directory) {
  const store = new SeriesStore({ now: () => 0 });
  const results: Partial<Record<EntryResult, number>> = {};
  const errors: unknown[] = [];
  const records: { record: LogRecord; read: (name: string) => Value | undefined }[] = [];
  const made = new AccessLogService({
    sinks: [
      {
        purpose: 'graph',
        take: () => {
          throw new Error('a sink that fails');
        },
      },
      { purpose: 'rules', take: (record) => records.push({ record, read: (name) => record.attributes.get(name) }) },
      { purpose: 'records', take: () => errors.push('not asked for') },
    ],
    metrics: new MeshMetrics(store),
    directory: () => directory,
    counted: (result, entries) => (results[result] = (results[result] ?? 0) + entries),
    onError: (error) => errors.push(error),
  });
  const series = (start: string) =>
    [...store.write()]
      .join('')
      .split('\n')
      .filter((line) => line.startsWith(start));
  return { made, results, errors, records, series };
}

describe('requests', () => {
  it('are counted by their columns, one after the other, whoever else fails', () => {
    const { made, results, errors, series } = service();
    const stream = made.stream(caller);
    stream.message(encode({ identifier: identifier(), ...requests(common({}, {}), common({}, {})) }));
    stream.message(encode(requests(common({ response_code: '503', response_flags: 'UH' }, {}))));
    expect(results).toEqual({ taken: 3 });
    expect(errors).toHaveLength(3);
    expect(series('istio_requests_total').map((line) => line.replace(/.*(response_code.*)/, '$1'))).toEqual([
      'response_code="200",grpc_response_status="",response_flags="-"} 2',
      'response_code="503",grpc_response_status="",response_flags="UH"} 1',
    ]);
    expect(series('istio_request_duration_milliseconds_sum')[0]).toMatch(/ 24$/);
  });

  it('have Istio’s attributes', () => {
    const { made, records } = service();
    made.stream(caller).message(encode({ identifier: identifier(), ...requests(common({}, {})) }));
    const [{ record, read } = { record: undefined, read: () => undefined }] = records;
    expect(record).toMatchObject({ protocol: 'http', event: 'end', responseCode: 200, traceParent: '00-aa-bb-01' });
    expect(record?.ends).toMatchObject({ mutualTls: true, source: { workload: 'productpage-v1', app: 'productpage' } });
    const expected: Readonly<Record<string, unknown>> = {
      'context.reporter.kind': 'inbound',
      'context.protocol': 'http',
      'context.proxy_error_code': '-',
      'source.ip': '10.1.0.7',
      'source.workload.name': 'productpage-v1',
      'source.namespace': 'default',
      'destination.ip': '10.1.0.8',
      'destination.port': 9080,
      'destination.workload.name': 'reviews-v1',
      'request.method': 'GET',
      'request.path': '/reviews/0?stars=5',
      'request.url_path': '/reviews/0',
      'request.host': 'reviews:9080',
      'request.size': 7,
      'request.total_size': 107,
      'request.time': 1_700_000_000_500,
      'response.code': 200,
      'response.size': 9,
      'response.duration': 12.7,
      'connection.mtls': true,
      'connection.event': undefined,
    };
    for (const [name, value] of Object.entries(expected)) expect([name, read(name)]).toEqual([name, value]);
    expect((read('request.headers') as Map<string, string>).get('x-team')).toBe('books');
    expect((read('request.query_params') as Map<string, string>).get('stars')).toBe('5');
    expect((read('response.headers') as Map<string, string>).get('server')).toBe('envoy');
  });

  it('of who could not be named are of whom the directory knows at the address', () => {
    const labels = { app: 'sleep' };
    const workload = {
      name: 'sleep-1',
      namespace: 'default',
      ownerName: 'sleep',
      labels,
      serviceAccount: 'sleep',
    } as unknown as Workload;
    const other = { ...workload, ownerName: 'other-v1' } as Workload;
    const directory = {
      workloadByAddress: () => workload,
      workloadById: (id: string) => (id === spiffe('other') ? other : undefined),
      fill: () => undefined,
    } as unknown as Directory;
    const { made, series } = service(directory);
    const nobody = { source_workload: 'unknown', source_workload_namespace: '-', source_app: '' };
    const entries = [
      common({ ...nobody, source_principal: '' }, {}),
      common({ ...nobody, source_principal: spiffe('other') }, {}),
      common({ ...nobody, source_principal: spiffe('stranger') }, {}),
    ];
    made.stream(caller).message(encode({ identifier: identifier(), ...requests(...entries) }));
    expect(series('istio_requests_total').map((line) => /source_workload="([\w-]+)"/.exec(line)?.[1])).toEqual([
      'sleep',
      'other-v1',
      'unknown',
    ]);
  });

  it('have gRPC messages counted', () => {
    const { made, series, records } = service();
    const tags = { 'seine.row': row({ request_protocol: 'grpc', grpc_response_status: '5' }), 'seine.messages': '2,3' };
    made.stream(caller).message(encode({ identifier: identifier(), ...requests(common({}, { customTags: tags })) }));
    expect(series('istio_request_messages_total')[0]).toMatch(/ 2$/);
    expect(records[0]?.record).toMatchObject({ protocol: 'grpc', grpcStatus: 5 });
  });
});

describe('connections', () => {
  it('are told of from their opening to their end, and their bytes once', () => {
    const { made, series, records } = service();
    const stream = made.stream(caller);
    stream.message(encode({ identifier: identifier(), ...connection(AccessLogType.TcpUpstreamConnected, 10, 0) }));
    stream.message(encode(connection(AccessLogType.TcpPeriodic, 100, 50)));
    stream.message(encode(connection(AccessLogType.TcpConnectionEnd, 130, 50)));
    expect(records.map(({ record }) => record.event)).toEqual(['open', 'continue', 'end']);
    expect(records.map(({ read }) => read('connection.received.bytes'))).toEqual([10, 90, 30]);
    expect(records.map(({ read }) => read('connection.event'))).toEqual(['open', 'continue', 'close']);
    expect(records[2]?.read('connection.received.bytes_total')).toBe(130);
    expect(series('istio_tcp_received_bytes_total')[0]).toMatch(/ 130$/);
    expect(series('istio_tcp_sent_bytes_total')[0]).toMatch(/ 50$/);
    expect(series('istio_tcp_connections_opened_total')[0]).toMatch(/ 1$/);
    expect(series('istio_tcp_connections_closed_total')[0]).toMatch(/ 1$/);
    expect(made.connections.size).toBe(0);
  });

  it('that another mixer was told of count from here on', () => {
    const { made, series } = service();
    const stream = made.stream(caller);
    stream.message(encode({ identifier: identifier(), ...connection(AccessLogType.TcpPeriodic, 1000, 0) }));
    stream.message(
      encode(connection(AccessLogType.TcpConnectionEnd, 1100, 0, { upstreamLocalAddress: address('10.1.0.8', 1) })),
    );
    expect(series('istio_tcp_received_bytes_total')[0]).toMatch(/ 100$/);
  });

  it('that never had an upstream count whole', () => {
    const { made, series } = service();
    made
      .stream(caller)
      .message(encode({ identifier: identifier(), ...connection(AccessLogType.TcpConnectionEnd, 40, 0) }));
    expect(series('istio_tcp_received_bytes_total')[0]).toMatch(/ 40$/);
  });
});

describe('a stream', () => {
  it('tells of its own workload only', () => {
    const { made, results, series } = service();
    const stream = made.stream(caller);
    stream.message(
      encode({
        identifier: identifier(),
        ...requests(
          common({ destination_workload_namespace: 'bank' }, {}),
          common({ destination_principal: spiffe('admin') }, {}),
          common({}, {}),
        ),
      }),
    );
    expect(results).toEqual({ taken: 1, refused: 2 });
    expect(series('istio_requests_total')).toHaveLength(1);
  });

  it.each<[string, Message]>([
    ['that says nothing of itself', requests(common({}, {}))],
    ['of another log', { identifier: { ...identifier(), logName: 'http_envoy_accesslog' } }],
    [
      'of a node of another namespace',
      { identifier: identifier(head, 'sidecar~10.1.0.8~a.bank~bank.svc.cluster.local') },
    ],
  ])('%s is refused', (_, message) => {
    expect(() => service().made.stream(caller).message(encode(message))).toThrow(/identifier|log_name|its id/);
  });

  it('that ends within a message loses what did not come', () => {
    const { made, results } = service();
    const stream = made.stream(caller);
    const whole = encode({ identifier: identifier(), ...requests(common({}, {}), common({}, {})) });
    expect(() => stream.message(whole.subarray(0, whole.length - 3))).toThrow('this is no StreamAccessLogsMessage');
    expect(results['malformed']).toBe(1);
  });

  it('takes any bytes without harm', () => {
    const { made, results } = service();
    const whole = encode({ identifier: identifier(), ...requests(common({}, {})) });
    for (let i = 0; i < whole.length; i++) {
      const changed = Buffer.from(whole);
      changed[i] = (changed[i] ?? 0) ^ 0xff;
      try {
        made.stream(caller).message(changed);
      } catch (error) {
        expect(error).toMatchObject({ name: 'GrpcError' });
      }
    }
    expect(results.taken).toBeGreaterThan(0);
  });
});
