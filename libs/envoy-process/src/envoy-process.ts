import { type Endpoint, untilEnvoyLive } from './readiness.js';
import type { ProcessSpec } from './supervised-process.js';

export interface EnvoyProcessOptions {
  /** `reviews-v1`: whose Envoy it is. */
  readonly workload: string;
  readonly envoy: string;
  readonly bootstrapFile: string;
  readonly logFile: string;
  /** As in the bootstrap. */
  readonly admin: Endpoint;
  /** What stands before Envoy's own command line: `ip netns exec NAME …`. */
  readonly wrapper?: readonly string[] | undefined;
  /** Variables besides those of this process: `proxyEnvironment` of @seine/bootstrap. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Worker threads; 0 = one a CPU core; default 1, as many Envoys share few cores. */
  readonly concurrency?: number | undefined;
  /** How long connections may go on when their listener goes; default 5, as a laptop's requests are short. */
  readonly drainSeconds?: number | undefined;
}

/** How an Envoy of this machine is run: without hot restart, as nobody takes over. */
export function envoyProcess(options: EnvoyProcessOptions): ProcessSpec {
  const { workload, envoy, bootstrapFile, logFile, admin, wrapper = [], environment, uid, gid } = options;
  const { concurrency = 1, drainSeconds = 5 } = options;
  const line = [
    ...wrapper,
    envoy,
    ...['-c', bootstrapFile],
    ...(concurrency === 0 ? [] : ['--concurrency', String(concurrency)]),
    '--disable-hot-restart',
    ...['--drain-time-s', String(drainSeconds)],
    ...['--log-level', 'info'],
  ];
  return {
    name: `Envoy of ${workload}`,
    command: line[0] ?? envoy,
    args: line.slice(1),
    ...(environment && { env: { ...process.env, ...environment } }),
    logFile,
    uid,
    gid,
    ready: (signal) => untilEnvoyLive(admin, signal),
  };
}
