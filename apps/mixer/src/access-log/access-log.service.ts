import { create } from '@bufbuild/protobuf';
import { falseClaim } from '@seine/bootstrap';
import { formatWorkloadId, type WorkloadIdentity } from '@seine/ca';
import { NodeSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { GrpcError, GrpcStatus } from '@seine/h2grpc';
import { type Directory, type LogHead, type LogPurpose, parseLogName } from '@seine/mixer';
import type { MeshMetrics } from '@seine/telemetry';
import { WireError, WireReader } from '../check/wire.js';
import { Connections } from './connections.js';
import { EndAttributes } from './end-attributes.js';
import { type EntryBytes, EntryRecord, type LogStream } from './entry-record.js';
import { LogEntry, LogType } from './log-entry.js';
import { ownOf } from './log-ends.js';
import { type LogOfRows, LogRows, type Row } from './log-rows.js';
import type { LogRecord, LogSink } from './log-sink.js';
import { type LogIdentifier, readIdentifier } from './log-identifier.js';

/** What became of an entry. */
export type EntryResult = 'taken' | 'refused' | 'malformed';

export interface PurposedSink {
  readonly purpose: LogPurpose;
  readonly take: LogSink;
}

export interface AccessLogOptions {
  readonly sinks: readonly PurposedSink[];
  readonly metrics: MeshMetrics;
  /** Who is who in the mesh, as it is now; undefined while nobody knows. */
  readonly directory: () => Directory | undefined;
  readonly counted: (result: EntryResult, entries: number) => void;
  /** A sink has thrown: it is not told to the others. */
  readonly onError: (error: unknown) => void;
}

/** envoy.service.accesslog.v3.AccessLogService without its transport: what proxies log, taken entry by entry. */
export class AccessLogService {
  readonly #rows: LogRows;
  readonly #ends: EndAttributes;
  readonly connections = new Connections();

  constructor(readonly options: AccessLogOptions) {
    this.#rows = new LogRows(options.metrics, options.directory);
    this.#ends = new EndAttributes(options.directory);
  }

  /** A stream that begins. @param caller whose proxy it is; undefined on plain text, where nobody can tell */
  stream(caller: WorkloadIdentity | undefined): AccessLogStream {
    return new AccessLogStream(this, caller, this.#rows, this.#ends);
  }

  /** Looks counters up anew: to be called when series may have been forgotten. */
  refresh(): void {
    this.#rows.clear();
  }
}

/** One stream of log entries. It holds nothing from one message to the next but whose it is. */
export class AccessLogStream {
  #log: LogOfRows | undefined;
  #stream: LogStream | undefined;
  #sinks: readonly LogSink[] = [];

  constructor(
    private readonly service: AccessLogService,
    private readonly caller: WorkloadIdentity | undefined,
    private readonly rows: LogRows,
    private readonly ends: EndAttributes,
  ) {}

  /**
   * Takes a StreamAccessLogsMessage.
   * @throws GrpcError where the stream is not to go on: what was taken until then stays taken
   */
  message(bytes: Buffer): void {
    try {
      this.#read(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.service.options.counted('malformed', 1);
      throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, `this is no StreamAccessLogsMessage: ${error.message}`);
    }
  }

  #read(bytes: Buffer): void {
    const fields = new WireReader(bytes);
    while (fields.next()) {
      if (fields.field === 1) this.#identify(readIdentifier(fields));
      else if (fields.field === 2 || fields.field === 3) this.#readEntries(bytes, fields, fields.field === 2);
    }
  }

  #identify({ logName, node }: LogIdentifier): void {
    const head = parseLogName(logName);
    if (!head)
      throw new GrpcError(
        GrpcStatus.INVALID_ARGUMENT,
        'log_name is not one that pilot writes: a Telemetry names the provider mixer to log here',
      );
    const claim = this.caller && falseClaim(create(NodeSchema, { id: node.id, metadata: node.metadata }), this.caller);
    if (claim !== undefined) throw new GrpcError(GrpcStatus.PERMISSION_DENIED, claim);
    this.#log = this.rows.of(logName, head);
    this.#sinks = sinksFor(head, this.service.options.sinks);
    this.#stream = {
      workload: node.workload,
      identity: this.caller && formatWorkloadId(this.caller),
      proxyVersion: node.version,
      ends: this.ends,
    };
  }

  #readEntries(bytes: Buffer, list: WireReader, isHttp: boolean): void {
    const [log, stream] = [this.#log, this.#stream];
    if (!log || !stream)
      throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, 'the first message of a stream says who sends it: identifier');
    const fields = list.message();
    let taken = 0;
    let refused = 0;
    try {
      while (fields.next()) {
        if (fields.field !== 1) continue;
        if (this.#take(new LogEntry(bytes, fields, isHttp), log, stream)) taken++;
        else refused++;
      }
    } finally {
      if (taken > 0) this.service.options.counted('taken', taken);
      if (refused > 0) this.service.options.counted('refused', refused);
    }
  }

  /** @returns whether it is the proxy's to tell */
  #take(entry: LogEntry, log: LogOfRows, stream: LogStream): boolean {
    const event = eventOf(entry);
    if (event === undefined) return true;
    const row = log.find(entry.row, () => peerAddress(entry, log.head));
    if (!this.#isOwn(row)) return false;
    const bytes = entry.isHttp ? wholeOf(entry) : this.#bytesOf(entry, event);
    count(entry, event, bytes, row);
    if (this.#sinks.length === 0) return true;
    const record = new EntryRecord(entry, row, event, bytes, stream);
    for (const sink of this.#sinks) {
      try {
        sink(record);
      } catch (error) {
        this.service.options.onError(error);
      }
    }
    return true;
  }

  /** A proxy tells of calls of its own workload: what it says of itself must be what its certificate says. */
  #isOwn(row: Row): boolean {
    if (!this.caller) return true;
    const { namespace, principal } = ownOf(row.ends);
    const proved = `/ns/${this.caller.namespace}/sa/${this.caller.serviceAccount}`;
    return (
      (namespace === '' || namespace === this.caller.namespace) && (principal === '' || principal.endsWith(proved))
    );
  }

  #bytesOf(entry: LogEntry, event: LogRecord['event']): EntryBytes {
    const { connections } = this.service;
    const { streamId, receivedBytes, sentBytes } = entry;
    if (event === 'open') connections.open(streamId);
    // A connection that has had an upstream was told of when it was opened.
    const wasOpen = event === 'continue' || (event === 'end' && entry.details.upstreamLocal.ip !== '');
    const since = connections.move(streamId, receivedBytes, sentBytes, wasOpen);
    if (event === 'end') connections.close(streamId);
    return since;
  }
}

