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
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** How an Envoy of this machine is run: one worker, as many share few cores, and no hot restart, as nobody takes over. */
export function envoyProcess(options: EnvoyProcessOptions): ProcessSpec {
  const { workload, envoy, bootstrapFile, logFile, admin, wrapper = [], uid, gid } = options;
  const line = [
    ...wrapper,
    envoy,
    ...['-c', bootstrapFile],
    ...['--concurrency', '1', '--disable-hot-restart'],
    // Envoy's wait for the end of requests when it drains a listener; a laptop's requests are short.
    ...['--drain-time-s', '5'],
    ...['--log-level', 'info'],
  ];
  return {
    name: `Envoy of ${workload}`,
    command: line[0] ?? envoy,
    args: line.slice(1),
    logFile,
    uid,
    gid,
    ready: (signal) => untilEnvoyLive(admin, signal),
  };
}
