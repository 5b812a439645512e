// What the transport alone takes on this machine today: one Node process writes one message to 1,000 streams.
import path from 'node:path';
import { runPhases, sharedBench } from './load-generator.mjs';
import { median } from './median.mjs';
import { freePort, start, waitFor } from './processes.mjs';

export const variants = ['h2bare', 'http2raw'];
export const sizes = [10_000, 500_000];
const streams = 1000;

async function answers(url) {
  try {
    await fetch(url, { method: 'POST' });
    return true;
  } catch {
    return false; // not listening yet: asked again until the deadline of the caller
  }
}

async function measure(xdsload, variant, size, options) {
  const [port, control] = [await freePort(), await freePort()];
  const server = start(process.execPath, [path.join(sharedBench(), 'node', `${variant}.js`), `${port}`, `${control}`]);
  try {
    const push = `http://127.0.0.1:${control}/push?size=${size}`;
    await waitFor(() => answers(`${push}&marker=none`), 20, `${variant} to listen`, server);
    const { route } = await runPhases(
      xdsload,
      [
        ...['--scenario', 'large', '--proxies', `${streams}`, '--mode', 'sotw', '--target', `127.0.0.1:${port}`],
        ...['--change-url', `${push}&marker={marker}`, '--pid', `node=${server.pid}`, '--label', `fanout-${variant}`],
        ...['--size', `${size}`, '--phases', 'connect,route', '--route-changes', '8', '--settle', '200ms'],
        ...['--timeout', '60s', '--wait-quiet', `${options.waitQuiet}s`],
      ],
      options.keep,
    );
    return { p50: route.latency_ms.p50, p99: route.latency_ms.p99, cpu: route.cp_cpu_s_per_change };
  } finally {
    await server.stop();
  }
}

/** @returns `{h2bare: {10000: {p50, p99, cpu}, …}, …}`, ms and CPU-seconds a message to 1,000 streams */
export async function measureTransport(xdsload, options, progress) {
  const result = {};
  for (const variant of variants) {
    result[variant] = {};
    for (const size of sizes) {
      progress(`transport ${variant}, ${size / 1000} KB to ${streams} streams`);
      const runs = [];
      for (let rep = 0; rep < options.reps; rep++) runs.push(await measure(xdsload, variant, size, options));
      result[variant][size] = {
        p50: median(runs.map((r) => r.p50)),
        p99: median(runs.map((r) => r.p99)),
        cpu: median(runs.map((r) => r.cpu)),
      };
    }
  }
  return result;
}

/** The floor for a message of this size to 1,000 streams, p99 in ms: a line through the two measured sizes. */
export function transportLimit(transport, bytes) {
  const [small, large] = sizes;
  const floor = transport.h2bare;
  const slope = (floor[large].p99 - floor[small].p99) / (large - small);
  return Math.max(floor[small].p99, floor[small].p99 + slope * (bytes - small));
}
