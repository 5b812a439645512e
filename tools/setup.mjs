// Makes a checkout ready: dependencies, generated Envoy messages and, with --build, the compiled programs.
// Each step is skipped when its inputs have not changed, so that a second start costs nothing.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);

const major = Number(process.versions.node.split('.')[0]);
if (major < 20) {
  console.error(`Seine needs Node 20.19 or later; this is ${process.version}.`);
  process.exit(1);
}

function step(title, command, args) {
  process.stderr.write(`• ${title}\n`);
  const started = Date.now();
  const result = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.status !== 0) {
    console.error(`${title}: failed (${[command, ...args].join(' ')})`);
    process.exit(result.status ?? 1);
  }
  process.stderr.write(`  ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

function digest(files) {
  const hash = createHash('sha256').update(process.version);
  for (const file of files) hash.update(file).update(fs.readFileSync(file));
  return hash.digest('hex');
}

function fresh(stampFile, stamp) {
  return fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === stamp;
}

/** All TypeScript sources and project files: what a build depends on. */
function sources() {
  const found = ['package-lock.json', 'tsconfig.base.json', 'tsconfig.json'];
  const walk = (dir) => {
    for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
      if (['node_modules', 'dist', 'testdata', '.cache'].includes(entry.name)) continue;
      const file = path.join(dir, entry.name);
      if (entry.isDirectory()) walk(file);
      else if (/\.(ts|tsx|proto|html|css)$|tsconfig\.json$|package\.json$/.test(entry.name)) found.push(file);
    }
  };
  for (const dir of ['apps', 'libs', 'examples', 'tools', 'e2e']) walk(dir);
  return found.sort();
}

/** Whether a process is there. */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Two terminals, one checkout: the second waits until the first has made it ready. */
function inTurn() {
  const file = path.join(os.tmpdir(), `seine-setup-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`);
  process.on('exit', () => {
    if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === String(process.pid)) fs.rmSync(file, { force: true });
  });
  for (;;) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') return;
    }
    const { mtimeMs = Date.now() } = fs.statSync(file, { throwIfNoEntry: false }) ?? {};
    const holder = Number(fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : 0);
    // Who died left it lying there, perhaps before a number was in it.
    if (holder > 0 ? !isAlive(holder) : Date.now() - mtimeMs > 5000) fs.rmSync(file, { force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}

inTurn();
const lock = digest(['package-lock.json']);
if (!fresh('node_modules/.seine-stamp', lock)) {
  step('installing dependencies (once)', 'npm', [
    'ci',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--ignore-scripts',
  ]);
  fs.writeFileSync('node_modules/.seine-stamp', lock);
}
const generate = spawnSync(process.execPath, ['libs/api/envoy/tools/generate.mjs'], { stdio: 'inherit' });
if (generate.status !== 0) process.exit(generate.status ?? 1);

if (process.argv.includes('--build')) {
  const stamp = digest(sources());
  if (!fresh('node_modules/.seine-build', stamp)) {
    step('building', process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'tsconfig.json']);
    fs.writeFileSync('node_modules/.seine-build', stamp);
  }
}
