/** Where Redis is, as a URL says it. */
export interface RedisAddress {
  /** The server, or with `sentinelOf` the Sentinels. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly tls: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** Name of the master that Sentinels watch; undefined = there are none, `nodes` is the server itself. */
  readonly sentinelOf: string | undefined;
}

/** A URL that cannot be read; its message never repeats the URL, which may hold a password. */
export class RedisUrlError extends Error {
  override readonly name = 'RedisUrlError';
}

export const redisUrlForms =
  'redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE], rediss://… for TLS, or redis+sentinel://HOST[:PORT],HOST[:PORT]…/MASTER[/DATABASE]';

const form = /^(rediss?)(\+sentinel)?:\/\/(?:([^@/]*)@)?([^/?#]+)(?:\/([^?#]*))?$/;
const node = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/;
const ports = { server: 6379, sentinel: 26_379 } as const;

/**
 * Reads `redis://host`, `rediss://user:password@host:6380/1`, `redis+sentinel://a,b:26380/mymaster/1`; `host:port` alone
 * is a server in plain text, as Mixer's redisquota has it.
 * @throws RedisUrlError
 */
export function parseRedisUrl(text: string): RedisAddress {
  const [, scheme, sentinel, credentials, hosts = '', path = ''] =
    form.exec(text.includes('://') ? text : `redis://${text}`) ?? [];
  if (scheme === undefined) throw new RedisUrlError(`this is no address of a Redis: it must be ${redisUrlForms}`);
  const { sentinelOf, database } = parsePath(path, sentinel !== undefined);
  const port = sentinelOf === undefined ? ports.server : ports.sentinel;
  const nodes = hosts.split(',').map((host) => parseNode(host, port));
  if (sentinelOf === undefined && nodes.length > 1)
    throw new RedisUrlError('several hosts are for Sentinels: redis+sentinel://…/mymaster; Redis Cluster is not used');
  return { nodes, tls: scheme === 'rediss', ...parseCredentials(credentials), database, sentinelOf };
}

/** `DATABASE`, and of Sentinels `MASTER` or `MASTER/DATABASE`. */
function parsePath(path: string, ofSentinels: boolean): Pick<RedisAddress, 'sentinelOf' | 'database'> {
  const steps = path === '' ? [] : path.split('/').map(decode);
  const sentinelOf = ofSentinels ? (steps.shift() ?? '') : undefined;
  if (sentinelOf === '')
    throw new RedisUrlError('the address of Sentinels must name the master behind the hosts: …/mymaster');
  const [database = '0', ...more] = steps;
  if (!/^\d{1,5}$/.test(database) || more.length > 0)
    throw new RedisUrlError('the database in the address of Redis must be a number');
  return { sentinelOf, database: Number(database) };
}

function parseNode(text: string, defaultPort: number): RedisAddress['nodes'][number] {
  const [, address, name, digits] = node.exec(text) ?? [];
  const host = address ?? name;
  const port = digits === undefined ? defaultPort : Number(digits);
  if (host === undefined || port < 1 || port > 65_535)
    throw new RedisUrlError('a host in the address of Redis must be HOST or HOST:PORT');
  return { host, port };
}

/** `user:password`, `user`, or as redis-cli has it `:password`. */
function parseCredentials(text: string | undefined): Pick<RedisAddress, 'user' | 'password'> {
  if (text === undefined) return { user: undefined, password: undefined };
  const colon = text.indexOf(':');
  const [user, password] = colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
  return {
    user: user === '' ? undefined : decode(user),
    password: password === undefined ? undefined : decode(password),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RedisUrlError('the address of Redis has a % that no two hexadecimal digits follow: write it as %25');
  }
}

/** The address without what is secret, for messages. */
export function describeRedis({ nodes, tls, sentinelOf }: RedisAddress): string {
  const hosts = nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  const scheme = `${tls ? 'rediss' : 'redis'}${sentinelOf === undefined ? '' : '+sentinel'}`;
  return `${scheme}://${hosts}${sentinelOf === undefined ? '' : `/${sentinelOf}`}`;
}
