import { seededRandom } from '../fakes/random-mesh.js';

/** An object of `config.istio.io`. */
export interface MixerObject {
  readonly apiVersion: 'config.istio.io/v1alpha2';
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Texts of requests, and what they may be compared with; requests are those of RandomPolicies. */
const texts: Readonly<Record<string, readonly string[]>> = {
  'request.method': ['GET', 'PUT', 'P', 'T'],
  'request.path': ['/a', '/a/b', '/admin?x=/a', '/v', '/b'],
  'request.url_path': ['/a', '/a/b', '/admin', '/v/', 'x'],
  'request.host': ['a.com', 'A.com', '.com', 'x.', 'b.org'],
  'request.headers["x-a"]': ['1', '2', '12', ''],
  'request.headers["x-b"]': ['1', '2', '12', ''],
  'destination.labels["app"]': ['reviews', 'ratings', 're'],
  'destination.labels["absent"]': ['reviews', ''],
  'destination.namespace': ['default', 'prod'],
  'destination.service.host': ['reviews.default.svc.cluster.local', 'ratings.default.svc.cluster.local', '.local'],
};

/** Likewise, of callers with certificates and tokens. */
const identityTexts: Readonly<Record<string, readonly string[]>> = {
  'source.principal': ['cluster.local/ns/default/sa/a', 'td2/', 'cluster.local', '/sa/a'],
  'source.namespace': ['default', 'prod'],
  'source.serviceAccount': ['a', 'b'],
  'request.auth.principal': ['https://a/anna', 'https://b/c/ben', 'https://b/c/anna'],
  'request.auth.presenter': ['1', '2', '12'],
  'request.auth.audiences': ['1', '2', '1,2'],
  'request.auth.claims["groups"]': ['red', 'blue', 'red,blue'],
};

/** Attributes that no proxy knows. */
const unknownTexts: Readonly<Record<string, readonly string[]>> = {
  'source.labels["version"]': ['v1', 'v3'],
  'source.workload.name': ['sleep', 'reviews-v1'],
};

const addresses = ['127.0.0.1', '127.0.0.2', '127.1.0.1', '10.0.0.1'];

export interface RandomRulesOptions {
  /** Attributes of certificates and tokens; default no. */
  readonly identities?: boolean;
  /** Attributes that no proxy knows, and values that may not be there where one is needed; default no. */
  readonly unknown?: boolean;
}

/** Rules of mixer by chance, of adapters whose answers depend on nothing but the request; the same of the same seed. */
export class RandomRules {
  /** From 0 to below 1. */
  readonly #next: () => number;
  readonly #texts: readonly (readonly [string, readonly string[]])[];
  readonly #unknown: boolean;

  constructor(seed: number, { identities = false, unknown = false }: RandomRulesOptions = {}) {
    this.#next = seededRandom(seed);
    this.#unknown = unknown;
    this.#texts = Object.entries({ ...texts, ...(identities && identityTexts), ...(unknown && unknownTexts) });
  }

  /** One to three rules with what they need. */
  objects(): readonly MixerObject[] {
    const count = 1 + Math.floor(this.#next() * 3);
    return Array.from({ length: count }, (_, i) => this.#ruleWith(`r${i}`)).flat();
  }

  #ruleWith(name: string): readonly MixerObject[] {
    const isList = this.#chance(0.4);
    const handler = isList ? this.#list() : this.#denier();
    const instance = isList
      ? {
          compiledTemplate: 'listentry',
          params: { value: this.#listed(handler.params['entryType'] === 'IP_ADDRESSES') },
        }
      : { compiledTemplate: 'checknothing' };
    const match = this.#chance(0.15) ? {} : { match: this.#condition(3) };
    const namespace = this.#chance(0.5) ? 'istio-system' : 'default';
    const object = (kind: string, spec: Readonly<Record<string, unknown>>): MixerObject => ({
      apiVersion: 'config.istio.io/v1alpha2',
      kind,
      metadata: { name, namespace },
      spec,
    });
    return [
      object('handler', handler),
      object('instance', instance),
      object('rule', { ...match, actions: [{ handler: name, instances: [name] }] }),
    ];
  }

  #denier() {
    const code = this.#one([7, 7, 16, 8, 14]);
    const status = this.#chance(0.2) ? {} : { status: { code, message: this.#one(['Not allowed', '100 % no', '']) } };
    return { compiledAdapter: 'denier', params: status as Readonly<Record<string, unknown>> };
  }

  #list() {
    const ip = this.#chance(0.4);
    const overrides = this.#some(ip ? [...addresses, '127.1.0.0/16', '127.0.0.0/30'] : ['1', '2', 'GET', '/a', 'none']);
    const params: Readonly<Record<string, unknown>> = {
      overrides,
      blacklist: this.#chance(0.5),
      ...(ip && { entryType: 'IP_ADDRESSES' }),
    };
    return { compiledAdapter: 'listchecker', params };
  }

