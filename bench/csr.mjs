// npm run bench -- csr: a citadel on one core, and a thousand agents on another, which renew their certificates.
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { freePort, start, waitFor } from './processes.mjs';

const root = path.resolve(import.meta.dirname, '..');
const host = '127.0.0.1';
const count = 1000;
/** Nothing is limited: all agents come from one address here. */
const limits = ['--limit-per-address', '1000000,1000000', '--limit-per-identity', '1000000,1000000'];

/** What puts a program on one core, where the machine has more. */
function onCore(core) {
  return os.cpus().length > 1 && fs.existsSync('/usr/bin/taskset') ? ['/usr/bin/taskset', '-c', String(core)] : [];
}

async function startCitadel(folder, wanted) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyFile = path.join(folder, 'provider.pem');
  fs.writeFileSync(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256' }];
  const jwks = path.join(folder, 'jwks.json');
  fs.writeFileSync(jwks, JSON.stringify({ keys }));
  const [port, admin] = [await freePort(), await freePort()];
  const state = path.join(folder, 'state');
  const args = ['--state', state, '--listen', `${host}:${port}`, '--admin', `${host}:${admin}`, ...limits];
  const oidc = ['--oidc-issuer', 'https://bench', '--oidc-jwks', jwks];
  const profile = wanted ? ['--cpu-prof', '--cpu-prof-dir', wanted] : [];
  const main = path.join(root, 'apps/citadel/dist/main.js');
  const [command, ...rest] = [...onCore(0), process.execPath, ...profile, main, ...args, ...oidc];
  const citadel = start(command, rest, { cwd: root });
  await waitFor(() => /^ready$/m.test(citadel.output()), 60, 'citadel to be ready', citadel);
  return { citadel, options: { port, rootFile: path.join(state, 'ca/root-cert.pem'), keyFile, count } };
}

function startAgents(options) {
  const script = path.join(import.meta.dirname, 'csr-agents.mjs');
  const [command, ...args] = [...onCore(1), process.execPath, script, JSON.stringify(options)];
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the agents ended');
    const result = JSON.parse(value);
    if (result.error) throw new Error(result.error);
    return result;
  };
  return {
    ready: next,
    run: (action, more = {}) => {
      child.stdin.write(`${JSON.stringify({ do: action, ...more })}\n`);
      return next();
    },
    stop: () => child.kill('SIGKILL'),
  };
}

/** CPU-seconds that a process has used (Linux: clock ticks of a hundredth). */
function cpuOf(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];

async function measure(agents, pid, name, action, more) {
  const before = cpuOf(pid);
  const { latencies, seconds } = await agents.run(action, more);
  const cpu = Math.max(cpuOf(pid) - before, 0.01);
  const sorted = latencies.sort((a, b) => a - b);
  return {
    name,
    perSecond: latencies.length / seconds,
    perCpuSecond: latencies.length / cpu,
    // Less than it could use means that others had it, or that there was no more to do.
    share: cpu / seconds,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    max: sorted.at(-1),
  };
}

/** @returns rows `{name, perSecond, perCpuSecond, p50, p99, max}`, times in ms */
export async function measureCsr(options, progress) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-bench-csr-'));
  let citadel;
  let agents;
  try {
    const started = await startCitadel(folder, options.profile);
    citadel = started.citadel;
    agents = startAgents(started.options);
    await agents.ready();
    progress(`${count} agents get their first certificate`);
    await agents.run('enroll');
    const rows = [];
    const step = async (...args) => {
      progress(args[0]);
      rows.push(await measure(agents, citadel.pid, ...args));
    };
    // Code is compiled as it runs hot: what is measured is a citadel that has worked for a while.
    await agents.run('most', { width: 32, total: 3000 });
    await step('500 a second, 1,000 agents in turn', 'rate', { perSecond: 500, seconds: 10 });
    await step('as many as it takes', 'most', { width: 32, total: 6000 });
    await step('each over a new connection', 'connections', { width: 32, total: 2000 });
    for (let rep = 0; rep < options.reps; rep++) await step('1,000 agents at one instant', 'burst');
    return rows;
  } finally {
    agents?.stop();
    await citadel?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
