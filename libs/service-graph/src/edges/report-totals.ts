import { LogSketch, type SketchData } from '../sketch/log-sketch.js';
import { errorClass, type ErrorClass } from './error-class.js';
import type { Observation } from './observation.js';

type Counts = Readonly<Record<string, number>>;

/** What {@link ReportTotals} are in a store: plain JSON. Counts that are 0 are left out. */
export interface ReportData {
  readonly requests: number;
  readonly opened?: number;
  readonly mutualTls?: number;
  readonly plainText?: number;
  readonly requestBytes?: number;
  readonly responseBytes?: number;
  readonly errors?: Partial<Readonly<Record<ErrorClass, number>>>;
  readonly codes?: Counts;
  readonly grpcStatuses?: Counts;
  readonly flags?: Counts;
  readonly latency?: SketchData;
}

/** So many codes and flags an edge tells apart; more are `other`: they are what servers choose to send. */
const maxNames = 32;

/** Counts by a name that somebody else chooses. */
class NamedCounts {
  readonly #counts = new Map<string, number>();

  add(name: string, count = 1): void {
    const known = this.#counts.has(name) || this.#counts.size < maxNames ? name : 'other';
    this.#counts.set(known, (this.#counts.get(known) ?? 0) + count);
  }

  addAll(counts: Counts = {}): void {
    for (const [name, count] of Object.entries(counts)) if (count > 0) this.add(name, count);
  }

  /** Undefined where nothing is counted. */
  toData(): Counts | undefined {
    return this.#counts.size === 0
      ? undefined
      : Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** What one reporter has seen of one edge. */
export class ReportTotals {
  /** HTTP: requests that have ended; TCP: connections that have. */
  requests = 0;
  /** TCP: connections that were opened. */
  opened = 0;
  /** Only their share means something: a connection may be counted when it opens and when it ends. */
  mutualTls = 0;
  plainText = 0;
  requestBytes = 0;
  responseBytes = 0;
  readonly errors: Record<ErrorClass, number> = { client: 0, server: 0, none: 0 };
  readonly codes = new NamedCounts();
  readonly grpcStatuses = new NamedCounts();
  readonly flags = new NamedCounts();
  readonly latency = new LogSketch();

  /** How much the reporter has seen, by which two reporters of the same are compared. */
  get seen(): number {
    return Math.max(this.requests, this.opened);
  }

  add(observed: Observation): void {
    this.requestBytes += observed.requestBytes;
    this.responseBytes += observed.responseBytes;
    if (observed.connection === 'open') return;
    if (observed.mutualTls === true) this.mutualTls++;
    else if (observed.mutualTls === false) this.plainText++;
    if (observed.connection === 'opened') this.opened++;
    else this.#addEnded(observed);
  }

  merge(data: ReportData): void {
    this.requests += data.requests;
    this.opened += data.opened ?? 0;
    this.mutualTls += data.mutualTls ?? 0;
    this.plainText += data.plainText ?? 0;
    this.requestBytes += data.requestBytes ?? 0;
    this.responseBytes += data.responseBytes ?? 0;
    for (const kind of ['client', 'server', 'none'] as const) this.errors[kind] += data.errors?.[kind] ?? 0;
    this.codes.addAll(data.codes);
    this.grpcStatuses.addAll(data.grpcStatuses);
    this.flags.addAll(data.flags);
    if (data.latency) this.latency.merge(LogSketch.from(data.latency));
  }

  toData(): ReportData {
    const { client, server, none } = this.errors;
    const codes = this.codes.toData();
    const grpcStatuses = this.grpcStatuses.toData();
    const flags = this.flags.toData();
    return {
      requests: this.requests,
      ...(this.opened > 0 && { opened: this.opened }),
      ...(this.mutualTls > 0 && { mutualTls: this.mutualTls }),
      ...(this.plainText > 0 && { plainText: this.plainText }),
      ...(this.requestBytes > 0 && { requestBytes: this.requestBytes }),
      ...(this.responseBytes > 0 && { responseBytes: this.responseBytes }),
      ...(client + server + none > 0 && { errors: { client, server, none } }),
      ...(codes && { codes }),
      ...(grpcStatuses && { grpcStatuses }),
      ...(flags && { flags }),
      ...(this.latency.count > 0 && { latency: this.latency.toData() }),
    };
  }

  #addEnded(observed: Observation): void {
    const { responseCode, grpcStatus, responseFlags, durationMs, edge } = observed;
    const { protocol } = edge;
    this.requests++;
    const error = errorClass(protocol, observed);
    if (error) this.errors[error]++;
    if (protocol !== 'tcp') this.codes.add(codeName(responseCode));
    if (grpcStatus !== undefined) this.grpcStatuses.add(String(grpcStatus));
    if (responseFlags.length > 1) for (const flag of responseFlags.split(',')) this.flags.add(flag.slice(0, 8));
    // How long a connection was open says nothing of how fast somebody is.
    if (durationMs !== undefined && protocol !== 'tcp') this.latency.add(durationMs);
  }
}

/** `none` where there was no answer. */
function codeName(code: number): string {
  return code === 0 ? 'none' : String(code);
}
