import { readEntry, type Span, WireReader } from '../check/wire.js';
import { readStruct, type Struct } from '../check/struct.js';

/** An address and port of a connection's end. */
export interface LogAddress {
  /** IP; empty where there is none. */
  readonly ip: string;
  readonly port: number;
}

const nowhere: LogAddress = { ip: '', port: 0 };

/** What the downstream connection has shown. */
export interface LogTls {
  readonly sni: string;
  /** The first URI names of the certificates; empty where there are none. */
  readonly local: string;
  readonly peer: string;
}

const noTls: LogTls = { sni: '', local: '', peer: '' };

const methods = ['', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const;

/** By the numbers of ResponseFlags' fields, the names that `%RESPONSE_FLAGS%` writes. */
const flagNames: readonly (string | undefined)[] = [
  ...[undefined, 'LH', 'UH', 'UT', 'LR', 'UR', 'UF', 'UC', 'UO', 'NR', 'DI', 'FI', 'RL', 'UAEX', 'RLSE', 'DC', 'URX'],
  ...['SI', 'IH', 'DPE', 'UMSDR', 'RFCF', 'NFCF', 'DT', 'UPE', 'NC', 'OM', 'DF', 'DR'],
];

interface Spans {
  readonly common: Span | undefined;
  readonly request: Span | undefined;
  readonly response: Span | undefined;
}

/** What rules may ask of an entry, read when they do. */
export class EntryDetails {
  downstreamRemote = nowhere;
  downstreamDirectRemote = nowhere;
  downstreamLocal = nowhere;
  upstreamRemote = nowhere;
  upstreamLocal = nowhere;
  tls = noTls;
  upstreamCluster = '';
  responseFlags = '';
  routeName = '';
  streamId = '';
  method = '';
  scheme = '';
  authority = '';
  path = '';
  userAgent = '';
  referer = '';
  forwardedFor = '';
  requestId = '';
  originalPath = '';
  requestHeadersBytes = 0;
  readonly requestHeaders = new Map<string, string>();
  responseHeadersBytes = 0;
  readonly responseHeaders = new Map<string, string>();
  readonly responseTrailers = new Map<string, string>();
  responseCodeDetails = '';
  #metadata: Span | undefined;
  #dynamic: Map<string, Struct> | undefined;

  /** @throws WireError */
  constructor(
    private readonly bytes: Buffer,
    { common, request, response }: Spans,
  ) {
    if (common) this.#readCommon(new WireReader(bytes, common));
    if (request) this.#readRequest(new WireReader(bytes, request));
    if (response) this.#readResponse(new WireReader(bytes, response));
  }

  /** What a filter of the proxy has kept of the request. @throws WireError */
  metadata(filter: string): Struct | undefined {
    if (!this.#dynamic) {
      this.#dynamic = new Map();
      const fields = this.#metadata && new WireReader(this.bytes, this.#metadata);
      while (fields?.next()) if (fields.field === 1) this.#readMetadata(fields, this.#dynamic);
    }
    return this.#dynamic.get(filter);
  }

  #readMetadata(reader: WireReader, into: Map<string, Struct>): void {
    const entry = reader.message();
    let name = '';
    let value: Span | undefined;
    while (entry.next()) {
      if (entry.field === 1) name = entry.text();
      else if (entry.field === 2) value = entry.span();
    }
    if (value) into.set(name, readStruct(this.bytes, value));
  }

  #readCommon(fields: WireReader): void {
    while (fields.next()) {
      switch (fields.field) {
        case 2:
          this.downstreamRemote = readAddress(fields);
          break;
        case 3:
          this.downstreamLocal = readAddress(fields);
          break;
        case 4:
          this.tls = readTls(fields);
          break;
        case 13:
          this.upstreamRemote = readAddress(fields);
          break;
        case 14:
          this.upstreamLocal = readAddress(fields);
          break;
        case 15:
          this.upstreamCluster = fields.text();
          break;
        case 16:
          this.responseFlags = readFlags(fields);
          break;
        case 17:
          this.#metadata = fields.span();
          break;
        case 19:
          this.routeName = fields.text();
          break;
        case 20:
          this.downstreamDirectRemote = readAddress(fields);
          break;
        case 26:
          this.streamId = fields.text();
          break;
      }
    }
  }

  #readRequest(fields: WireReader): void {
    while (fields.next()) {
      switch (fields.field) {
        case 1:
          this.method = methods[fields.number] ?? '';
          break;
        case 2:
          this.scheme = fields.text();
          break;
        case 3:
          this.authority = fields.text();
          break;
        case 5:
          this.path = fields.text();
          break;
        case 6:
          this.userAgent = fields.text();
          break;
        case 7:
          this.referer = fields.text();
          break;
        case 8:
          this.forwardedFor = fields.text();
          break;
        case 9:
          this.requestId = fields.text();
          break;
        case 10:
          this.originalPath = fields.text();
          break;
        case 11:
          this.requestHeadersBytes = fields.number;
          break;
        case 13:
          readEntry(fields, this.requestHeaders);
          break;
      }
    }
  }

  #readResponse(fields: WireReader): void {
    while (fields.next()) {
      switch (fields.field) {
        case 2:
          this.responseHeadersBytes = fields.number;
          break;
        case 4:
          readEntry(fields, this.responseHeaders);
          break;
        case 5:
          readEntry(fields, this.responseTrailers);
          break;
        case 6:
          this.responseCodeDetails = fields.text();
          break;
      }
    }
  }
}

/** envoy.config.core.v3.Address; what is no socket's has none. */
function readAddress(reader: WireReader): LogAddress {
  const address = reader.message();
  while (address.next()) {
    if (address.field !== 1) continue;
    const socket = address.message();
    let ip = '';
    let port = 0;
    while (socket.next()) {
      if (socket.field === 2) ip = socket.text();
      else if (socket.field === 3) port = socket.number;
    }
    return { ip, port };
  }
  return nowhere;
}

function readTls(reader: WireReader): LogTls {
  const fields = reader.message();
  let [sni, local, peer] = ['', '', ''];
  while (fields.next()) {
    if (fields.field === 3) sni = fields.text();
    else if (fields.field === 4) local = readUriName(fields);
    else if (fields.field === 5) peer = readUriName(fields);
  }
  return { sni, local, peer };
}

function readUriName(reader: WireReader): string {
  const certificate = reader.message();
  while (certificate.next()) {
    if (certificate.field !== 1) continue;
    const name = certificate.message();
    while (name.next()) if (name.field === 1) return name.text();
  }
  return '';
}

function readFlags(reader: WireReader): string {
  const flags: string[] = [];
  const fields = reader.message();
  while (fields.next()) {
    const name = flagNames[fields.field];
    if (name !== undefined) flags.push(name);
  }
  return flags.join(',');
}
