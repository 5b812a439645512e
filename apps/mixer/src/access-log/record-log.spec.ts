import { expect, it } from '@jest/globals';
import type { LogEnd, LogRecord } from './log-sink.js';
import { recordLog } from './record-log.js';

const end = (workload: string): LogEnd => ({
  ...{ workload, namespace: 'default', service: workload, revision: 'v1', app: workload, version: '', cluster: '' },
  principal: '',
});
const record: LogRecord = {
  protocol: 'http',
  event: 'end',
  ends: {
    key: 'a',
    reporter: 'inbound',
    source: end('productpage'),
    destination: end('reviews'),
    service: { host: 'reviews.default.svc.cluster.local', name: 'reviews', namespace: 'default' },
    mutualTls: false,
  },
  startTime: Date.parse('2026-01-02T03:04:05.006Z'),
  duration: 7.9,
  receivedBytes: 1,
  sentBytes: 2,
  responseCode: 200,
  grpcStatus: undefined,
  responseFlags: '',
  method: 'GET',
  path: '/a\n"b"',
  authority: 'reviews:9080',
  requestId: 'an-id',
  traceParent: '',
  attributes: { get: () => undefined },
};

it('writes a line a record, whatever is in it', () => {
  const lines: string[] = [];
  recordLog({ write: (line) => lines.push(line), writableLength: 0 }, () => undefined)(record);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{[^\n]*\}\n$/);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    start_time: '2026-01-02T03:04:05.006Z',
    reporter: 'inbound',
    protocol: 'http',
    method: 'GET',
    path: '/a\n"b"',
    authority: 'reviews:9080',
    response_code: 200,
    request_id: 'an-id',
    response_flags: '-',
    bytes_received: 1,
    bytes_sent: 2,
    duration: 7,
    source: { workload: 'productpage', namespace: 'default', app: 'productpage' },
    destination: { workload: 'reviews', namespace: 'default', app: 'reviews' },
    destination_service: 'reviews.default.svc.cluster.local',
    mutual_tls: false,
  });
});

it('drops lines while nobody reads them', () => {
  let dropped = 0;
  const lines: string[] = [];
  const log = recordLog({ write: (line) => lines.push(line), writableLength: 9_000_000 }, () => dropped++);
  log(record);
  expect([lines.length, dropped]).toEqual([0, 1]);
});
