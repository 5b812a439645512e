import { parseAddress, readFlags, UsageError } from '@seine/nest';

export { parseAddress, UsageError };

/** Where a pilot listens and reads from. */
export interface PilotOptions {
  /** Plain-text ADS, `host:port`. Loopback only, unless asked for otherwise: nobody proves who they are on it. */
  readonly xds: string;
  /** Metrics, readiness and debug, `host:port`. */
  readonly admin: string;
  /** Spread over which open streams are closed at the end, ms. */
  readonly drainMs: number;
}

export interface PilotArguments extends PilotOptions {
  /** Folders of YAML that the mesh is read from. */
  readonly configDirs: readonly string[];
  /** File of a MeshConfig that is in force from the start; a ConfigMap `istio` goes on top of it. */
  readonly meshConfigFile: string | undefined;
}

export const usage = `usage: pilot --config-dir DIR [--config-dir DIR …] [--xds HOST:PORT] [--admin HOST:PORT]
             [--mesh-config FILE]
  --config-dir DIR   folder of YAML to serve; watched
  --xds HOST:PORT    ADS over plain text (default 127.0.0.1:15010)
  --admin HOST:PORT  /metrics, /ready and /debug (default 127.0.0.1:15014)
  --mesh-config FILE MeshConfig (YAML) to begin with; the ConfigMap istio of its root namespace goes on top
  --drain DURATION   milliseconds over which streams are closed on SIGTERM (default 3000)`;

const options = {
  'config-dir': { type: 'string', multiple: true },
  xds: { type: 'string', default: '127.0.0.1:15010' },
  admin: { type: 'string', default: '127.0.0.1:15014' },
  drain: { type: 'string', default: '3000' },
  'mesh-config': { type: 'string' },
} as const;

/** @throws UsageError */
export function parseArguments(argv: readonly string[]): PilotArguments {
  const values = readFlags(argv, options);
  const configDirs = values['config-dir'] ?? [];
  if (configDirs.length === 0) throw new UsageError('--config-dir is required');
  const drainMs = Number(values.drain);
  if (!Number.isInteger(drainMs) || drainMs < 0)
    throw new UsageError(`--drain takes milliseconds, not '${values.drain}'`);
  parseAddress(values.xds);
  parseAddress(values.admin);
  return { configDirs, xds: values.xds, admin: values.admin, drainMs, meshConfigFile: values['mesh-config'] };
}
