import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { inUserCache } from './user-cache.js';

const run = promisify(execFile);
const maxBuffer = 64 * 1024 * 1024;

export interface DebianProgram {
  /** Debian's package that has it: `redis-server`. */
  readonly package: string;
  /** Its name in /usr/bin or /usr/sbin: `redis-server`. */
  readonly program: string;
}

/**
 * Path of a program that tests run against: the one that a variable names (`SEINE_REDIS_SERVER` for `redis-server`), on the
 * PATH, or from Debian's package, which is unpacked into the user's cache with those of its dependencies that the machine
 * lacks; nothing is installed, and root is not needed.
 * @throws (rejects) Error that says what to install where none of these is to be had
 */
export async function debianProgram(asked: DebianProgram): Promise<string> {
  const { program } = asked;
  const variable = `SEINE_${program.toUpperCase().replaceAll('-', '_')}`;
  const named = process.env[variable];
  if (named) {
    if (!isProgram(named)) throw new Error(`${variable}: ${named} is no program`);
    return path.resolve(named);
  }
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const onPath = folders.map((folder) => path.join(folder, program)).find(isProgram);
  if (onPath !== undefined) return onPath;
  const unpacked = await debianPackage(asked.package).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`no ${program} on the PATH, and none from Debian: ${reason}\ninstall it, or set ${variable}`);
  });
  const found = path.join(unpacked, starters, program);
  if (!isProgram(found)) throw new Error(`Debian's package ${asked.package} has no program ${program}`);
  return found;
}

/** In an unpacked package: scripts that start its programs, with the libraries beside them. */
const starters = 'run';

const starter = (program: string): string => `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")/..
for folder in "$here"/usr/lib/*-linux-gnu "$here"/lib/*-linux-gnu; do
  if [ -d "$folder" ]; then LD_LIBRARY_PATH="$folder\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"; fi
done
export LD_LIBRARY_PATH
exec "$here/${program}" "$@"
`;

const unpacking = new Map<string, Promise<string>>();

/** The folder in which a package of Debian's is unpacked, with what it needs and the machine lacks; fetched where it is not there yet. */
export async function debianPackage(name: string): Promise<string> {
  let folder = unpacking.get(name);
  if (!folder) unpacking.set(name, (folder = inUserCache(['debian', name], (to) => fetchAndUnpack(name, to))));
  return await folder;
}

async function fetchAndUnpack(name: string, folder: string): Promise<void> {
  const archives = path.join(folder, 'archives');
  fs.mkdirSync(archives, { recursive: true });
  try {
    await download(name, archives, []);
  } catch {
    // The machine's package lists are not there or out of date: fresh ones of our own.
    const lists = path.join(folder, 'apt');
    fs.mkdirSync(path.join(lists, 'lists', 'partial'), { recursive: true });
    const own = ['-o', `Dir::State::Lists=${path.join(lists, 'lists')}`, '-o', `Dir::Cache=${lists}`];
    await run('apt-get', [...own, '-q', 'update'], { maxBuffer });
    await download(name, archives, own);
    fs.rmSync(lists, { recursive: true, force: true });
  }
  for (const archive of fs.readdirSync(archives)) await run('dpkg', ['-x', path.join(archives, archive), folder]);
  fs.rmSync(archives, { recursive: true, force: true });
  writeStarters(folder);
}

/** Into `archives`: the package, and what apt would install with it. */
async function download(name: string, archives: string, options: readonly string[]): Promise<void> {
  const simulate = [...options, '--simulate', '--no-install-recommends', 'install', name];
  const { stdout } = await run('apt-get', simulate, { maxBuffer, env: { ...process.env, LC_ALL: 'C' } });
  const missing = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]!);
  const packages = missing.includes(name) ? missing : [name, ...missing];
  await run('apt-get', [...options, '-q', 'download', ...packages], { cwd: archives, maxBuffer });
}

function writeStarters(folder: string): void {
  const place = path.join(folder, starters);
  fs.mkdirSync(place);
  for (const bin of ['usr/sbin', 'usr/bin', 'sbin', 'bin']) {
    const programs = path.join(folder, bin);
    if (!fs.existsSync(programs)) continue;
    for (const program of fs.readdirSync(programs))
      fs.writeFileSync(path.join(place, program), starter(`${bin}/${program}`), { mode: 0o755 });
  }
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
