// Compares what was measured with the aims: the recorded figures, scaled by what the transport takes here and now.
import { transportLimit } from './transport.mjs';

const times = ['routeP99', 'endpointP99', 'churnP99', 'connectMax'];
const cpus = ['routeCpu', 'connectCpu'];
export const titles = {
  routeP99: 'route change p99, ms',
  routeOverTransport: 'route change p99 over the transport’s for the bytes sent',
  routeCpu: 'route change, CPU-s',
  endpointP99: 'endpoint change p99, ms',
  churnP99: '20 changes/s p99, ms',
  connectMax: 'cold connect, ms',
  connectCpu: 'cold connect, CPU-s',
  mbPerProxy: 'memory a proxy, MB',
};

/** How much slower (above 1) or faster this machine is now than the one of the recorded figures, in time and in CPU. */
export function scaleOf(transport, recorded) {
  const here = transport.h2bare[500_000];
  const there = recorded.transport.h2bare['500000'];
  return { time: here.p99 / there.p99, cpu: here.cpu / there.cpu };
}

/** @returns rows `{scenario, mode, name, measured, aim, passed}`; empty for a scenario that is only reported */
export function judge(measured, transport, recorded) {
  const scale = scaleOf(transport, recorded);
  const aims = recorded.aims[measured.scenario] ?? {};
  return Object.entries(aims).map(([name, recordedAim]) => {
    const factor = times.includes(name) ? scale.time : cpus.includes(name) ? scale.cpu : 1;
    const bytes = (measured.routeSentMb * 1e6) / measured.proxies;
    const value = name === 'routeOverTransport' ? measured.routeP99 / transportLimit(transport, bytes) : measured[name];
    const aim = recordedAim * factor;
    return { scenario: measured.scenario, mode: measured.mode, name, measured: value, aim, passed: value <= aim };
  });
}
