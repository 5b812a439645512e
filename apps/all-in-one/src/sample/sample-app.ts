import { type ProcessSpec, untilListening } from '@seine/envoy-process';
import type { PlannedWorkload } from '../plan/planned-workload.js';

export interface SampleAppOptions {
  readonly program: string;
  /** Where it listens. */
  readonly host: string;
  readonly port: number;
  /** The sidecar's HTTP proxy; absent where connections are redirected. */
  readonly proxy?: string;
  readonly logFile: string;
}

/** How a copy of the sample is started: the role is its pod's `app` label. */
export function sampleApp(w: PlannedWorkload, options: SampleAppOptions): ProcessSpec {
  const { program, host, port, proxy, logFile } = options;
  return {
    name: w.owner,
    command: process.execPath,
    args: [program, w.labels['app'] ?? w.owner],
    env: {
      ...process.env,
      HOST: host,
      PORT: String(port),
      VERSION: w.labels['version'] ?? 'v1',
      POD_NAME: w.name,
      ...(proxy !== undefined && { SEINE_HTTP_PROXY: proxy }),
    },
    logFile,
    ready: (signal) => untilListening({ host, port }, signal),
  };
}
