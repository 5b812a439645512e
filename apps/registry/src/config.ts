import { parseAddress, readFlags, UsageError } from '@seine/nest';

export { parseAddress, UsageError };

export interface RegistryArguments {
  readonly configDirs: readonly string[];
  readonly stateDir: string | undefined;
  readonly fresh: boolean;
  /** Config API, `host:port` on loopback. */
  readonly listen: string;
  /** Health and metrics. */
  readonly admin: { readonly host: string; readonly port: number };
}

export const usage = `usage: registry [--config-dir DIR …] [--state DIR] [--fresh] [--listen HOST:PORT] [--admin HOST:PORT]
  --config-dir DIR   folder of YAML, watched; may be given several times
  --state DIR        where applied objects are kept (default: nowhere)
  --fresh            forget what was applied before
  --listen HOST:PORT config API over gRPC, loopback only (default 127.0.0.1:15019)
  --admin HOST:PORT  /metrics, /ready and /healthz (default 127.0.0.1:15018)`;

const options = {
  'config-dir': { type: 'string', multiple: true },
  state: { type: 'string' },
  fresh: { type: 'boolean', default: false },
  listen: { type: 'string', default: '127.0.0.1:15019' },
  admin: { type: 'string', default: '127.0.0.1:15018' },
} as const;

/** @throws UsageError */
export function parseArguments(argv: readonly string[]): RegistryArguments {
  const values = readFlags(argv, options);
  const configDirs = values['config-dir'] ?? [];
  if (configDirs.length === 0 && values.state === undefined)
    throw new UsageError('--config-dir or --state is required: without them there is nothing to serve');
  return {
    configDirs,
    stateDir: values.state,
    fresh: values.fresh,
    listen: parseLoopback(values.listen),
    admin: parseAddress(values.admin),
  };
}

/** An address that only this machine can reach. @throws UsageError */
export function parseLoopback(text: string): string {
  const { host } = parseAddress(text);
  if (host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)) return text;
  throw new UsageError(
    `the config API listens on loopback only, not on '${text}': whoever reaches it may change the mesh, and nobody can show who they are yet`,
  );
}
