// A mixer on one core, asked over plain text from another.
import path from 'node:path';
import { cpuOf, onCore } from './one-core.mjs';
import { freePort, run, start, waitFor } from './processes.mjs';

const root = path.resolve(import.meta.dirname, '..');
const host = '127.0.0.1';
const connections = 8;

/**
 * Starts a mixer, has it measured, and stops it.
 * @param clients the script that asks: takes its task as JSON, prints the result as JSON
 * @param measure gets `ask(task)` and `row(name, task)`, whose rows are `{name, perSecond, perCpuSecond, share, p50, p99, max}`,
 * times in ms
 */
export async function withMixer({ options, clients, args = [], progress }, measure) {
  const [port, admin] = [await freePort(), await freePort()];
  const profile = options.profile ? ['--cpu-prof', '--cpu-prof-dir', options.profile] : [];
  const main = path.join(root, 'apps/mixer/dist/main.js');
  const all = [...profile, main, '--plain', `${host}:${port}`, '--admin', `${host}:${admin}`, ...args];
  const [command, ...rest] = [...onCore(0), process.execPath, ...all];
  const mixer = start(command, rest, { cwd: root });
  const ask = async (task) => {
    const script = path.join(import.meta.dirname, clients);
    const [asking, ...how] = [...onCore(1), process.execPath, script, JSON.stringify({ port, connections, ...task })];
    return JSON.parse(await run(asking, how));
  };
  const row = async (name, task) => {
    progress(name);
    const before = cpuOf(mixer.pid);
    const { answers, seconds, p50, p99, max } = await ask(task);
    const cpu = Math.max(cpuOf(mixer.pid) - before, 0.01);
    return { name, perSecond: answers / seconds, perCpuSecond: answers / cpu, share: cpu / seconds, p50, p99, max };
  };
  try {
    await waitFor(() => /^ready$/m.test(mixer.output()), 60, 'mixer to be ready', mixer);
    return await measure({ ask, row, admin });
  } finally {
    await mixer.stop();
  }
}
