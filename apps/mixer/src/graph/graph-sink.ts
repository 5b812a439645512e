import { type Edge, type EdgeEnd, edgeOf, type GraphRecorder, type Observation } from '@seine/service-graph';
import type { LogEnd, LogEnds, LogRecord, LogSink } from '../access-log/log-sink.js';

const connections = { open: 'opened', continue: 'open', end: 'closed' } as const;

/**
 * Counts log entries as edges of the graph.
 * @param now milliseconds since 1970
 */
export function graphSink(recorder: Pick<GraphRecorder, 'observe'>, now: () => number): LogSink {
  const edges = new EdgeCache();
  return (record) => recorder.observe(observationOf(record, edges), now());
}

function observationOf(record: LogRecord, edges: EdgeCache): Observation {
  const { ends, protocol } = record;
  const isTcp = protocol === 'tcp';
  return {
    edge: edges.of(ends, protocol),
    reporter: ends.reporter === 'inbound' ? 'destination' : 'source',
    mutualTls: ends.mutualTls,
    responseCode: record.responseCode,
    grpcStatus: record.grpcStatus,
    responseFlags: record.responseFlags,
    durationMs: isTcp ? undefined : record.duration,
    requestBytes: record.receivedBytes,
    responseBytes: record.sentBytes,
    connection: isTcp ? connections[record.event] : undefined,
  };
}

/** Edges by the ends of log records, which are one object for many of them. */
class EdgeCache {
  readonly #edges = new WeakMap<LogEnds, Partial<Record<LogRecord['protocol'], Edge>>>();

  of(ends: LogEnds, protocol: LogRecord['protocol']): Edge {
    let ofEnds = this.#edges.get(ends);
    if (!ofEnds) this.#edges.set(ends, (ofEnds = {}));
    return (ofEnds[protocol] ??= edgeOf({
      source: endOf(ends.source),
      destination: endOf(ends.destination, ends.service.namespace),
      service: ends.service.host,
      protocol,
    }));
  }
}

/** @param otherwise the namespace in which it must be though it is not known: that of the service, where no endpoint was chosen */
function endOf({ workload, namespace, app, version }: LogEnd, otherwise = ''): EdgeEnd {
  if (known(workload) === '') return { ...unknownEnd, namespace: otherwise || unknownEnd.namespace };
  return { workload, namespace, app: known(app), version: known(version) };
}

const unknownEnd: EdgeEnd = { workload: 'unknown', namespace: 'unknown', app: '', version: '' };
const known = (label: string): string => (label === 'unknown' ? '' : label);
