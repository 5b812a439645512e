/** A span as Zipkin's API of version 2 has it; times in microseconds. */
export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string | undefined;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
  readonly timestamp?: number | undefined;
  readonly duration?: number | undefined;
  /** The server's part of a span that it shares with its client. */
  readonly shared?: boolean | undefined;
  readonly localEndpoint?: { readonly serviceName?: string | undefined } | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** One span and what it called. */
export interface TraceNode {
  readonly service: string;
  readonly name: string;
  /** `client`, `server`, …; '' where it is internal. */
  readonly kind: string;
  /** Milliseconds since the trace began. */
  readonly start: number;
  /** Milliseconds. */
  readonly duration: number;
  /** What no span below accounts for, milliseconds. */
  readonly self: number;
  /** HTTP status, or that of gRPC as `grpc 14`; '' where there is none. */
  readonly status: string;
  /** Why it has failed; '' where it has not. */
  readonly error: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly children: readonly TraceNode[];
}

export interface TraceTree {
  readonly traceId: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Milliseconds from the first begin to the last end. */
  readonly duration: number;
  readonly spans: number;
  readonly services: readonly string[];
  /** More than one where spans are missing. */
  readonly roots: readonly TraceNode[];
}

/** @param spans of one trace, at least one */
export function traceTree(spans: readonly ZipkinSpan[]): TraceTree {
  const start = spans.reduce((least, { timestamp = Infinity }) => Math.min(least, timestamp), Infinity);
  const begin = Number.isFinite(start) ? start : 0;
  const end = spans.reduce((most, span) => Math.max(most, endOf(span)), begin);
  const children = childrenOf(spans);
  const roots = (children.get(undefined) ?? []).map((span) => nodeOf(span, children, begin));
  return {
    traceId: spans[0]?.traceId ?? '',
    startedAt: new Date(begin / 1000).toISOString(),
    duration: (end - begin) / 1000,
    spans: spans.length,
    services: [...new Set(spans.map(serviceOf))].sort(),
    roots,
  };
}

/** The span that has taken most by itself, with the way to it from its root. */
export function slowestSpan({ roots }: TraceTree): readonly TraceNode[] {
  let slowest: readonly TraceNode[] = [];
  const visit = (node: TraceNode, above: readonly TraceNode[]): void => {
    const way = [...above, node];
    if (node.self > (slowest.at(-1)?.self ?? -1)) slowest = way;
    for (const child of node.children) visit(child, way);
  };
  for (const root of roots) visit(root, []);
  return slowest;
}

const endOf = ({ timestamp = 0, duration = 0 }: ZipkinSpan): number => timestamp + duration;
const serviceOf = ({ localEndpoint }: ZipkinSpan): string => localEndpoint?.serviceName ?? 'unknown';

type Children = ReadonlyMap<ZipkinSpan | undefined, readonly ZipkinSpan[]>;

/** Spans by the one that called them; under undefined those whose caller is not there. */
function childrenOf(spans: readonly ZipkinSpan[]): Children {
  const byId = new Map<string, ZipkinSpan[]>();
  for (const span of spans) byId.set(span.id, [...(byId.get(span.id) ?? []), span]);
  const parents = new Map(spans.map((span) => [span, parentOf(span, byId)]));
  const children = new Map<ZipkinSpan | undefined, ZipkinSpan[]>();
  for (const span of [...spans].sort((a, b) => (a.timestamp ?? 0) - (b.timestamp ?? 0))) {
    const parent = isCircle(span, parents) ? undefined : parents.get(span);
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  return children;
}

/** Old tracers give the client's and the server's half of a call one ID: the server's is below the client's. */
function parentOf(span: ZipkinSpan, byId: ReadonlyMap<string, readonly ZipkinSpan[]>): ZipkinSpan | undefined {
  const isServer = span.kind === 'SERVER';
  const twin = (byId.get(span.id) ?? []).find((other) => other !== span && other.kind === 'CLIENT');
  if (isServer && twin) return twin;
  const above = span.parentId === undefined ? [] : (byId.get(span.parentId) ?? []);
  return above.find(({ kind }) => kind === 'SERVER') ?? above[0];
}

function isCircle(span: ZipkinSpan, parents: ReadonlyMap<ZipkinSpan, ZipkinSpan | undefined>): boolean {
  const seen = new Set<ZipkinSpan>();
  for (let at: ZipkinSpan | undefined = parents.get(span); at; at = parents.get(at)) {
    if (at === span) return true;
    // A circle further up is that one's matter.
    if (seen.has(at)) return false;
    seen.add(at);
  }
  return false;
}

function nodeOf(span: ZipkinSpan, children: Children, begin: number): TraceNode {
  const { name = '', kind = '', timestamp = begin, duration = 0, tags = {} } = span;
  const called = children.get(span) ?? [];
  return {
    service: serviceOf(span),
    name,
    kind: kind.toLowerCase(),
    start: (timestamp - begin) / 1000,
    duration: duration / 1000,
    self: (duration - covered(span, called)) / 1000,
    status: statusOf(tags),
    error: errorOf(tags),
    tags,
    children: called.map((child) => nodeOf(child, children, begin)),
  };
}

/** How much of a span's time is also that of those below it; what they do at once counts once. */
function covered(span: ZipkinSpan, called: readonly ZipkinSpan[]): number {
  const [from, to] = [span.timestamp ?? 0, endOf(span)];
  const parts = called
    .map((child): [number, number] => [Math.max(from, child.timestamp ?? 0), Math.min(to, endOf(child))])
    .filter(([start, end]) => end > start)
    .sort(([a], [b]) => a - b);
  let sum = 0;
  let until = from;
  for (const [start, end] of parts) {
    if (end <= until) continue;
    sum += end - Math.max(start, until);
    until = end;
  }
  return sum;
}

function statusOf(tags: Readonly<Record<string, string>>): string {
  const grpc = tags['grpc.status_code'] ?? tags['rpc.grpc.status_code'];
  if (grpc !== undefined && grpc !== '') return `grpc ${grpc}`;
  return tags['http.status_code'] ?? tags['http.response.status_code'] ?? '';
}

function errorOf(tags: Readonly<Record<string, string>>): string {
  const { error } = tags;
  const flags = tags['response_flags'];
  const why = flags !== undefined && flags !== '-' && flags !== '' ? flags : undefined;
  if (error !== undefined && error !== 'false') return why ?? (error === 'true' || error === '' ? 'error' : error);
  return /^5\d\d$/.test(statusOf(tags)) ? (why ?? 'error') : '';
}
