import { type AttributeBag, type AttributeName, normalizeIp, type StringMap, type Value } from '@seine/mixer';
import { claimText, claimTexts, parseQuery } from '../attribute-texts.js';
import { type Struct, structToJson } from '../check/struct.js';
import type { Attributes } from './end-attributes.js';
import type { EntryRecord } from './entry-record.js';
import { peerOf } from './log-ends.js';

/** What one log entry says, under Istio's names; each value is made when an expression asks for it. */
export class EntryAttributes implements AttributeBag {
  #source: Attributes | undefined;
  #destination: Attributes | undefined;
  #headers: StringMap | undefined;
  #query: StringMap | undefined;

  constructor(readonly record: EntryRecord) {}

  get(name: string): Value | undefined {
    const read = readers.get(name);
    if (read) return read(this);
    if (name.startsWith('source.')) return this.source.get(name);
    return name.startsWith('destination.') ? this.destination.get(name) : undefined;
  }

  get source(): Attributes {
    const { ends, stream, entry } = this.record;
    const { ip, port } = entry.details.downstreamDirectRemote;
    const isOwn = ends.reporter === 'outbound';
    return (this.#source ??= stream.ends.of(
      'source',
      {
        // The proxy's own workload is known by its name; the address that its application called from may be a loopback's.
        ...(isOwn ? { workload: stream.workload } : { address: known(ip) }),
        identity: known(isOwn ? (stream.identity ?? ends.source.principal) : ends.source.principal),
        port,
      },
      ends.source,
    ));
  }

  get destination(): Attributes {
    const { ends, stream, entry } = this.record;
    const isOwn = ends.reporter === 'inbound';
    const { ip, port } = isOwn ? entry.details.downstreamLocal : entry.details.upstreamRemote;
    return (this.#destination ??= stream.ends.of(
      'destination',
      {
        ...(isOwn ? { workload: stream.workload } : { address: known(ip) }),
        identity: known(isOwn ? (stream.identity ?? ends.destination.principal) : ends.destination.principal),
        service: known(ends.service.host),
        port,
      },
      ends.destination,
    ));
  }

  get headers(): StringMap {
    if (this.#headers) return this.#headers;
    const { requestHeaders, ...details } = this.record.entry.details;
    const headers = new Map([
      [':authority', details.authority],
      [':method', details.method],
      [':path', this.record.path],
      ['host', details.authority],
      ['user-agent', details.userAgent],
      ['referer', details.referer],
      ['x-forwarded-for', details.forwardedFor],
      ['x-request-id', details.requestId],
      ...requestHeaders,
    ]);
    for (const [name, value] of headers) if (value === '') headers.delete(name);
    return (this.#headers = headers);
  }

  get query(): StringMap {
    return (this.#query ??= parseQuery(this.record.path));
  }

  /** The claims of the token that the request came with, where a RequestAuthentication found it good. */
  get claims(): Struct | undefined {
    const payload = this.record.entry.details.metadata('envoy.filters.http.jwt_authn')?.get('payload');
    return payload instanceof Map ? (payload as Struct) : undefined;
  }
}

type Read = (bag: EntryAttributes) => Value | undefined;
type Details = EntryRecord['entry']['details'];

const known = (text: string): string | undefined => (text === '' ? undefined : text);
const ofHttp =
  (read: (details: Details, record: EntryRecord) => Value | undefined): Read =>
  ({ record }) =>
    record.entry.isHttp ? read(record.entry.details, record) : undefined;
const ofConnection =
  (read: (record: EntryRecord) => Value | undefined): Read =>
  ({ record }) =>
    record.entry.isHttp ? undefined : read(record);
const claim =
  (name: string): Read =>
  ({ claims }) =>
    claimText(claims?.get(name));
const start: Read = ({ record }) => record.startTime;
const end: Read = ({ record }) => record.startTime + record.duration;
const events = { open: 'open', continue: 'continue', end: 'close' } as const;

const readers: ReadonlyMap<string, Read> = new Map<AttributeName, Read>([
  ['source.ip', ({ record }) => normalizeIp(record.entry.details.downstreamDirectRemote.ip)],
  ['source.port', ({ record }) => record.entry.details.downstreamDirectRemote.port || undefined],
  ['destination.ip', ({ record }) => normalizeIp(destinationAddress(record).ip)],
  ['destination.port', ({ record }) => destinationAddress(record).port || undefined],
  ['origin.ip', ({ record }) => normalizeIp(record.entry.details.downstreamRemote.ip)],
  ['origin.uid', ({ source }) => source.get('source.uid')],
  ['origin.user', ({ source }) => source.get('source.principal')],
  ['request.headers', (bag) => (bag.record.entry.isHttp ? bag.headers : undefined)],
  ['request.id', ofHttp(({ requestId }) => known(requestId))],
  ['request.host', ofHttp(({ authority }) => known(authority))],
  ['request.method', ofHttp(({ method }) => known(method))],
  ['request.path', ofHttp((_, { path }) => known(path))],
  ['request.url_path', ofHttp((_, { path }) => known(path.split('?', 1)[0] ?? ''))],
  ['request.query_params', (bag) => (bag.record.entry.isHttp ? bag.query : undefined)],
  ['request.referer', ofHttp(({ referer }) => known(referer))],
  ['request.scheme', ofHttp(({ scheme }) => known(scheme))],
  ['request.size', ofHttp((_, { receivedBytes }) => receivedBytes)],
  ['request.total_size', ofHttp(({ requestHeadersBytes }, { receivedBytes }) => receivedBytes + requestHeadersBytes)],
  ['request.time', start],
  ['request.useragent', ofHttp(({ userAgent }) => known(userAgent))],
  ['request.api_key', ({ query, headers }) => query.get('key') ?? query.get('api_key') ?? headers.get('x-api-key')],
  ['request.auth.principal', principalOf],
  ['request.auth.audiences', claim('aud')],
  ['request.auth.presenter', claim('azp')],
  ['request.auth.claims', ({ claims }) => claimTexts(claims)],
  ['request.auth.raw_claims', ({ claims }) => claims && structToJson(claims)],
  ['response.code', ofHttp((_, { responseCode }) => responseCode)],
  ['response.duration', ofHttp((_, { duration }) => duration)],
  ['response.headers', ofHttp(({ responseHeaders }) => responseHeaders)],
  ['response.size', ofHttp((_, { sentBytes }) => sentBytes)],
  ['response.total_size', ofHttp(({ responseHeadersBytes }, { sentBytes }) => sentBytes + responseHeadersBytes)],
  ['response.time', ofHttp((_, { startTime, duration }) => startTime + duration)],
  ['response.grpc_status', ({ record }) => (record.grpcStatus === undefined ? undefined : String(record.grpcStatus))],
  [
    'response.grpc_message',
    ofHttp(
      ({ responseTrailers, responseHeaders }) =>
        responseTrailers.get('grpc-message') ?? responseHeaders.get('grpc-message'),
    ),
  ],
  ['connection.id', ofConnection(({ entry }) => known(entry.streamId))],
  ['connection.event', ofConnection(({ event }) => events[event])],
  ['connection.duration', ofConnection(({ event, duration }) => (event === 'end' ? duration : undefined))],
  ['connection.received.bytes', ofConnection(({ receivedBytes }) => receivedBytes)],
  ['connection.received.bytes_total', ofConnection(({ entry }) => entry.receivedBytes)],
  ['connection.sent.bytes', ofConnection(({ sentBytes }) => sentBytes)],
  ['connection.sent.bytes_total', ofConnection(({ entry }) => entry.sentBytes)],
  [
    'connection.mtls',
    ({ record: { ends } }) => (ends.reporter === 'inbound' ? peerOf(ends).principal !== '' : ends.mutualTls),
  ],
  ['connection.requested_server_name', ({ record }) => known(record.entry.details.tls.sni)],
  ['context.protocol', ({ record }) => record.protocol],
  ['context.time', end],
  ['context.timestamp', end],
  ['context.proxy_error_code', ({ record }) => known(record.responseFlags) ?? '-'],
  ['context.proxy_version', ({ record }) => known(record.stream.proxyVersion)],
  ['context.reporter.kind', ({ record }) => record.ends.reporter],
  ['context.reporter.local', ({ record }) => record.ends.reporter === 'inbound'],
  [
    'context.reporter.uid',
    (bag) =>
      bag.record.ends.reporter === 'inbound' ? bag.destination.get('destination.uid') : bag.source.get('source.uid'),
  ],
  ['api.protocol', ({ record }) => record.protocol],
  ['rbac.permissive.response_code', shadow('shadow_engine_result')],
  ['rbac.permissive.effective_policy_id', shadow('shadow_effective_policy_id')],
]);

function destinationAddress({ ends, entry }: EntryRecord): Details['upstreamRemote'] {
  return ends.reporter === 'inbound' ? entry.details.downstreamLocal : entry.details.upstreamRemote;
}

function shadow(key: string): Read {
  return ({ record }) => {
    for (const [name, value] of record.entry.details.metadata('envoy.filters.http.rbac') ?? [])
      if (name.endsWith(key) && typeof value === 'string') return value;
    return undefined;
  };
}

/** As `issuer/subject`. */
function principalOf({ claims }: EntryAttributes): string | undefined {
  const [issuer, subject] = [claimText(claims?.get('iss')), claimText(claims?.get('sub'))];
  return issuer === undefined || subject === undefined ? undefined : `${issuer}/${subject}`;
}
