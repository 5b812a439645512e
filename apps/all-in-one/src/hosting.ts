import type { FoundEnvoy, ProcessSpec, Watchdog } from '@seine/envoy-process';
import type { ConfigObject } from '@seine/k8s';
import type { WorkloadSockets } from './identity/workload-sockets.js';
import type { Plan, PlannedWorkload } from './plan/planned-workload.js';
import type { StartConfig } from './startup/envoy-bootstrap.js';
import type { NeededPort } from './startup/preflight.js';

/** A way to put workloads on one machine: side by side on loopback, or each in a network namespace. */
export interface Hosting {
  /** Address by which workloads reach this machine. */
  readonly machine: string;
  plan(objects: readonly ConfigObject[]): Promise<Plan>;
  /** What must be free for them. */
  neededPorts(workloads: readonly PlannedWorkload[]): readonly NeededPort[];
  /** Makes their places. */
  open(options: OpenOptions): Promise<Places>;
}

export interface OpenOptions {
  readonly workloads: readonly PlannedWorkload[];
  readonly envoy: FoundEnvoy;
  readonly stateDir: string;
  /** Where the agent serves their secrets. */
  readonly sockets: WorkloadSockets;
  /** The config and resources of the mesh as they are when it starts. */
  readonly mesh: StartConfig;
  /** Is told what somebody should know. */
  readonly notice: (message: string) => void;
  readonly watchdog: Watchdog;
}

export interface Places {
  /** What is to run for a workload: its Envoy and, if the application is the sample's, that. */
  processes(workload: PlannedWorkload, sampleProgram: string | undefined): Promise<readonly ProcessSpec[]>;
  close(): Promise<void>;
}
