/**
 * How pilot has proxies log to mixer. The name of the log says what the entries of a stream are for and which columns they
 * have; each entry has its columns' values in one custom tag. So mixer needs not know a proxy's configuration, and what stays
 * the same for all entries is sent once a stream.
 */

/** What entries are for. Of several logs of one proxy's side, each purpose has one. */
export const logPurposes = ['graph', 'records', 'rules', 'metrics'] as const;
export type LogPurpose = (typeof logPurposes)[number];

/** Metrics that are counted by the same labels. */
export interface LogMetrics {
  /** Istio's names without `istio_`: `requests_total`. */
  readonly names: readonly string[];
  /** The labels behind `reporter`, by their columns. */
  readonly labels: readonly number[];
}

export interface LogHead {
  /** `context.reporter.kind`: `inbound` reports what a workload takes in, `outbound` what it or a gateway sends. */
  readonly reporter: 'inbound' | 'outbound';
  readonly purposes: readonly LogPurpose[];
  /** Names of the columns: those of labels of Istio's standard metrics, and what Telemetry adds. */
  readonly columns: readonly string[];
  readonly metrics: readonly LogMetrics[];
}

/** The custom tag that holds an entry's columns, by lines: no header and no label has a newline. */
export const rowTag = 'seine.row';
export const rowSeparator = '\n';
/** The custom tag with how many gRPC messages went both ways: `2,3`. */
export const messagesTag = 'seine.messages';

const prefix = 'mixer ';
const maxColumns = 256;

/** What Envoy is to call the log. */
export function formatLogName({ reporter, purposes, columns, metrics }: LogHead): string {
  return `${prefix}${JSON.stringify({ reporter, purposes, columns, metrics })}`;
}

/** @returns undefined where it is the name of another log, or none that fits */
export function parseLogName(name: string): LogHead | undefined {
  if (!name.startsWith(prefix)) return undefined;
  let read: unknown;
  try {
    read = JSON.parse(name.slice(prefix.length));
  } catch {
    return undefined;
  }
  return isHead(read) ? read : undefined;
}

function isHead(value: unknown): value is LogHead {
  if (typeof value !== 'object' || value === null) return false;
  const { reporter, purposes, columns, metrics } = value as Readonly<Record<string, unknown>>;
  if (reporter !== 'inbound' && reporter !== 'outbound') return false;
  if (!isListOf(columns, isText) || columns.length > maxColumns) return false;
  const isColumn = (one: unknown): one is number =>
    Number.isInteger(one) && (columns as unknown[])[one as number] !== undefined;
  const isMetrics = (one: unknown): one is LogMetrics => {
    if (typeof one !== 'object' || one === null) return false;
    const { names, labels } = one as Readonly<Record<string, unknown>>;
    return isListOf(names, isText) && isListOf(labels, isColumn) && labels.length <= maxColumns;
  };
  return isListOf(purposes, isText) && isListOf(metrics, isMetrics) && metrics.length <= maxColumns;
}

const isText = (value: unknown): value is string => typeof value === 'string';

function isListOf<T>(value: unknown, isOne: (one: unknown) => one is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isOne);
}
