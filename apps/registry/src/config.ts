import { parseWorkloadId } from '@seine/ca';
import { readServiceArguments, type ServiceArguments, serviceFlags } from '@seine/identity';
import { parseAddress, readFlags, UsageError } from '@seine/nest';
import { readRedisArguments, redisFlags, type RedisOptions, redisUsage } from '@seine/redis';

export { parseAddress, UsageError };

export interface RegistryArguments {
  readonly configDirs: readonly string[];
  readonly stateDir: string | undefined;
  readonly fresh: boolean;
  /** Config API, `host:port`; plain text is on loopback only. */
  readonly listen: string;
  /** The registry's own identity; undefined = plain text, and nobody shows who they are. */
  readonly service: ServiceArguments | undefined;
  /** SPIFFE IDs that may change the mesh; empty = the default. */
  readonly admins: readonly string[];
  /** Where the mesh log is kept for pilots of other processes; undefined = in this process alone. */
  readonly redis: RedisOptions | undefined;
  /** Health and metrics. */
  readonly admin: { readonly host: string; readonly port: number };
}

export const usage = `usage: registry [--config-dir DIR …] [--state DIR] [--fresh] [--listen HOST:PORT] [--admin HOST:PORT]
  --config-dir DIR   folder of YAML, watched; may be given several times
  --state DIR        where applied objects are kept (default: nowhere)
  --fresh            forget what was applied before
  --listen HOST:PORT config API over gRPC (default 127.0.0.1:15019); in plain text, loopback only
  --citadel HOST:PORT --root-cert FILE --token-file FILE [--trust-domain NAME] [--ttl SECONDS]
                     the registry's own identity (istio-system/registry): then the config API speaks mutual TLS
  --admin-id ID      SPIFFE ID that may change the mesh (default spiffe://TRUST_DOMAIN/ns/istio-system/sa/seinectl)
  --admin HOST:PORT  /metrics, /ready and /healthz (default 127.0.0.1:15018)
${redisUsage}
                     the mesh log is kept there; of several registries one leads, the others stand by`;

const options = {
  'config-dir': { type: 'string', multiple: true },
  state: { type: 'string' },
  fresh: { type: 'boolean', default: false },
  listen: { type: 'string', default: '127.0.0.1:15019' },
  admin: { type: 'string', default: '127.0.0.1:15018' },
  'admin-id': { type: 'string', multiple: true },
  ...serviceFlags,
  ...redisFlags,
} as const;

/** @throws UsageError */
export function parseArguments(argv: readonly string[]): RegistryArguments {
  const values = readFlags(argv, options);
  const configDirs = values['config-dir'] ?? [];
  if (configDirs.length === 0 && values.state === undefined)
    throw new UsageError('--config-dir or --state is required: without them there is nothing to serve');
  const service = readServiceArguments(values);
  const admins = values['admin-id'] ?? [];
  if (admins.length > 0 && !service) throw new UsageError('--admin-id needs --citadel: how would an admin show it?');
  for (const id of admins)
    if (!parseWorkloadId(id))
      throw new UsageError(`--admin-id '${id}' is not spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT`);
  parseAddress(values.listen);
  return {
    configDirs,
    stateDir: values.state,
    fresh: values.fresh,
    listen: service ? values.listen : parseLoopback(values.listen),
    service,
    admins,
    redis: readRedisArguments(values),
    admin: parseAddress(values.admin),
  };
}

/** An address that only this machine can reach. @throws UsageError */
export function parseLoopback(text: string): string {
  const { host } = parseAddress(text);
  if (host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)) return text;
  throw new UsageError(
    `the config API listens on loopback only, not on '${text}': whoever reaches it may change the mesh, and nobody shows who they are without --citadel`,
  );
}
