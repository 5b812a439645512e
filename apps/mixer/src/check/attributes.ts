import {
  apiAttribute,
  apiKeyOf,
  apisOf,
  type AttributeBag,
  type AttributeName,
  type HttpApi,
  type MixerPolicy,
  normalizeIp,
  type StringMap,
  type Value,
} from '@seine/mixer';
import { claimText, claimTexts, parseQuery } from '../attribute-texts.js';
import type { CheckMessage } from './check-message.js';
import type { Ends } from './ends.js';
import { type Struct, structToJson } from './struct.js';

const jwtMetadata = 'envoy.filters.http.jwt_authn';
const jwtPayload = 'payload';

/** What one check request says, under Istio's names; each value is made when an expression asks for it. */
export class CheckBag implements AttributeBag {
  #query: StringMap | undefined;
  #token: Struct | undefined | 'unread' = 'unread';
  #apis: readonly HttpApi[] | undefined;

  constructor(
    readonly message: CheckMessage,
    readonly ends: Ends,
    /** Whose HTTPAPISpecs say which operation a request is. */
    private readonly policy: MixerPolicy,
  ) {}

  get(name: string): Value | undefined {
    const read = readers.get(name);
    if (read) return read(this);
    if (name.startsWith('source.')) return this.ends.source.get(name);
    if (name.startsWith('destination.')) return this.ends.destination.get(name);
    const { isHttp, method } = this.message;
    return isHttp ? apiAttribute(this.apis, name, { method, urlPath: this.urlPath }) : undefined;
  }

  /** Of the called service. */
  get apis(): readonly HttpApi[] {
    const host = this.ends.destination.get('destination.service.host');
    return (this.#apis ??= apisOf(this.policy, typeof host === 'string' ? host : ''));
  }

  get urlPath(): string {
    return this.message.path.split('?', 1)[0] ?? '';
  }

  get query(): StringMap {
    return (this.#query ??= parseQuery(this.message.path));
  }

  /** The claims of the token that the request came with, where a RequestAuthentication found it good. */
  get claims(): Struct | undefined {
    if (this.#token === 'unread') {
      const payload = this.message.metadata(jwtMetadata)?.get(jwtPayload);
      this.#token = payload instanceof Map ? (payload as Struct) : undefined;
    }
    return this.#token;
  }
}

type Read = (bag: CheckBag) => Value | undefined;

const known = (text: string): string | undefined => (text === '' ? undefined : text);
const header =
  (name: string): Read =>
  ({ message }) =>
    message.headers.get(name);
const http =
  (read: (message: CheckMessage) => Value | undefined): Read =>
  ({ message }) =>
    message.isHttp ? read(message) : undefined;
const claim =
  (name: string): Read =>
  ({ claims }) =>
    claimText(claims?.get(name));
const ofSource =
  (name: AttributeName): Read =>
  ({ ends }) =>
    ends.source.get(name);
const time: Read = ({ message }) => message.time;
const sourceIp: Read = ({ message: { source } }) => normalizeIp(source.address);

const readers: ReadonlyMap<string, Read> = new Map<AttributeName, Read>([
  ['source.ip', sourceIp],
  ['source.port', ({ message: { source } }) => source.port || undefined],
  ['destination.ip', ({ message: { destination } }) => normalizeIp(destination.address)],
  ['destination.port', ({ message: { destination } }) => destination.port || undefined],
  ['origin.ip', sourceIp],
  ['origin.uid', ofSource('source.uid')],
  ['origin.user', ofSource('source.principal')],
  ['request.headers', http(({ headers }) => headers)],
  ['request.id', header('x-request-id')],
  ['request.host', http(({ host }) => known(host))],
  ['request.method', http(({ method }) => known(method))],
  ['request.path', http(({ path }) => known(path))],
  ['request.url_path', (bag) => (bag.message.isHttp ? known(bag.urlPath) : undefined)],
  ['request.query_params', (bag) => (bag.message.isHttp ? bag.query : undefined)],
  ['request.referer', header('referer')],
  ['request.scheme', http(({ scheme }) => known(scheme))],
  ['request.size', http(({ size }) => size)],
  ['request.time', time],
  ['request.useragent', header('user-agent')],
  ['request.api_key', ({ apis, query, message: { headers } }) => apiKeyOf(apis, { query, headers })],
  ['request.auth.principal', principalOf],
  ['request.auth.audiences', claim('aud')],
  ['request.auth.presenter', claim('azp')],
  ['request.auth.claims', ({ claims }) => claimTexts(claims)],
  ['request.auth.raw_claims', ({ claims }) => claims && structToJson(claims)],
  ['connection.mtls', ({ message: { source } }) => source.principal.startsWith('spiffe://')],
  ['connection.requested_server_name', ({ message: { sni } }) => known(sni)],
  ['context.protocol', protocolOf],
  ['context.time', time],
  ['context.timestamp', time],
  ['context.reporter.kind', ({ ends }) => ends.reporter],
  ['context.reporter.local', ({ ends }) => ends.reporter === 'inbound'],
  ['context.reporter.uid', reporterOf],
]);

function reporterOf({ ends }: CheckBag): Value | undefined {
  return ends.reporter === 'inbound' ? ends.destination.get('destination.uid') : ends.source.get('source.uid');
}

function protocolOf({ message }: CheckBag): string {
  if (!message.isHttp) return 'tcp';
  return message.headers.get('content-type')?.startsWith('application/grpc') ? 'grpc' : 'http';
}

/** As `issuer/subject`. */
function principalOf({ claims }: CheckBag): string | undefined {
  const [issuer, subject] = [claimText(claims?.get('iss')), claimText(claims?.get('sub'))];
  return issuer === undefined || subject === undefined ? undefined : `${issuer}/${subject}`;
}
