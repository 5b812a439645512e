import { readServiceArguments, type ServiceArguments, serviceFlags } from '@seine/identity';
import { parseAddress, readFlags, UsageError } from '@seine/nest';
import { readRedisArguments, redisFlags, type RedisOptions, redisUsage } from '@seine/redis';
import { jwksFlags, type JwksSettings, jwksSettings, jwksUsage } from './jwks-settings.js';

export { parseAddress, UsageError };

/** What pilot's own identity comes from, and who may connect by it. */
export interface SecureArguments extends ServiceArguments {
  /** ADS over mutual TLS, `host:port`. */
  readonly listen: string;
  /** Of citadel's admin port: who is revoked; undefined = nobody is asked. */
  readonly citadelAdmin: URL | undefined;
  /** Whose tokens prove service accounts of clients that show no certificate; undefined = nobody's. */
  readonly oidc: { readonly issuer: string; readonly audience: string; readonly keys: URL } | undefined;
}

/** Where a pilot listens and reads from. */
export interface PilotArguments {
  /** Folders of YAML that the mesh is read from; empty where it is read from `redis`. */
  readonly configDirs: readonly string[];
  /** Where a registry keeps the mesh log. */
  readonly redis: RedisOptions | undefined;
  /** Plain-text ADS on loopback, `host:port`: nobody proves who they are on it. Undefined = there is none. */
  readonly xds: string | undefined;
  readonly secure: SecureArguments | undefined;
  /** Metrics, readiness and debug, `host:port`. */
  readonly admin: string;
  /** Spread over which open streams are closed at the end, ms. */
  readonly drainMs: number;
  /** File of a MeshConfig that is in force from the start; a ConfigMap `istio` goes on top of it. */
  readonly meshConfigFile: string | undefined;
  readonly jwks: JwksSettings;
}

export const usage = `usage: pilot --config-dir DIR [--config-dir DIR …] | --redis URL [--admin HOST:PORT] [--mesh-config FILE]
             --citadel HOST:PORT --root-cert FILE --token-file FILE [--secure-xds HOST:PORT] | --xds HOST:PORT
  --config-dir DIR       folder of YAML to serve; watched
  --citadel HOST:PORT    who signs pilot's certificate: then ADS is served over mutual TLS
  --root-cert FILE       the roots, PEM, by which citadel and proxies are known
  --token-file FILE      a token by which citadel knows pilot (istio-system/pilot)
  --citadel-admin URL    citadel's admin port: whoever is revoked there gets nothing, and its streams end
  --secure-xds HOST:PORT ADS over mutual TLS (default 0.0.0.0:15012; needs --citadel)
  --trust-domain NAME    of pilot and its proxies (default cluster.local)
  --ttl SECONDS          lifetime of pilot's certificates (default: citadel's)
  --oidc-…               whose tokens prove service accounts of clients without a certificate: issuer, jwks,
                         audience (default istio-ca)
  --xds HOST:PORT        ADS over plain text, loopback only: nobody proves who they are; off unless given
  --admin HOST:PORT      /metrics, /ready and /debug (default 127.0.0.1:15014)
  --mesh-config FILE     MeshConfig (YAML) to begin with; the ConfigMap istio of its root namespace goes on top
  --drain DURATION       milliseconds over which streams are closed on SIGTERM (default 3000)
${jwksUsage}
${redisUsage}
                         the mesh is read from there, as registries write it`;

const options = {
  'config-dir': { type: 'string', multiple: true },
  xds: { type: 'string' },
  'secure-xds': { type: 'string' },
  ...serviceFlags,
  ...redisFlags,
  'citadel-admin': { type: 'string' },
  'oidc-issuer': { type: 'string' },
  'oidc-jwks': { type: 'string' },
  'oidc-audience': { type: 'string', default: 'istio-ca' },
  admin: { type: 'string', default: '127.0.0.1:15014' },
  drain: { type: 'string', default: '3000' },
  'mesh-config': { type: 'string' },
  ...jwksFlags,
} as const;

type Values = ReturnType<typeof readFlags<typeof options>>;

function wholeNumber(flag: string, text: string, unit: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new UsageError(`--${flag} takes ${unit}, not '${text}'`);
  return value;
}

function oidcOf(values: Values): SecureArguments['oidc'] {
  const { 'oidc-issuer': issuer, 'oidc-jwks': jwks, 'oidc-audience': audience } = values;
  if (issuer === undefined && jwks === undefined) return undefined;
  if (issuer === undefined || jwks === undefined) throw new UsageError('--oidc-issuer and --oidc-jwks go together');
  if (!URL.canParse(jwks)) throw new UsageError(`--oidc-jwks '${jwks}' is not a URL`);
  return { issuer, audience, keys: new URL(jwks) };
}

/** @throws UsageError */
function httpUrl(flag: string, text: string | undefined): URL | undefined {
  if (text === undefined) return undefined;
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new UsageError(`--${flag} '${text}' is not http(s)://HOST:PORT`);
  return new URL(text);
}

function secureOf(values: Values): SecureArguments | undefined {
  const service = readServiceArguments(values);
  const { 'secure-xds': listen = '0.0.0.0:15012' } = values;
  const { 'citadel-admin': citadelAdmin } = values;
  if (service) {
    parseAddress(listen);
    return { ...service, listen, citadelAdmin: httpUrl('citadel-admin', citadelAdmin), oidc: oidcOf(values) };
  }
  if (citadelAdmin !== undefined)
    throw new UsageError('--citadel-admin needs --citadel: else nobody says who they are');
  if (values['secure-xds'] !== undefined)
    throw new UsageError('--secure-xds needs --citadel: who signs pilot’s certificate?');
  return undefined;
}

/** An address that only this machine can reach. @throws UsageError */
function loopback(text: string): string {
  const { host } = parseAddress(text);
  if (host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)) return text;
  throw new UsageError(
    `--xds is plain text and listens on loopback only, not on '${text}': whoever reaches it gets any proxy's configuration; --citadel serves others`,
  );
}

/** @throws UsageError */
export function parseArguments(argv: readonly string[], env: NodeJS.ProcessEnv = {}): PilotArguments {
  const values = readFlags(argv, options);
  const configDirs = values['config-dir'] ?? [];
  const redis = readRedisArguments(values);
  if (configDirs.length === 0 && !redis)
    throw new UsageError('--config-dir or --redis is required: where is the mesh?');
  if (configDirs.length > 0 && redis)
    throw new UsageError('--config-dir and --redis exclude each other: a registry reads folders for --redis');
  const secure = secureOf(values);
  const xds = values.xds === undefined ? undefined : loopback(values.xds);
  if (!secure && xds === undefined)
    throw new UsageError('--citadel (mutual TLS) or --xds (plain text, loopback) is required: how do proxies come in?');
  parseAddress(values.admin);
  const drainMs = wholeNumber('drain', values.drain, 'milliseconds');
  const jwks = jwksSettings(values, env);
  return { configDirs, redis, xds, secure, admin: values.admin, drainMs, meshConfigFile: values['mesh-config'], jwks };
}
