// Builds and runs xdsload, the load generator of the shared folder (its README says what the phases measure).
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from './processes.mjs';

const root = path.resolve(import.meta.dirname, '..');

/** The folder with bench/: SEINE_SHARED, or `shared` beside the checkout. */
export function sharedBench() {
  const shared = process.env.SEINE_SHARED ?? path.resolve(root, '../shared');
  const folder = path.join(shared, 'bench');
  if (!fs.existsSync(path.join(folder, 'cmd/xdsload')))
    throw new Error(`no load generator in ${folder}; set SEINE_SHARED to the folder that has bench/cmd/xdsload`);
  return folder;
}

/** @returns path of the built program; Go makes it anew only when its sources changed */
export async function buildLoadGenerator() {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache');
  const bin = path.join(cache, 'seine', 'bench');
  fs.mkdirSync(bin, { recursive: true });
  await run('go', ['build', '-o', `${bin}/`, './cmd/...'], { cwd: sharedBench() });
  return path.join(bin, 'xdsload');
}

/** Writes the mesh of a scenario as YAML. */
export async function generateMesh(xdsload, scenario, dir) {
  await run(xdsload, ['gen', '--scenario', scenario, '--out', dir]);
}

/** Runs phases. @returns the result of each, by phase */
export async function runPhases(xdsload, args, keep) {
  const out = await run(xdsload, ['run', ...args]);
  if (keep) {
    fs.mkdirSync(keep, { recursive: true });
    fs.appendFileSync(path.join(keep, 'results.jsonl'), out);
  }
  const lines = out.split('\n').filter((line) => line.startsWith('{'));
  return Object.fromEntries(lines.map((line) => JSON.parse(line)).map((result) => [result.phase, result]));
}
