import { seededRandom } from '../fakes/random-mesh.js';
import type { Asked, Fields, ReferencePolicy, ReferenceRule } from './reference.js';

/** Few words, so that policies and requests meet often, in every form that values have. */
const words = {
  methods: ['GET', 'PUT', 'POST'],
  targets: ['/a', '/a/b', '/a/b/c', '/b', '/A', '/admin', '/admin?x=/a', '/v/1/x', '/v/1/2/x', '/v/', '/a*b'],
  hosts: ['a.com', 'A.com', 'a.com:8080', 'a.com.', 'x.a.com', 'x.a.com:80', 'b.org', 'xa.com'],
  headers: ['1', '2', '12', '', undefined, undefined],
  addresses: ['127.0.0.1', '127.0.0.2', '127.1.0.1', '127.1.2.3'],
  remotes: ['127.0.0.1', '198.51.100.7', '198.51.101.7', '203.0.113.1'],
  identities: ['cluster.local/ns/default/sa/a', 'cluster.local/ns/prod/sa/b', 'td2/ns/default/sa/a', undefined],
  issuers: ['https://a', 'https://b/c'],
  subjects: ['anna', 'ben'],
  groups: ['red', 'blue', 'green'],
} as const;

const addressBlocks = ['127.0.0.1', '127.0.0.0/24', '127.1.0.0/16', '10.0.0.0/8', '0.0.0.0/0'];
const remoteBlocks = ['198.51.100.0/24', '198.51.100.7', '203.0.113.0/28', '127.0.0.0/8'];
const principals = ['cluster.local/ns/default/sa/a', '*', 'cluster.local/ns/*', '*/ns/prod/sa/b', 'td2/*', '*/sa/a'];
const namespaces = ['default', 'prod', 'de*', '*', '*d'];
const trustDomains = ['cluster.local', 'td2', 'td*'];
const accounts = ['a', 'b', 'prod/b', 'default/a'];
const requestPrincipals = ['https://a/anna', '*', 'https://a/*', '*/ben', 'https://b/c/anna'];
const texts = ['1', '2', '*', '1*', '*2'];

const fieldValues: Readonly<Record<'source' | 'operation', Readonly<Record<string, readonly string[]>>>> = {
  source: {
    principals,
    namespaces,
    trustDomains,
    serviceAccounts: accounts,
    requestPrincipals,
    ipBlocks: addressBlocks,
    remoteIpBlocks: remoteBlocks,
  },
  operation: {
    hosts: ['a.com', '*.a.com', '*a.com', 'a.*', 'b.org', 'a.com:8080', '*'],
    methods: ['GET', 'PUT', 'P*', '*T', '*'],
    paths: ['/a', '/a*', '/a/*', '*/b', '*', '/admin', '/v/{*}/x', '/v/{**}', '/{*}/b', '/a*b'],
    ports: ['8080', '8081', '80'],
  },
};

const attributes: Readonly<Record<string, readonly string[]>> = {
  'request.headers[x-a]': texts,
  'request.headers[X-B]': texts,
  'source.ip': addressBlocks,
  'remote.ip': remoteBlocks,
  'source.principal': principals,
  'source.namespace': namespaces,
  'source.trustDomain': trustDomains,
  'source.serviceAccount': accounts,
  'destination.port': ['8080', '8081', '80'],
  'request.auth.principal': requestPrincipals,
  'request.auth.audiences': texts,
  'request.auth.presenter': texts,
  'request.auth.claims[groups]': ['red', 'bl*', '*'],
};

export interface RandomRequestOptions {
  /** Whether callers have certificates and tokens; default yes. */
  readonly identities?: boolean;
  readonly ports?: readonly number[];
}

/** Policies and requests by chance; the same of the same seed. */
export class RandomPolicies {
  /** From 0 to below 1. */
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seededRandom(seed);
  }

  /** One to three policies of every action. */
  policies(): ReferencePolicy[] {
    return this.#times(1, 3, () => {
      const action = this.#one(['ALLOW', 'ALLOW', 'DENY', 'DENY', 'AUDIT'] as const);
      // Without rules a DENY is refused, and an ALLOW allows nothing.
      if (action === 'ALLOW' && this.#chance(0.05)) return { action };
      return { action, rules: this.#times(1, 2, () => this.#rule()) };
    });
  }

  request({ identities = true, ports = [8080, 8081] }: RandomRequestOptions = {}): Asked {
    const header = (name: string, value: string | undefined) => (value === undefined ? {} : { [name]: value });
    return {
      method: this.#one(words.methods),
      target: this.#one(words.targets),
      host: this.#one(words.hosts),
      headers: { ...header('x-a', this.#one(words.headers)), ...header('x-b', this.#one(words.headers)) },
      sourceIp: this.#one(words.addresses),
      remoteIp: this.#one(words.remotes),
      port: this.#one(ports),
      ...(identities && { identity: this.#one(words.identities) }),
      ...(identities && this.#chance(0.7) && { claims: this.#claims() }),
    };
  }

  #claims() {
    return {
      iss: this.#one(words.issuers),
      sub: this.#one(words.subjects),
      ...(this.#chance(0.5) && { aud: this.#times(1, 2, () => this.#one(['1', '2', '12'])) }),
      ...(this.#chance(0.5) && { azp: this.#one(['1', '2', '12']) }),
      ...(this.#chance(0.5) && { groups: this.#times(1, 2, () => this.#one(words.groups)) }),
    };
  }

  #rule(): ReferenceRule {
    if (this.#chance(0.05)) return {};
    return {
      ...(this.#chance(0.5) && { from: this.#times(1, 2, () => ({ source: this.#source() })) }),
      ...(this.#chance(0.6) && { to: this.#times(1, 2, () => ({ operation: this.#fields('operation') })) }),
      ...(this.#chance(0.4) && { when: this.#times(1, 2, () => this.#condition()) }),
    };
  }

  /** Service accounts must not stand beside principals or namespaces. */
  #source(): Fields {
    const fields = this.#fields('source');
    const byAccount = 'serviceAccounts' in fields || 'notServiceAccounts' in fields;
    const clashes = ['principals', 'notPrincipals', 'namespaces', 'notNamespaces'].some((name) => name in fields);
    return byAccount && clashes ? this.#source() : fields;
  }

  #fields(kind: keyof typeof fieldValues): Fields {
    const entries = this.#times(1, 2, () => {
      const [name, values] = this.#one(Object.entries(fieldValues[kind]));
      const key = this.#chance(0.3) ? `not${name.charAt(0).toUpperCase()}${name.slice(1)}` : name;
      return [key, this.#times(1, 2, () => this.#one(values))] as const;
    });
    return Object.fromEntries(entries);
  }

  #condition() {
    const [key, values] = this.#one(Object.entries(attributes));
    const some = () => this.#times(1, 2, () => this.#one(values));
    const negated = this.#chance(0.3);
    return { key, ...(!negated && { values: some() }), ...((negated || this.#chance(0.2)) && { notValues: some() }) };
  }

  #times<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: least + Math.floor(this.#next() * (most - least + 1)) }, make);
  }

  #one<T>(items: readonly T[]): T {
    return items[Math.floor(this.#next() * items.length)] as T;
  }

  #chance(share: number): boolean {
    return this.#next() < share;
  }
}
