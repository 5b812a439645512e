// The built pilot under the load generator: one fresh pilot and one fresh mesh a repetition.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { generateMesh, runPhases } from './load-generator.mjs';
import { median } from './median.mjs';
import { freePort, start, waitFor } from './processes.mjs';

const root = path.resolve(import.meta.dirname, '..');
const phases = 'connect,idle:3,route,endpoint,churn';

/** What `npm run pilot` runs, without npm between: the generator reads the process's own CPU and memory. */
async function startPilot(configDir) {
  const [xds, admin] = [await freePort(), await freePort()];
  const args = ['--config-dir', configDir, '--xds', `127.0.0.1:${xds}`, '--admin', `127.0.0.1:${admin}`];
  const pilot = start(process.execPath, [path.join(root, 'apps/pilot/dist/main.js'), ...args], { cwd: root });
  await waitFor(() => /^ready$/m.test(pilot.output()), 120, 'pilot to be ready', pilot);
  return { pilot, target: `127.0.0.1:${xds}` };
}

async function measureOnce(xdsload, scenario, mode, rep, options) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-bench-'));
  let pilot;
  try {
    await generateMesh(xdsload, scenario, dir);
    const started = await startPilot(dir);
    pilot = started.pilot;
    const results = await runPhases(
      xdsload,
      [
        ...['--scenario', scenario, '--mode', mode, '--target', started.target, '--file-dir', dir],
        ...['--pid', `pilot=${pilot.pid}`, '--label', 'seine', '--rep', `${rep}`, '--phases', phases],
        ...['--settle', '300ms', '--wait-quiet', `${options.waitQuiet}s`],
      ],
      options.keep,
    );
    if (!pilot.isRunning()) throw new Error(`pilot ended under load: ${pilot.output().slice(-2000)}`);
    return summarize(results);
  } finally {
    await pilot?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function summarize({ connect, idle, route, endpoint, churn }) {
  return {
    proxies: connect.proxies,
    incomplete: connect.proxies - connect.complete,
    missed: route.missed + endpoint.missed + churn.missed,
    connectP50: connect.full_config_ms.p50,
    connectMax: connect.full_config_ms.max,
    connectCpu: connect.cp_cpu_s,
    mbPerProxy: (connect.rss_end_mb - connect.rss_before_mb) / connect.proxies,
    idleCpu: idle.cp_cpu_s,
    idleMessages: idle.msgs_total,
    routeP50: route.latency_ms.p50,
    routeP99: route.latency_ms.p99,
    routeCpu: route.cp_cpu_s_per_change,
    routeSentMb: route.bytes_total / route.changes / 1e6,
    endpointP50: endpoint.latency_ms.p50,
    endpointP99: endpoint.latency_ms.p99,
    endpointCpu: endpoint.cp_cpu_s_per_change,
    churnP50: churn.latency_ms.p50,
    churnP99: churn.latency_ms.p99,
    churnCpuPercent: churn.cp_cpu_pct,
    rssPeakMb: Math.max(...[connect, idle, route, endpoint, churn].map((phase) => phase.rss_peak_mb)),
    // What else the machine did meanwhile, CPU-seconds: where it is large, the times above are not the pilot's own.
    noiseCpu: [connect, route, endpoint, churn].reduce((sum, phase) => sum + phase.other_cpu_s, 0),
  };
}

/** Medians over the repetitions, figure by figure; what was missed is added up. */
export async function measurePilot(xdsload, scenario, mode, options, progress) {
  const runs = [];
  for (let rep = 1; rep <= options.reps; rep++) {
    progress(`pilot ${scenario} ${mode}${options.reps > 1 ? `, ${rep} of ${options.reps}` : ''}`);
    runs.push(await measureOnce(xdsload, scenario, mode, rep, options));
  }
  const figures = Object.keys(runs[0]).map((name) => [name, median(runs.map((run) => run[name]))]);
  const missed = runs.reduce((sum, run) => sum + run.missed, 0);
  const incomplete = runs.reduce((sum, run) => sum + run.incomplete, 0);
  return { scenario, mode, ...Object.fromEntries(figures), missed, incomplete };
}
