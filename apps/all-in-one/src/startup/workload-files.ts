import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { PlannedWorkload } from '../plan/planned-workload.js';

/** Takes what an Envoy or an application writes. */
export function logFile(stateDir: string, w: PlannedWorkload, what: 'envoy' | 'app'): string {
  return path.join(stateDir, 'logs', `${w.name}.${what}.log`);
}

/** Writes a workload's Envoy bootstrap. @returns its path */
export async function bootstrapFile(dir: string, w: PlannedWorkload, bootstrap: string): Promise<string> {
  const file = path.join(dir, 'envoys', `${w.name}.json`);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, bootstrap);
  return file;
}
