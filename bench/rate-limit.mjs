// npm run bench -- rate-limit: a mixer on one core that counts in memory, asked over plain text from another.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort, run, start, waitFor } from './processes.mjs';

const root = path.resolve(import.meta.dirname, '..');
const host = '127.0.0.1';
const connections = 8;

/** What puts a program on one core, where the machine has more. */
function onCore(core) {
  return os.cpus().length > 1 && fs.existsSync('/usr/bin/taskset') ? ['/usr/bin/taskset', '-c', String(core)] : [];
}

/** CPU-seconds that a process has used (Linux: clock ticks of a hundredth). */
function cpuOf(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function ask(task) {
  const script = path.join(import.meta.dirname, 'rate-limit-clients.mjs');
  const [command, ...args] = [...onCore(1), process.execPath, script, JSON.stringify(task)];
  return JSON.parse(await run(command, args));
}

/** @returns rows `{name, perSecond, perCpuSecond, share, p50, p99, max}`, times in ms */
export async function measureRateLimit(options, progress) {
  const [port, admin] = [await freePort(), await freePort()];
  const profile = options.profile ? ['--cpu-prof', '--cpu-prof-dir', options.profile] : [];
  const main = path.join(root, 'apps/mixer/dist/main.js');
  const args = [...profile, main, '--plain', `${host}:${port}`, '--admin', `${host}:${admin}`];
  const [command, ...rest] = [...onCore(0), process.execPath, ...args];
  const mixer = start(command, rest, { cwd: root });
  const measure = async (name, task) => {
    progress(name);
    const before = cpuOf(mixer.pid);
    const { answers, seconds, p50, p99, max } = await ask({ port, connections, ...task });
    const cpu = Math.max(cpuOf(mixer.pid) - before, 0.01);
    return { name, perSecond: answers / seconds, perCpuSecond: answers / cpu, share: cpu / seconds, p50, p99, max };
  };
  try {
    await waitFor(() => /^ready$/m.test(mixer.output()), 60, 'mixer to be ready', mixer);
    // Code is compiled as it runs hot: what is measured is a mixer that has worked for a while.
    await ask({ port, connections, callers: 1000, total: 50_000, width: 64 });
    const rows = [];
    for (let rep = 0; rep < options.reps; rep++) {
      rows.push(
        await measure('8,000 a second, 1,000 callers', { callers: 1000, total: 80_000, perSecond: 8000 }),
        await measure('as many as it takes, 1,000 callers', { callers: 1000, total: 200_000, width: 64 }),
        await measure('as many as it takes, 1 caller', { callers: 1, total: 200_000, width: 64 }),
        await measure('as many as it takes, 100,000 callers', { callers: 100_000, total: 200_000, width: 64 }),
      );
    }
    return rows;
  } finally {
    await mixer.stop();
  }
}
