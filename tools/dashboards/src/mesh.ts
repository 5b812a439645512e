import type { Dashboard } from './grafana.js';
import { quantile, successRatio, sumRate } from './queries.js';

/** Requests are counted where they are sent, as who is not in the mesh sends none. */
const sent = 'reporter=~"source|waypoint"';
const http = `istio_requests_total{${sent}}`;
const byService = ['destination_service'];
const byWorkload = ['destination_service', 'destination_workload', 'destination_workload_namespace'];
const duration = 'istio_request_duration_milliseconds';
const withCode = (code: string) => `istio_requests_total{${sent}, response_code=~"${code}"}`;

export const meshDashboard: Dashboard = {
  uid: 'seine-mesh',
  title: 'Seine: mesh',
  description: 'All services of the mesh: how much is asked, how much goes wrong, and how long it takes.',
  variables: [],
  rows: [
    {
      title: 'All of the mesh',
      panels: [
        { title: 'Requests', kind: 'stat', unit: 'reqps', width: 4, queries: [{ expr: sumRate(http) }] },
        {
          title: 'Success rate (no 5xx)',
          kind: 'stat',
          unit: 'percentunit',
          width: 4,
          queries: [{ expr: successRatio(sent) }],
        },
        {
          title: '4xx',
          kind: 'stat',
          unit: 'reqps',
          width: 4,
          queries: [{ expr: `${sumRate(withCode('4.*'))} or vector(0)` }],
        },
        {
          title: '5xx',
          kind: 'stat',
          unit: 'reqps',
          width: 4,
          queries: [{ expr: `${sumRate(withCode('5.*'))} or vector(0)` }],
        },
        {
          title: 'Within mutual TLS',
          description: 'Of the requests that sidecars got, the part whose caller has proved an identity.',
          kind: 'stat',
          unit: 'percentunit',
          width: 4,
          queries: [
            {
              expr: `${sumRate('istio_requests_total{reporter="destination", connection_security_policy="mutual_tls"}')} / ${sumRate('istio_requests_total{reporter="destination"}')}`,
            },
          ],
        },
        {
          title: 'TCP bytes',
          kind: 'stat',
          unit: 'Bps',
          width: 4,
          queries: [
            {
              expr: `${sumRate(`istio_tcp_sent_bytes_total{${sent}}`)} + ${sumRate(`istio_tcp_received_bytes_total{${sent}}`)}`,
            },
          ],
        },
      ],
    },
    {
      title: 'HTTP and gRPC workloads',
      panels: [
        {
          title: 'Workloads',
          kind: 'table',
          unit: 'none',
          width: 24,
          height: 10,
          queries: [
            { expr: sumRate(http, byWorkload), legend: 'Requests/s' },
            { expr: quantile(0.5, duration, sent, byWorkload), legend: 'P50, ms' },
            { expr: quantile(0.9, duration, sent, byWorkload), legend: 'P90, ms' },
            { expr: quantile(0.99, duration, sent, byWorkload), legend: 'P99, ms' },
            { expr: successRatio(sent, byWorkload), legend: 'Success rate' },
          ],
        },
        {
          title: 'Requests by service',
          kind: 'timeseries',
          unit: 'reqps',
          queries: [{ expr: sumRate(http, byService), legend: '{{destination_service}}' }],
        },
        {
          title: 'Success rate by service',
          kind: 'timeseries',
          unit: 'percentunit',
          queries: [{ expr: successRatio(sent, byService), legend: '{{destination_service}}' }],
        },
        {
          title: 'P99 by service',
          kind: 'timeseries',
          unit: 'ms',
          queries: [{ expr: quantile(0.99, duration, sent, byService), legend: '{{destination_service}}' }],
        },
        {
          title: 'Answers by code',
          kind: 'timeseries',
          unit: 'reqps',
          queries: [{ expr: sumRate(http, ['response_code']), legend: '{{response_code}}' }],
        },
        {
          title: 'Response flags of Envoy',
          description:
            'Why Envoy itself answered: UH no healthy host, UF connection failed, RL rate limit, UAEX denied, …',
          kind: 'timeseries',
          unit: 'reqps',
          queries: [
            {
              expr: sumRate(`istio_requests_total{${sent}, response_flags!="-"}`, ['response_flags']) + ' or vector(0)',
              legend: '{{response_flags}}',
            },
          ],
        },
        {
          title: 'gRPC messages',
          kind: 'timeseries',
          unit: 'ops',
          queries: [
            { expr: `${sumRate('istio_request_messages_total{reporter="source"}')} or vector(0)`, legend: 'asked' },
            { expr: `${sumRate('istio_response_messages_total{reporter="source"}')} or vector(0)`, legend: 'answered' },
          ],
        },
      ],
    },
    {
      title: 'TCP services',
      panels: [
        {
          title: 'TCP workloads',
          kind: 'table',
          unit: 'Bps',
          width: 24,
          queries: [
            { expr: sumRate(`istio_tcp_sent_bytes_total{${sent}}`, byWorkload), legend: 'Sent' },
            { expr: sumRate(`istio_tcp_received_bytes_total{${sent}}`, byWorkload), legend: 'Received' },
          ],
        },
        {
          title: 'Connections opened and closed',
          kind: 'timeseries',
          unit: 'ops',
          width: 12,
          queries: [
            { expr: sumRate(`istio_tcp_connections_opened_total{${sent}}`), legend: 'opened' },
            { expr: sumRate(`istio_tcp_connections_closed_total{${sent}}`), legend: 'closed' },
          ],
        },
      ],
    },
    {
      title: 'What runs',
      panels: [
        {
          title: 'Parts by version',
          kind: 'timeseries',
          unit: 'none',
          width: 12,
          queries: [{ expr: 'sum(istio_build) by (component, tag)', legend: '{{component}} {{tag}}' }],
        },
      ],
    },
  ],
};
