import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunFile, RunWorkload } from '@seine/api';
import type { PlannedWorkload } from '../plan/planned-workload.js';

export function runWorkload(w: PlannedWorkload): RunWorkload {
  const { name, namespace, service, serviceAccount, address, inboundPort, adminPort } = w;
  const version = w.labels['version'] ?? '';
  const proxyId = `${w.type}~${address}~${name}.${namespace}~${namespace}.svc.cluster.local`;
  return { name, namespace, service, version, serviceAccount, address, inboundPort, adminPort, proxyId };
}

const fileIn = (stateDir: string): string => path.join(stateDir, 'run.json');

/** Written whole or not at all, as it is read at any time. */
export async function writeRunFile(stateDir: string, run: RunFile): Promise<void> {
  const file = fileIn(stateDir);
  await writeFile(`${file}.tmp`, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}

/** Removes it if it is ours. */
export async function removeRunFile(stateDir: string, pid: number): Promise<void> {
  if ((await pidInRunFile(stateDir)) === pid) await rm(fileIn(stateDir), { force: true });
}

/** The process that wrote the run file; undefined where there is none, or it is unreadable. */
export async function pidInRunFile(stateDir: string): Promise<number | undefined> {
  try {
    const { pid } = JSON.parse(await readFile(fileIn(stateDir), 'utf8')) as Partial<RunFile>;
    return typeof pid === 'number' ? pid : undefined;
  } catch {
    // No mesh has run here, or its file is no more whole: either way nobody can be asked.
    return undefined;
  }
}
