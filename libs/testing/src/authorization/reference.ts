/**
 * What AuthorizationPolicies mean, written from their documentation alone, in the plainest way: an oracle for what proxies
 * do. It knows nothing of Envoy, and shares no code with the compiler.
 */

/** A request as policies see it. */
export interface Asked {
  readonly method: string;
  /** As on the wire, with query and fragment. */
  readonly target: string;
  readonly host: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where the connection comes from, and who stands behind the proxies in between; IPv4. */
  readonly sourceIp: string;
  readonly remoteIp: string;
  /** Where the workload listens. */
  readonly port: number;
  /** Of the caller's certificate, without the scheme; absent on plain text. */
  readonly identity?: string | undefined;
  /** Of a verified token. */
  readonly claims?: Readonly<Record<string, string | readonly string[]>> | undefined;
}

type Texts = readonly string[] | undefined;
export type Fields = Readonly<Record<string, Texts>>;

export interface ReferenceRule {
  readonly from?: readonly { readonly source: Fields }[];
  readonly to?: readonly { readonly operation: Fields }[];
  readonly when?: readonly { readonly key: string; readonly values?: Texts; readonly notValues?: Texts }[];
}

export interface ReferencePolicy {
  readonly action?: 'ALLOW' | 'DENY' | 'AUDIT';
  readonly rules?: readonly ReferenceRule[];
}

/** Whether a request passes: not if a DENY holds; else if there is no ALLOW, or one that holds. */
export function isAllowed(policies: readonly ReferencePolicy[], asked: Asked): boolean {
  const holds = (policy: ReferencePolicy) => (policy.rules ?? []).some((rule) => ruleHolds(rule, asked));
  if (policies.some((policy) => policy.action === 'DENY' && holds(policy))) return false;
  const allows = policies.filter(({ action = 'ALLOW' }) => action === 'ALLOW');
  return allows.length === 0 || allows.some(holds);
}

function ruleHolds({ from, to, when = [] }: ReferenceRule, asked: Asked): boolean {
  if (from?.length && !from.some(({ source }) => fieldsHold(source, asked))) return false;
  if (to?.length && !to.some(({ operation }) => fieldsHold(operation, asked))) return false;
  return when.every(({ key, values, notValues }) => {
    if (values?.length && !values.some((value) => attributeIs(key, value, asked))) return false;
    return !notValues?.some((value) => attributeIs(key, value, asked));
  });
}

/** All that are set must hold: of `x` one value, of `notX` none. */
function fieldsHold(fields: Fields, asked: Asked): boolean {
  return Object.entries(fields).every(([name, values]) => {
    if (!values?.length) return true;
    if (!name.startsWith('not')) return values.some((value) => fieldIs(name, value, asked));
    const positive = name.charAt(3).toLowerCase() + name.slice(4);
    return !values.some((value) => fieldIs(positive, value, asked));
  });
}

function fieldIs(name: string, value: string, asked: Asked): boolean {
  switch (name) {
    case 'principals':
      return attributeIs('source.principal', value, asked);
    case 'requestPrincipals':
      return attributeIs('request.auth.principal', value, asked);
    case 'namespaces':
      return attributeIs('source.namespace', value, asked);
    case 'serviceAccounts':
      return attributeIs('source.serviceAccount', value, asked);
    case 'trustDomains':
      return attributeIs('source.trustDomain', value, asked);
    case 'ipBlocks':
      return attributeIs('source.ip', value, asked);
    case 'remoteIpBlocks':
      return attributeIs('remote.ip', value, asked);
    case 'ports':
      return attributeIs('destination.port', value, asked);
    case 'methods':
      return isLike(value, asked.method);
    case 'hosts':
      return hostForms(asked.host).some((host) => isLike(value.toLowerCase(), host));
    case 'paths':
      return pathIs(value, asked.target.split(/[?#]/)[0] ?? '');
    default:
      throw new Error(`no such field: ${name}`);
  }
}

/** The policies live in the namespace `default`. */
function attributeIs(key: string, value: string, asked: Asked): boolean {
  const header = /^request\.headers\[(.+)\]$/.exec(key)?.[1];
  if (header !== undefined) {
    const found = asked.headers[header.toLowerCase()];
    // Of headers, unlike of anything else, `*` also means one that is there without a value.
    return found !== undefined && (value === '*' || isLike(value, found));
  }
  const claim = /^request\.auth\.claims\[(.+)\]$/.exec(key)?.[1] ?? claimNames[key];
  if (claim !== undefined) return listOf(asked.claims?.[claim]).some((item) => isLike(value, item));
  if (key.startsWith('source.') && key !== 'source.ip') return identityIs(key, value, asked.identity);
  switch (key) {
    case 'source.ip':
      return isIn(value, asked.sourceIp);
    case 'remote.ip':
      return isIn(value, asked.remoteIp);
    case 'destination.port':
      return value === String(asked.port);
    case 'request.auth.principal':
      return (
        asked.claims !== undefined && isLike(value, `${String(asked.claims['iss'])}/${String(asked.claims['sub'])}`)
      );
    default:
      throw new Error(`no such attribute: ${key}`);
  }
}

const claimNames: Readonly<Record<string, string>> = {
  'request.auth.audiences': 'aud',
  'request.auth.presenter': 'azp',
};

/** Of a caller without a certificate nothing holds. */
function identityIs(key: string, value: string, identity: string | undefined): boolean {
  if (identity === undefined) return false;
  const [, trustDomain = '', namespace = '', account = ''] = /^(.*)\/ns\/(.*)\/sa\/(.*)$/.exec(identity) ?? [];
  switch (key) {
    case 'source.principal':
      return isLike(value, identity);
    case 'source.namespace':
      return isGlob(value, namespace);
    case 'source.trustDomain':
      return isGlob(value, trustDomain);
    case 'source.serviceAccount':
      return (value.includes('/') ? value : `default/${value}`) === `${namespace}/${account}`;
    default:
      throw new Error(`no such attribute: ${key}`);
  }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

/** `*` for what is there, `start*`, `*end`, else the text itself. */
function isLike(value: string, text: string): boolean {
  if (value === '*') return text !== '';
  if (value.startsWith('*')) return text.endsWith(value.slice(1));
  return value.endsWith('*') ? text.startsWith(value.slice(0, -1)) : value === text;
}

/** Stars anywhere. */
function isGlob(value: string, text: string): boolean {
  const parts = value.split('*');
  const [first = '', last = ''] = [parts[0], parts.at(-1)];
  return parts.length === 1 ? value === text : text.startsWith(first) && text.endsWith(last);
}

/** Without case, without its port, without the dot at its end, and as it is. */
function hostForms(host: string): readonly string[] {
  const lower = host.toLowerCase();
  const name = lower.replace(/:\d*$/, '');
  return [lower, name, name.replace(/\.$/, '')];
}

function pathIs(value: string, path: string): boolean {
  if (!value.includes('{*')) return isLike(value, path);
  const [wanted, found] = [value.split('/').slice(1), path.split('/').slice(1)];
  return wanted.every((part, i) => {
    if (part === '{**}') return found.length > i;
    if (i === wanted.length - 1 && found.length !== wanted.length) return false;
    return part === '{*}' ? (found[i] ?? '') !== '' : part === found[i];
  });
}

function bits(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function isIn(block: string, address: string): boolean {
  const [network = '', length = '32'] = block.split('/');
  const size = 2 ** (32 - Number(length));
  return Math.floor(bits(network) / size) === Math.floor(bits(address) / size);
}
