import type { Panel } from './grafana.js';
import { quantileQueries, successRatio, sumRate } from './queries.js';

/** One look at some traffic: what it is, and by what its lines are told apart. */
export interface Traffic {
  /** `from workloads`: behind each title. */
  readonly of: string;
  /** Of the series: `reporter="$reporter", destination_service=~"$service"`. */
  readonly labels: string;
  readonly by: readonly string[];
  /** `{{source_workload}}.{{source_workload_namespace}}` */
  readonly legend: string;
}

/** Requests, success, times, sizes and TCP bytes of some traffic: a row of Istio's dashboards of services and workloads. */
export function trafficPanels({ of, labels, by, legend }: Traffic): readonly Panel[] {
  const http = `istio_requests_total{${labels}}`;
  const both = [...by, 'connection_security_policy'];
  const secured = `${legend} {{connection_security_policy}}`;
  return [
    {
      title: `Requests ${of}, by code`,
      kind: 'timeseries',
      unit: 'reqps',
      width: 12,
      queries: [{ expr: sumRate(http, [...both, 'response_code']), legend: `${secured}: {{response_code}}` }],
    },
    {
      title: `Success rate ${of} (no 5xx)`,
      kind: 'timeseries',
      unit: 'percentunit',
      width: 12,
      queries: [{ expr: successRatio(labels, both), legend: secured }],
    },
    histogram(`Duration ${of}`, 'ms', 'istio_request_duration_milliseconds'),
    histogram(`Request size ${of}`, 'bytes', 'istio_request_bytes'),
    histogram(`Response size ${of}`, 'bytes', 'istio_response_bytes'),
    bytes(`TCP bytes received ${of}`, 'istio_tcp_received_bytes_total'),
    bytes(`TCP bytes sent ${of}`, 'istio_tcp_sent_bytes_total'),
  ];

  function histogram(title: string, unit: Panel['unit'], metric: string): Panel {
    return { title, kind: 'timeseries', unit, queries: quantileQueries(metric, labels, by, legend, [0.5, 0.9, 0.99]) };
  }

  function bytes(title: string, metric: string): Panel {
    const expr = sumRate(`${metric}{${labels}}`, both);
    return { title, kind: 'timeseries', unit: 'Bps', width: 12, queries: [{ expr, legend: secured }] };
  }
}

/** Requests, success, times and TCP bytes in four small panels. @param of `as clients see it` */
export function summaryPanels(of: string, labels: string): readonly Panel[] {
  return [
    {
      title: `Requests ${of}`,
      kind: 'stat',
      unit: 'reqps',
      width: 6,
      queries: [{ expr: sumRate(`istio_requests_total{${labels}}`) }],
    },
    {
      title: `Success rate ${of}`,
      kind: 'stat',
      unit: 'percentunit',
      width: 6,
      queries: [{ expr: successRatio(labels) }],
    },
    {
      title: `Duration ${of}`,
      kind: 'stat',
      unit: 'ms',
      width: 6,
      queries: quantileQueries('istio_request_duration_milliseconds', labels, [], '', [0.5, 0.9, 0.99]),
    },
    {
      title: `TCP bytes ${of}`,
      kind: 'stat',
      unit: 'Bps',
      width: 6,
      queries: [
        { expr: sumRate(`istio_tcp_received_bytes_total{${labels}}`), legend: 'received' },
        { expr: sumRate(`istio_tcp_sent_bytes_total{${labels}}`), legend: 'sent' },
      ],
    },
  ];
}