  #listed(ip: boolean): string {
    if (ip) return this.#one(['source.ip', 'source.ip | ip("0.0.0.0")']);
    const [name] = this.#one(this.#texts);
    return this.#unknown && this.#chance(0.5) ? name : `${name} | ${this.#one(['"none"', '"1"', '""'])}`;
  }

  /** A condition. @param depth how deep it may nest */
  #condition(depth: number): string {
    if (depth === 0 || this.#chance(0.3)) return this.#comparison(depth);
    const inner = () => this.#condition(depth - 1);
    return this.#one([
      () => `(${inner()} && ${inner()})`,
      () => `(${inner()} || ${inner()})`,
      () => `!(${inner()})`,
      () => `((${inner()}) == ${this.#one(['true', 'false'])})`,
      () => `((${inner()}) != (${inner()}))`,
      () => `((${inner()}) | ${this.#one(['true', 'false'])})`,
      () => `conditional(${inner()}, ${inner()}, ${inner()})`,
      () => `(${inner()} ? ${inner()} : ${inner()})`,
    ])();
  }

  #comparison(depth: number): string {
    const [name, values] = this.#one(this.#texts);
    const value = () => JSON.stringify(this.#one(values));
    const text = this.#text(name, values, depth);
    return this.#one([
      () => `${text} == ${value()}`,
      () => `${value()} == ${text}`,
      () => `${text} != ${value()}`,
      () => `match(${text}, ${JSON.stringify(this.#one(['*', '', '*']) + this.#one(values))})`,
      () => `match(${text}, ${JSON.stringify(`${this.#one(values)}*`)})`,
      () => `${text}.startsWith(${value()})`,
      () => `${text}.endsWith(${value()})`,
      () => `${text}.contains(${value()})`,
      () => `${text} in [${value()}, ${value()}]`,
      () => `has(${name})`,
      () => `${this.#one(['"x-a"', '"x-b"'])} in request.headers`,
      () => 'connection.mtls',
      () => `source.ip ${this.#one(['==', '!='])} ip("${this.#one(addresses)}")`,
      () => `destination.port ${this.#one(['==', '<', '>='])} ${this.#one(['8080', '8081'])}`,
      () => `context.reporter.kind == ${this.#one(['"inbound"', '"outbound"'])}`,
      () => `context.protocol ${this.#one(['==', '!='])} "tcp"`,
    ])();
  }

  #text(name: string, values: readonly string[], depth: number): string {
    if (depth > 0 && this.#chance(0.1))
      return `(${this.#condition(depth - 1)} ? ${name} : ${JSON.stringify(this.#one(values))})`;
    return this.#chance(0.4) ? `(${name} | ${JSON.stringify(this.#one(values))})` : name;
  }

  #some<T>(items: readonly T[]): readonly T[] {
    return items.filter(() => this.#chance(0.4));
  }

  #one<T>(items: readonly T[]): T {
    return items[Math.floor(this.#next() * items.length)] as T;
  }

  #chance(share: number): boolean {
    return this.#next() < share;
  }
}
