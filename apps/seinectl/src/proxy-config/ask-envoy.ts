import { httpGetJson } from '../client/http-get.js';
import type { Io } from '../io.js';
import { findWorkload } from '../runtime/find-workload.js';
import { readRunFile, stateDir } from '../runtime/run-file.js';
import type { RunWorkload } from '@seine/api';
import type { ClustersAnswer, ConfigDump } from './config-dump.js';

/** What one Envoy says of itself. */
export interface EnvoyAnswer {
  readonly workload: RunWorkload;
  readonly dump: ConfigDump;
  readonly clusters: ClustersAnswer;
  /** When it was asked, milliseconds since 1970. */
  readonly now: number;
}

/** The Envoys of all workloads of the running mesh, or of one. @param reference NAME or NAME.NAMESPACE */
export async function askEnvoys(
  reference: string | undefined,
  state: string | undefined,
  io: Io,
): Promise<readonly EnvoyAnswer[]> {
  const { workloads } = await readRunFile(stateDir(state, io));
  const wanted = reference === undefined ? workloads : [findWorkload(workloads, reference)];
  return await Promise.all(wanted.map((workload) => ask(workload, io)));
}

/** The Envoy of a workload of the running mesh. @param reference NAME or NAME.NAMESPACE */
export async function askEnvoy(reference: string, state: string | undefined, io: Io): Promise<EnvoyAnswer> {
  const run = await readRunFile(stateDir(state, io));
  return await ask(findWorkload(run.workloads, reference), io);
}

async function ask(workload: RunWorkload, io: Io): Promise<EnvoyAnswer> {
  const admin = `http://127.0.0.1:${workload.adminPort}`;
  const options = { timeoutMs: 10_000, who: `the Envoy of ${workload.name}.${workload.namespace}` };
  const [dump, clusters] = await Promise.all([
    httpGetJson(`${admin}/config_dump?include_eds`, options),
    httpGetJson(`${admin}/clusters?format=json`, options),
  ]);
  return { workload, dump: dump as ConfigDump, clusters: clusters as ClustersAnswer, now: io.now() };
}
