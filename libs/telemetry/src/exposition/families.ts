/** What Prometheus knows of kinds of metrics (text format 0.0.4). */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';

/**
 * The series of one metric. A series is written as it came, without its value: name and labels are the key, as in
 * `istio_requests_total{reporter="source"}` or `istio_request_bytes_bucket{reporter="source",le="5"}`.
 */
export interface MetricFamily {
  readonly name: string;
  type: MetricType;
  help: string | undefined;
  /** In the order they came, so that the buckets of a histogram stay together. */
  readonly series: Map<string, number>;
}

/** Families by name, in the order they came. */
export type MetricFamilies = Map<string, MetricFamily>;

export function newFamily(name: string, type: MetricType = 'untyped'): MetricFamily {
  return { name, type, help: undefined, series: new Map() };
}

/** The family of a name, made if need be. */
export function familyOf(families: MetricFamilies, name: string, type?: MetricType): MetricFamily {
  const known = families.get(name);
  if (known) return known;
  const made = newFamily(name, type);
  families.set(name, made);
  return made;
}
