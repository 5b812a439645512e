import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type ConfigObject, objectKey } from '@seine/k8s';
import { readConfigPath } from '@seine/source-file';
import type { PlannedWorkload } from '../plan/planned-workload.js';

/** Everything in these folders; what is wrong in them the registry says when it reads them itself. */
export function readObjects(folders: readonly string[]): ConfigObject[] {
  return folders.flatMap((folder) => readConfigPath(folder).objects);
}

/**
 * The folders the registry reads. Where the plan moves pods, a folder of its own says where they are now and stands in
 * for `given` ones that only Seine writes.
 */
export async function foldersForRegistry(
  given: { readonly own: readonly string[]; readonly users: readonly string[] },
  workloads: readonly PlannedWorkload[],
  objects: readonly ConfigObject[],
  stateDir: string,
): Promise<string[]> {
  const planned = new Map(workloads.map(({ pod }) => [objectKey(pod), pod]));
  const moved = objects.filter((object) => (planned.get(objectKey(object)) ?? object) !== object);
  const folder = path.join(stateDir, 'moved-pods');
  await rm(folder, { recursive: true, force: true });
  if (moved.length === 0) return [...given.own, ...given.users];
  const own = readObjects(given.own);
  const keys = new Set([...own, ...moved].map(objectKey));
  const items = objects.filter((o) => keys.has(objectKey(o))).map((o) => planned.get(objectKey(o)) ?? o);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'mesh.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2));
  return [folder, ...given.users];
}