/** Undefined where the entry tells nothing that is not told by another. */
function eventOf({ isHttp, type }: LogEntry): LogRecord['event'] | undefined {
  if (isHttp) return type === LogType.downstreamEnd || type === LogType.notSet ? 'end' : undefined;
  switch (type) {
    case LogType.tcpUpstreamConnected:
      return 'open';
    case LogType.tcpPeriodic:
      return 'continue';
    case LogType.tcpConnectionEnd:
    case LogType.notSet:
      return 'end';
    default:
      return undefined;
  }
}

function wholeOf({ receivedBytes, sentBytes }: LogEntry): EntryBytes {
  return { received: receivedBytes, sent: sentBytes };
}

function peerAddress({ details }: LogEntry, { reporter }: LogHead): string {
  return reporter === 'inbound' ? details.downstreamDirectRemote.ip : details.upstreamRemote.ip;
}

function count(entry: LogEntry, event: LogRecord['event'], bytes: EntryBytes, { counters }: Row): void {
  if (entry.isHttp) {
    counters.requests_total?.record(1);
    // Whole milliseconds, as proxies count them.
    counters.request_duration_milliseconds?.record(Math.floor(entry.duration));
    counters.request_bytes?.record(bytes.received);
    counters.response_bytes?.record(bytes.sent);
    if (entry.messages !== '') countMessages(entry.messages, counters);
    return;
  }
  if (event === 'open') counters.tcp_connections_opened_total?.record(1);
  if (event === 'end') counters.tcp_connections_closed_total?.record(1);
  counters.tcp_received_bytes_total?.record(bytes.received);
  counters.tcp_sent_bytes_total?.record(bytes.sent);
}

/** @param messages `2,3`: of the request and of the response */
function countMessages(messages: string, { request_messages_total, response_messages_total }: Row['counters']): void {
  const [, request, response] = /^(\d{1,15}),(\d{1,15})$/.exec(messages) ?? [];
  if (request === undefined || response === undefined) return;
  request_messages_total?.record(Number(request));
  response_messages_total?.record(Number(response));
}

function sinksFor({ purposes }: LogHead, sinks: readonly PurposedSink[]): readonly LogSink[] {
  return sinks.filter(({ purpose }) => purposes.includes(purpose)).map(({ take }) => take);
}
