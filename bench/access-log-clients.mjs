// Envoys that log to mixer. Takes its task as JSON in the first argument, prints the result as JSON.
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import { durationOf } from '@seine/envoy';
import { AccessLogType } from '@seine/envoy/envoy/data/accesslog/v3/accesslog_pb.js';
import { StreamAccessLogsMessageSchema } from '@seine/envoy/envoy/service/accesslog/v3/als_pb.js';
import { formatLogName } from '@seine/mixer';

const { port, connections, admin, rows, total, entriesAMessage, purposes } = JSON.parse(process.argv[2]);

/** The columns that pilot has Envoy log, with values as long as they are in a mesh. */
const ofWorkload = (side, name) => [
  [`${side}_workload`, `${name}-v1`],
  [`${side}_canonical_service`, name],
  [`${side}_canonical_revision`, 'v1'],
  [`${side}_workload_namespace`, 'default'],
  [`${side}_app`, name],
  [`${side}_version`, 'v1'],
  [`${side}_cluster`, 'Kubernetes'],
  [`${side}_principal`, `spiffe://cluster.local/ns/default/sa/bookinfo-${name}`],
];
const columns = (row) => [
  ...ofWorkload('source', 'productpage'),
  ...ofWorkload('destination', `reviews-${row}`),
  ['destination_service', `reviews-${row}.default.svc.cluster.local`],
  ['destination_service_name', `reviews-${row}`],
  ['destination_service_namespace', 'default'],
  ['request_protocol', 'http'],
  ['response_code', '200'],
  ['grpc_response_status', ''],
  ['response_flags', '-'],
  ['connection_security_policy', 'mutual_tls'],
];
const names = columns(0).map(([name]) => name);
const logName = formatLogName({
  reporter: 'inbound',
  purposes,
  columns: names,
  metrics: purposes.includes('metrics')
    ? [
        {
          names: ['requests_total', 'request_duration_milliseconds', 'request_bytes', 'response_bytes'],
          labels: names.map((_, i) => i),
        },
      ]
    : [],
});
const address = (ip, portValue) => ({
  address: { case: 'socketAddress', value: { address: ip, portSpecifier: { case: 'portValue', value: portValue } } },
});

/** One request as Envoy 1.40 tells of it. */
const entry = (row) => ({
  protocolVersion: 2,
  commonProperties: {
    downstreamRemoteAddress: address('10.1.0.7', 40_000),
    downstreamLocalAddress: address('10.1.0.8', 9080),
    downstreamDirectRemoteAddress: address('10.1.0.7', 40_000),
    upstreamRemoteAddress: address('127.0.0.1', 9080),
    upstreamLocalAddress: address('127.0.0.6', 50_000),
    tlsProperties: {
      tlsVersion: 4,
      tlsSniHostname: 'outbound_.9080_._.reviews.default.svc.cluster.local',
      localCertificateProperties: {
        subjectAltName: [{ san: { case: 'uri', value: 'spiffe://cluster.local/ns/default/sa/bookinfo-reviews' } }],
      },
      peerCertificateProperties: {
        subjectAltName: [{ san: { case: 'uri', value: 'spiffe://cluster.local/ns/default/sa/bookinfo-productpage' } }],
      },
    },
    startTime: { seconds: 1_800_000_000n, nanos: 123_456_789 },
    timeToLastRxByte: durationOf(0.1),
    timeToFirstUpstreamTxByte: durationOf(0.4),
    timeToLastUpstreamTxByte: durationOf(0.5),
    timeToFirstUpstreamRxByte: durationOf(3),
    timeToLastUpstreamRxByte: durationOf(4),
    timeToFirstDownstreamTxByte: durationOf(4),
    timeToLastDownstreamTxByte: durationOf(5),
    duration: durationOf(5.5),
    upstreamCluster: 'inbound|9080||',
    routeName: 'default',
    streamId: '7467d24d-d556-49a9-bbe7-88499dd2ec9c',
    accessLogType: AccessLogType.DownstreamEnd,
    downstreamWireBytesSent: 500n,
    downstreamWireBytesReceived: 300n,
    customTags: {
      'seine.row': columns(row)
        .map(([, value]) => value)
        .join('\n'),
    },
  },
  request: {
    requestMethod: 1,
    scheme: 'http',
    authority: 'reviews:9080',
    path: '/reviews/0',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64)',
    requestId: '7467d24d-d556-49a9-bbe7-88499dd2ec9c',
    requestHeadersBytes: 600n,
    requestBodyBytes: 0n,
    requestHeaders: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  },
  response: {
    responseCode: 200,
    responseHeadersBytes: 150n,
    responseBodyBytes: 400n,
    responseCodeDetails: 'via_upstream',
  },
});

const encode = (message) =>
  Buffer.from(toBinary(StreamAccessLogsMessageSchema, create(StreamAccessLogsMessageSchema, message)));
const messages = Array.from({ length: Math.ceil(Math.max(rows, 1000) / entriesAMessage) }, (_, i) =>
  encode({
    logEntries: {
      case: 'httpLogs',
      value: {
        logEntry: Array.from({ length: entriesAMessage }, (__, k) => entry((i * entriesAMessage + k) % rows)),
      },
    },
  }),
);
const first = encode({
  identifier: { logName, node: { id: 'sidecar~10.1.0.8~reviews-v1.default~default.svc.cluster.local' } },
});

/** Entries that mixer has taken. */
async function taken() {
  const text = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
  return Number(/^mixer_access_log_entries_total\{result="taken"\} (\d+)/m.exec(text)?.[1] ?? 0);
}

const before = await taken();
const began = performance.now();
const wanted = Math.floor(total / entriesAMessage / connections);
await Promise.all(
  Array.from({ length: connections }, async (_, c) => {
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    const path = '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs';
    const same = (bytes) => bytes;
    await new Promise((resolve, reject) => {
      const call = client.makeClientStreamRequest(path, same, same, (error) => error && reject(error));
      call.write(first);
      let sent = 0;
      const send = () => {
        while (sent < wanted) if (!call.write(messages[(c * wanted + sent++) % messages.length])) return;
        resolve();
      };
      call.on('drain', send);
      send();
    });
  }),
);
const all = wanted * connections * entriesAMessage;
while ((await taken()) < before + all) await setTimeout(20);
const seconds = (performance.now() - began) / 1000;
console.log(JSON.stringify({ answers: all, seconds }));
process.exit(0);
