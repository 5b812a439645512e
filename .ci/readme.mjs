// Runs the commands that README.md and docs/ show in blocks marked `<!-- ci: offline -->` (as they stand) and
// `<!-- ci: with-mesh -->` (beside a running `npm start`), each line as one check. Ends with "N passed, N failed".
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

process.chdir(path.resolve(import.meta.dirname, '..'));
const minute = 60_000;
let passed = 0;
let failed = 0;

function count(title, isGood, output = '') {
  if (isGood) passed++;
  else failed++;
  console.log(`${isGood ? 'ok    ' : 'FAILED'} ${title}${isGood ? '' : `\n${output.trimEnd()}`}`);
}

/** Commands of the marked blocks of one kind; a line that ends with a backslash goes on. */
function commandsOf(kind) {
  const files = ['README.md', ...fs.readdirSync('docs', { recursive: true }).map((name) => path.join('docs', name))];
  const blocks = files
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => [
      ...fs.readFileSync(file, 'utf8').matchAll(new RegExp(`<!-- ci: ${kind} -->\\s*\`\`\`\\w*\\n([^]*?)\`\`\``, 'g')),
    ]);
  return blocks.flatMap(([, block]) =>
    block
      .replaceAll('\\\n', ' ')
      .split('\n')
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .filter((line) => line !== ''),
  );
}

function runAll(commands) {
  for (const command of commands) {
    const { status, stdout, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', command], {
      encoding: 'utf8',
      timeout: 2 * minute,
      maxBuffer: 1 << 28,
    });
    count(command, status === 0, `exit ${status}\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`);
  }
}

async function until(condition, milliseconds) {
  const deadline = Date.now() + milliseconds;
  while (Date.now() < deadline) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return false;
}

async function answers(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false; // nobody listens yet
  }
}

async function withMesh(commands) {
  // In a process group of its own, as a terminal would have it: Ctrl-C goes to all of it.
  const mesh = spawn('npm', ['start'], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let ended = false;
  for (const stream of [mesh.stdout, mesh.stderr])
    stream.on('data', (data) => (output = (output + data).slice(-20000)));
  mesh.on('exit', () => (ended = true));
  const page = 'http://127.0.0.1:8080/productpage';
  try {
    const isUp = await until(async () => ended || (await answers(page)), 5 * minute);
    count('npm start', isUp && !ended, output);
    if (isUp && !ended) runAll(commands);
  } finally {
    if (!ended) process.kill(-mesh.pid, 'SIGINT');
    const isDown = await until(() => ended, minute);
    if (!isDown) process.kill(-mesh.pid, 'SIGKILL');
    count('Ctrl-C ends it all', isDown && !(await answers(page)), output);
  }
}

const [offline, beside] = ['offline', 'with-mesh'].map(commandsOf);
count('the README has commands to run', offline.length > 0 && beside.length > 0);
runAll(offline);
await withMesh(beside);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
