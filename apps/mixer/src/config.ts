import path from 'node:path';
import { readServiceArguments, type ServiceArguments, serviceFlags } from '@seine/identity';
import { parseAddress, readFlags, UsageError } from '@seine/nest';
import { readRedisArguments, redisFlags, type RedisOptions, redisUsage } from '@seine/redis';
import {
  readTelemetryArguments,
  type TelemetryArguments,
  telemetryFlags,
  telemetryUsage,
} from './access-log/telemetry-flags.js';

export interface MixerArguments extends TelemetryArguments {
  /** What mixer's own identity comes from, and where it serves by it. */
  readonly secure: (ServiceArguments & { readonly listen: string }) | undefined;
  readonly plain: string | undefined;
  readonly admin: string;
  /** Folders of YAML that the mesh is read from. */
  readonly configDirs: readonly string[];
  /** Modules with adapters of the user's own. */
  readonly adapters: readonly string[];
  readonly rateLimitConfigs: readonly string[];
  readonly shadow: boolean;
  readonly replicas: number;
  /** Where counts are kept that several mixers share. */
  readonly redis: RedisOptions | undefined;
}

export const usage = `usage: mixer --citadel HOST:PORT --root-cert FILE --token-file FILE [--listen HOST:PORT] | --plain HOST:PORT
  --citadel HOST:PORT       who signs mixer's certificate
  --root-cert FILE          the roots, PEM, by which citadel and proxies are known
  --token-file FILE         a token by which citadel knows mixer (istio-system/mixer)
  --listen HOST:PORT        gRPC over mutual TLS (default 0.0.0.0:9091)
  --trust-domain NAME       of mixer and the proxies (default cluster.local)
  --ttl SECONDS             lifetime of mixer's certificates (default: citadel's)
  --plain HOST:PORT         gRPC over plain text, loopback only: nobody proves who they are; off unless given
  --admin HOST:PORT         /metrics, /ready and /debug (default 127.0.0.1:15024)
  --config-dir DIR          folder of YAML with the mesh: mixer's rules, services, workloads; may be given again; watched
  --adapter MODULE          an ES module whose default export is an adapter; may be given again
  --rate-limit-config FILE  rules in envoyproxy/ratelimit's form, one domain a file; may be given again; watched
  --shadow                  count at all limits, and let everything through
  --replicas N              how many mixers share the limits (default 1)
${telemetryUsage}
${redisUsage}`;

const options = {
  ...serviceFlags,
  ...redisFlags,
  ...telemetryFlags,
  listen: { type: 'string' },
  plain: { type: 'string' },
  admin: { type: 'string', default: '127.0.0.1:15024' },
  'config-dir': { type: 'string', multiple: true },
  adapter: { type: 'string', multiple: true },
  'rate-limit-config': { type: 'string', multiple: true },
  shadow: { type: 'boolean', default: false },
  replicas: { type: 'string', default: '1' },
} as const;

/** @throws UsageError */
export function parseArguments(argv: readonly string[]): MixerArguments {
  const values = readFlags(argv, options);
  const service = readServiceArguments(values);
  const { listen = '0.0.0.0:9091', plain, admin, shadow } = values;
  if (!service && plain === undefined)
    throw new UsageError('--citadel (mutual TLS) or --plain (plain text, loopback) is required');
  if (!service && values.listen !== undefined)
    throw new UsageError('--listen needs --citadel: who signs mixer’s certificate?');
  for (const address of [listen, admin, ...(plain === undefined ? [] : [plain])]) parseAddress(address);
  if (plain !== undefined && !/^(localhost|127(\.\d{1,3}){3}|::1)$/.test(parseAddress(plain).host))
    throw new UsageError(`--plain listens on loopback only, not on '${plain}': --citadel serves others`);
  const replicas = Number(values.replicas);
  if (!Number.isInteger(replicas) || replicas < 1)
    throw new UsageError(`--replicas takes a number from 1 on, not '${values.replicas}'`);
  const rateLimitConfigs = (values['rate-limit-config'] ?? []).map((file) => path.resolve(file));
  return {
    secure: service && { ...service, listen },
    plain,
    admin,
    configDirs: values['config-dir'] ?? [],
    adapters: values.adapter ?? [],
    rateLimitConfigs,
    shadow,
    replicas,
    redis: readRedisArguments(values),
    ...readTelemetryArguments(values),
  };
}
