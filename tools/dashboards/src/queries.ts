import type { Query } from './grafana.js';

/** PromQL that several panels are made of. Rates are over Grafana's own window: at least four scrapes. */

const window = '$__rate_interval';

/** `sum(rate(…))`. @param by labels that stay */
export function sumRate(selector: string, by: readonly string[] = []): string {
  return `sum(rate(${selector}[${window}]))${grouped(by)}`;
}

/** Of all answers, the part that no 5xx is; 0 to 1. */
export function successRatio(labels: string, by: readonly string[] = []): string {
  const all = `istio_requests_total{${labels}}`;
  const good = `istio_requests_total{${labels}, response_code!~"5.*"}`;
  return `${sumRate(good, by)} / ${sumRate(all, by)}`;
}

const quantiles = [0.5, 0.9, 0.95, 0.99] as const;
export type Quantile = (typeof quantiles)[number];

/** One quantile of one of Istio's histograms. @param metric `istio_request_duration_milliseconds` */
export function quantile(q: Quantile, metric: string, labels: string, by: readonly string[] = []): string {
  return `histogram_quantile(${q}, ${sumRate(`${metric}_bucket{${labels}}`, [...by, 'le'])})`;
}

/** Several quantiles of a histogram. @param legend of what is grouped: `{{source_workload}}` */
export function quantileQueries(
  metric: string,
  labels: string,
  by: readonly string[] = [],
  legend = '',
  of: readonly Quantile[] = quantiles,
): readonly Query[] {
  return of.map((q) => ({
    expr: quantile(q, metric, labels, by),
    legend: `${legend}${legend === '' ? '' : ' '}P${Math.round(q * 100)}`,
  }));
}

/** The values that a label has in what is counted of HTTP or of TCP, for a variable. */
export function either(label: string, labels: string): string {
  return ['istio_requests_total', 'istio_tcp_sent_bytes_total']
    .map((metric) => `sum(${metric}{${labels}}) by (${label})`)
    .join(' or ');
}

function grouped(by: readonly string[]): string {
  return by.length === 0 ? '' : ` by (${by.join(', ')})`;
}
