import { type Directory, type LogHead, rowSeparator } from '@seine/mixer';
import type { MeshCounters, MeshMetrics } from '@seine/telemetry';
import { EndColumns, peerOf, withPeer } from './log-ends.js';
import type { LogEnds, LogRecord } from './log-sink.js';

/** What the columns say of a request itself. */
interface Said {
  readonly protocol: LogRecord['protocol'];
  readonly grpcStatus: number | undefined;
  /** Undefined where the columns do not say. */
  readonly responseFlags: string | undefined;
}

/** What is the same for all entries with the same columns. */
export class Row {
  /** Where the proxy could not name its peer: rows by the peer's address. */
  readonly byAddress: Map<string, Row> | undefined;
  #counters: MeshCounters | undefined;

  constructor(
    readonly ends: LogEnds,
    readonly said: Said,
    readonly values: readonly string[],
    isWhole: boolean,
    private readonly make: (values: readonly string[]) => MeshCounters,
  ) {
    this.byAddress = isWhole ? undefined : new Map();
  }

  /** Made when they are asked for first: what is refused makes no series. */
  get counters(): MeshCounters {
    return (this.#counters ??= this.make(this.values));
  }
}

/** So much text of rows is remembered, characters; what is longer than a row usually is, is not. */
const maxRemembered = 32 * 1024 * 1024;
const longRow = 16 * 1024;
const noCounters: MeshCounters = Object.freeze({});

/** Makes rows of what entries say, once for each that differs. */
export class LogRows {
  #remembered = 0;
  #generation = 0;
  readonly #logs = new Map<string, LogOfRows>();
  readonly #ends = new Map<string, LogEnds>();

  constructor(
    private readonly metrics: MeshMetrics,
    /** As it is now. */
    readonly directory: () => Directory | undefined,
  ) {}

  /** The rows of a log. @param name the log's */
  of(name: string, head: LogHead): LogOfRows {
    const known = this.#logs.get(name);
    if (known) return known;
    const made = new LogOfRows(head, this);
    if (this.remember(name.length)) this.#logs.set(name, made);
    return made;
  }

  /** Forgets all rows, so that they are made anew: counters that were forgotten elsewhere are asked for again. */
  clear(): void {
    this.#logs.clear();
    this.#ends.clear();
    this.#remembered = 0;
    this.#generation++;
  }

  /** Moves on with each `clear`. */
  get generation(): number {
    return this.#generation;
  }

  /** Makes room for what is to be remembered. @returns whether it may be */
  remember(length: number): boolean {
    if (length > longRow) return false;
    if (this.#remembered + length > maxRemembered) this.clear();
    this.#remembered += length;
    return true;
  }

  intern(ends: LogEnds): LogEnds {
    const known = this.#ends.get(ends.key);
    if (known) return known;
    if (this.remember(ends.key.length)) this.#ends.set(ends.key, ends);
    return ends;
  }

  counters(head: LogHead, values: readonly string[]): MeshCounters {
    return head.metrics.length === 0 ? noCounters : this.metrics.counters(head, values);
  }
}

/** The rows of one log, which all proxies share that have the same. */
export class LogOfRows {
  readonly #rows = new Map<string, Row>();
  readonly #columns: EndColumns;
  readonly #protocol: number;
  readonly #grpcStatus: number;
  readonly #responseFlags: number;
  #generation = 0;
  #directory: Directory | undefined;

  constructor(
    readonly head: LogHead,
    private readonly all: LogRows,
  ) {
    this.#columns = new EndColumns(head);
    this.#protocol = head.columns.indexOf('request_protocol');
    this.#grpcStatus = head.columns.indexOf('grpc_response_status');
    this.#responseFlags = head.columns.indexOf('response_flags');
  }

  /**
   * @param text the columns as they came
   * @param peerAddress is asked where the proxy could not name its peer
   */
  find(text: string, peerAddress: () => string): Row {
    if (this.#generation !== this.all.generation) {
      this.#generation = this.all.generation;
      this.#rows.clear();
    }
    const row = this.#rows.get(text) ?? this.#add(text);
    return row.byAddress ? this.#byAddress(row, row.byAddress, peerAddress()) : row;
  }

  #add(text: string): Row {
    const isRemembered = this.all.remember(text.length);
    const values = splitRow(text, this.head.columns.length);
    const ends = this.all.intern(this.#columns.read(values));
    const said: Said = {
      protocol: protocolOf(values[this.#protocol]),
      grpcStatus: statusOf(values[this.#grpcStatus]),
      responseFlags: values[this.#responseFlags]?.replace(/^-$/, ''),
    };
    const row = new Row(ends, said, values, peerOf(ends).workload !== '', this.#counters);
    if (isRemembered) this.#rows.set(text, row);
    return row;
  }

  readonly #counters = (values: readonly string[]): MeshCounters => this.all.counters(this.head, values);

  #byAddress(row: Row, known: Map<string, Row>, address: string): Row {
    const current = this.all.directory();
    if (current !== this.#directory) {
      // What rests on another directory is forgotten.
      this.#directory = current;
      for (const { byAddress } of this.#rows.values()) byAddress?.clear();
    }
    const found = known.get(address);
    if (found) return found;
    const ends = current ? this.all.intern(withPeer(row.ends, address, current)) : row.ends;
    const values = ends === row.ends ? row.values : this.#columns.write(row.values, ends);
    const made = new Row(ends, row.said, values, true, this.#counters);
    if (this.all.remember(address.length + 100)) known.set(address, made);
    return made;
  }
}

/** One value a column; what is too much stays with the last. */
function splitRow(text: string, columns: number): readonly string[] {
  const values = text.split(rowSeparator);
  return values.length <= columns
    ? values
    : [...values.slice(0, columns - 1), values.slice(columns - 1).join(rowSeparator)];
}

function protocolOf(value: string | undefined): LogRecord['protocol'] {
  return value === 'tcp' || value === 'grpc' ? value : 'http';
}

function statusOf(value: string | undefined): number | undefined {
  return value === undefined || !/^\d+$/.test(value) ? undefined : Number(value);
}
