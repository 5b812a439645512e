import { readStruct, type Struct } from './struct.js';
import { readEntry, type Span, WireError, WireReader } from './wire.js';

/** One end of the connection, as the asking proxy sees it. */
export interface Peer {
  /** Empty where it is no IP address. */
  readonly address: string;
  readonly port: number;
  /** SAN of its certificate, as `spiffe://cluster.local/ns/default/sa/reviews`; empty where it showed none. */
  readonly principal: string;
}

const nobody: Peer = { address: '', port: 0, principal: '' };
const none: ReadonlyMap<string, string> = new Map();

/**
 * An `envoy.service.auth.v3.CheckRequest`. What each question needs is read at once; headers and metadata, which are most of
 * the bytes, are read when something asks for them.
 */
export class CheckMessage {
  source = nobody;
  destination = nobody;
  /** When the request began, ms since 1970; undefined where the proxy does not say. */
  time: number | undefined;
  /** Whether this is about an HTTP request; else about a connection. */
  isHttp = false;
  method = '';
  /** With the query. */
  path = '';
  host = '';
  scheme = '';
  /** Of the body, bytes; undefined where the client does not say. */
  size: number | undefined;
  /** `HTTP/1.1`, `HTTP/2` */
  protocol = '';
  /** Server name of the TLS handshake. */
  sni = '';
  /** What pilot has the proxy add. */
  extensions = none;
  readonly #bytes: Buffer;
  #http: Span | undefined;
  #metadata: Span | undefined;
  #headers: ReadonlyMap<string, string> | undefined;

  /** @throws WireError */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    const request = new WireReader(bytes);
    let attributes = false;
    while (request.next())
      if (request.field === 1) {
        attributes = true;
        this.#readAttributes(request.message());
      }
    if (!attributes) throw new WireError('the question is empty');
  }

  /** Names in lower case, `:method` and the like among them; of a name that came more than once the values with a comma between. */
  get headers(): ReadonlyMap<string, string> {
    return (this.#headers ??= this.#readHeaders());
  }

  /** What filters before have left under a name (dynamic metadata). @throws WireError */
  metadata(name: string): Struct | undefined {
    if (!this.#metadata) return undefined;
    const metadata = new WireReader(this.#bytes, this.#metadata);
    while (metadata.next()) {
      if (metadata.field !== 1) continue;
      const entry = metadata.message();
      let found = false;
      let value: Span | undefined;
      while (entry.next()) {
        if (entry.field === 1) found = entry.text() === name;
        else if (entry.field === 2) value = entry.span();
      }
      if (found) return value && readStruct(this.#bytes, value);
    }
    return undefined;
  }

  #readAttributes(attributes: WireReader): void {
    let extensions: Map<string, string> | undefined;
    while (attributes.next())
      switch (attributes.field) {
        case 1:
          this.source = readPeer(attributes.message());
          break;
        case 2:
          this.destination = readPeer(attributes.message());
          break;
        case 4:
          this.#readRequest(attributes.message());
          break;
        case 10:
          readEntry(attributes, (extensions ??= new Map<string, string>()));
          break;
        case 11:
          this.#metadata = attributes.span();
          break;
        case 12:
          this.#readTls(attributes.message());
          break;
      }
    if (extensions) this.extensions = extensions;
  }

  #readRequest(request: WireReader): void {
    while (request.next()) {
      if (request.field === 1) this.time = readTime(request.message());
      else if (request.field === 2) this.#readHttp(request);
    }
  }

  #readHttp(reader: WireReader): void {
    this.isHttp = true;
    this.#http = reader.span();
    const http = reader.message();
    while (http.next())
      switch (http.field) {
        case 2:
          this.method = http.text();
          break;
        case 4:
          this.path = http.text();
          break;
        case 5:
          this.host = http.text();
          break;
        case 6:
          this.scheme = http.text();
          break;
        case 9:
          // -1, by which Envoy says that it does not know, is a very large number here.
          this.size = http.number <= Number.MAX_SAFE_INTEGER ? http.number : undefined;
          break;
        case 10:
          this.protocol = http.text();
          break;
      }
  }

  #readTls(session: WireReader): void {
    while (session.next()) if (session.field === 1) this.sni = session.text();
  }

  #readHeaders(): ReadonlyMap<string, string> {
    if (!this.#http) return none;
    const headers = new Map<string, string>();
    const http = new WireReader(this.#bytes, this.#http);
    while (http.next()) {
      if (http.field === 3) readEntry(http, headers);
      else if (http.field === 13) readHeaderMap(http.message(), headers);
    }
    return headers;
  }
}

function readPeer(peer: WireReader): Peer {
  let address = '';
  let port = 0;
  let principal = '';
  while (peer.next()) {
    if (peer.field === 4) principal = peer.text();
    if (peer.field !== 1) continue;
    const one = peer.message();
    while (one.next()) {
      if (one.field !== 1) continue;
      const socket = one.message();
      while (socket.next()) {
        if (socket.field === 2) address = socket.text();
        else if (socket.field === 3) port = socket.number;
      }
    }
  }
  return { address, port, principal };
}

function readTime(time: WireReader): number {
  let ms = 0;
  while (time.next()) {
    if (time.field === 1) ms += time.number * 1000;
    else if (time.field === 2) ms += Math.floor(time.number / 1_000_000);
  }
  return ms;
}

/** `envoy.config.core.v3.HeaderMap`: what proxies send that are to keep headers as they came (`encode_raw_headers`). */
function readHeaderMap(map: WireReader, into: Map<string, string>): void {
  while (map.next()) {
    if (map.field !== 1) continue;
    const header = map.message();
    let key = '';
    let value = '';
    while (header.next()) {
      if (header.field === 1) key = header.text();
      else if (header.field === 2 || header.field === 3) value = header.text() || value;
    }
    const before = into.get(key);
    into.set(key, before === undefined ? value : `${before},${value}`);
  }
}
