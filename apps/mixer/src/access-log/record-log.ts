import type { LogEnd, LogRecord, LogSink } from './log-sink.js';

/** Where lines go. */
export interface LineOutput {
  write(line: string): void;
  /** Bytes that wait to be written. */
  readonly writableLength: number;
}

/** So much may wait, bytes: who reads slower than proxies log loses lines, and mixer keeps its memory. */
const maxWaiting = 8 * 1024 * 1024;

/**
 * Writes each record as a line of JSON, under the names of Istio's access log (Istio docs, "Envoy Access Logs") and with both
 * ends.
 * @param dropped is told of each line for which there is no room
 */
export function recordLog(output: LineOutput, dropped: () => void): LogSink {
  return (record) => {
    if (output.writableLength > maxWaiting) dropped();
    else output.write(`${JSON.stringify(lineOf(record))}\n`);
  };
}

function lineOf(record: LogRecord): Readonly<Record<string, unknown>> {
  const { protocol, event, ends, startTime, duration, receivedBytes, sentBytes, responseFlags } = record;
  const isTcp = protocol === 'tcp';
  return {
    start_time: new Date(startTime).toISOString(),
    reporter: ends.reporter,
    protocol,
    ...(isTcp
      ? { event }
      : {
          method: record.method,
          path: record.path,
          authority: record.authority,
          response_code: record.responseCode,
          grpc_status: record.grpcStatus,
          request_id: record.requestId,
        }),
    response_flags: responseFlags === '' ? '-' : responseFlags,
    bytes_received: receivedBytes,
    bytes_sent: sentBytes,
    duration: Math.floor(duration),
    source: endOf(ends.source),
    destination: endOf(ends.destination),
    destination_service: ends.service.host,
    mutual_tls: ends.mutualTls,
    trace_parent: record.traceParent === '' ? undefined : record.traceParent,
  };
}

/** What is not known is left out. */
function endOf({ workload, namespace, app, version, principal }: LogEnd): Readonly<Record<string, string>> {
  const fields = { workload, namespace, app, version, principal };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}
