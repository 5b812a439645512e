import { expect, it } from '@jest/globals';
import type { LogHead } from '@seine/mixer';
import { SeriesStore } from '../series/series-store.js';
import { MeshMetrics } from './mesh-metrics.js';

const columns = [
  'source_workload',
  'request_protocol',
  'response_code',
  'grpc_response_status',
  'response_flags',
  'team',
];
const head: LogHead = {
  reporter: 'outbound',
  purposes: ['metrics'],
  columns,
  metrics: [
    { names: ['requests_total', 'request_bytes', 'no_such_metric'], labels: [0, 1, 2, 3, 4] },
    { names: ['request_messages_total'], labels: [0, 1, 2, 3, 4, 5] },
  ],
};

function text(store: SeriesStore): readonly string[] {
  return [...store.write()].join('').split('\n');
}

it('counts under Istio’s names, by the columns that a metric has', () => {
  const store = new SeriesStore({ now: () => 0 });
  const counters = new MeshMetrics(store).counters(head, ['productpage-v1', 'http', '200', '', '-', 'books']);
  counters.requests_total?.record(1);
  counters.request_bytes?.record(7);
  counters.request_messages_total?.record(3);
  const labels = 'reporter="source",source_workload="productpage-v1",request_protocol="http"';
  const ofResponse = 'response_code="200",grpc_response_status="",response_flags="-"';
  expect(text(store)).toEqual(
    expect.arrayContaining([
      `istio_requests_total{${labels},${ofResponse}} 1`,
      `istio_request_bytes_bucket{${labels},${ofResponse},le="5"} 0`,
      `istio_request_bytes_bucket{${labels},${ofResponse},le="10"} 1`,
      `istio_request_bytes_sum{${labels},${ofResponse}} 7`,
      `istio_request_messages_total{${labels},team="books"} 3`,
    ]),
  );
  expect(Object.keys(counters)).toEqual(['requests_total', 'request_bytes', 'request_messages_total']);
});

it('says unknown where a proxy had nothing to say, as the proxies’ own metrics do', () => {
  const store = new SeriesStore({ now: () => 0 });
  new MeshMetrics(store).counters({ ...head, reporter: 'inbound' }, ['-', '', '-', '-', '']).requests_total?.record(1);
  expect(text(store)).toContain(
    'istio_requests_total{reporter="destination",source_workload="unknown",request_protocol="unknown",response_code="unknown",grpc_response_status="-",response_flags=""} 1',
  );
});

it('takes no label that Prometheus would not read', () => {
  const store = new SeriesStore({ now: () => 0 });
  const bad: LogHead = {
    ...head,
    columns: ['a-b', '__name__', 'x{}'],
    metrics: [{ names: ['requests_total'], labels: [0, 1, 2] }],
  };
  new MeshMetrics(store).counters(bad, ['1', '2', '3']).requests_total?.record(1);
  expect(text(store)).toContain('istio_requests_total{reporter="source"} 1');
});
