// The figures as people read them.
import { titles } from './aims.mjs';
import { sizes, variants } from './transport.mjs';

const number = (value) => {
  if (value === undefined) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toFixed(digits);
};

function render(head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i].length)));
  const line = (row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

const figures = [
  ['cold connect max, ms', 'connectMax'],
  ['  CPU-s', 'connectCpu'],
  ['route change p50, ms', 'routeP50'],
  ['  p99, ms', 'routeP99'],
  ['  CPU-s', 'routeCpu'],
  ['  sent, MB', 'routeSentMb'],
  ['endpoint change p50, ms', 'endpointP50'],
  ['  p99, ms', 'endpointP99'],
  ['  CPU-s', 'endpointCpu'],
  ['20 changes/s p50, ms', 'churnP50'],
  ['  p99, ms', 'churnP99'],
  ['peak memory, MB', 'rssPeakMb'],
  ['memory a proxy, MB', 'mbPerProxy'],
  ['idle 3 s, CPU-s', 'idleCpu'],
  ['missed', 'missed'],
  ['not complete', 'incomplete'],
];

/** Seine beside istiod, one block a scenario and mode. */
export function pilotTable(measured, recorded) {
  const istiod = recorded.istiod[measured.scenario];
  const rows = figures.map(([title, name]) => [
    title,
    number(measured[name]),
    number(istiod.default[name]),
    number(istiod.tuned[name]),
    istiod.default[name] && measured[name] ? `${number(istiod.default[name] / measured[name])}×` : '',
  ]);
  const head = [
    `${measured.scenario}, ${measured.proxies} proxies, ${measured.mode}`,
    'seine',
    'istiod',
    'istiod tuned',
    'istiod/seine',
  ];
  return render(head, rows);
}

export function transportTable(transport, recorded) {
  const rows = variants.flatMap((variant) =>
    sizes.map((size) => {
      const [here, there] = [transport[variant][size], recorded.transport[variant][String(size)]];
      return [
        `${variant} ${size / 1000} KB`,
        ...['p50', 'p99', 'cpu'].flatMap((name) => [number(here[name]), number(there[name])]),
      ];
    }),
  );
  const head = ['transport alone, 1000 streams', 'p50 ms', 'recorded', 'p99 ms', 'recorded', 'CPU-s', 'recorded'];
  return render(head, rows);
}

export function aimsTable(rows, scale) {
  const cells = rows.map((row) => [
    `${row.scenario} ${row.mode}: ${titles[row.name]}`,
    number(row.measured),
    number(row.aim),
    row.passed ? 'passed' : 'missed',
  ]);
  const head = [
    `aims, scaled by this run’s transport (time ×${scale.time.toFixed(2)}, CPU ×${scale.cpu.toFixed(2)})`,
    'measured',
    'aim',
    '',
  ];
  return render(head, cells);
}

/** What citadel signs: each row a way of asking. `a CPU-second` is what one core of its own would do. */
export function csrTable(rows) {
  const cells = rows.map(({ name, perSecond, perCpuSecond, p50, p99, max, share }) => [
    name,
    ...[perSecond, perCpuSecond, p50, p99, max].map(number),
    `${(share * 100).toFixed(0)} %`,
  ]);
  const head = ['citadel on one core', 'a second', 'a CPU-second', 'p50 ms', 'p99 ms', 'max ms', 'of the core'];
  const aims = 'aims: 500 a second; p99 200 ms while 1,000 agents renew. `of the core` is what citadel got of it.';
  return `${render(head, cells)}\n${aims}`;
}

export function decisionsTable(rows) {
  const cells = rows.map(({ name, perSecond, perCpuSecond, p50, p99, max, share }) => [
    name,
    ...[perSecond, perCpuSecond, p50, p99, max].map(number),
    `${(share * 100).toFixed(0)} %`,
  ]);
  const head = ['mixer on one core', 'a second', 'a CPU-second', 'p50 ms', 'p99 ms', 'max ms', 'of the core'];
  const aims = 'aim: 8,000 decisions a second. `of the core` is what mixer got of it.';
  return `${render(head, cells)}\n${aims}`;
}

export function entriesTable(rows) {
  const cells = rows.map(({ name, perSecond, perCpuSecond, share }) => [
    name,
    ...[perSecond, perCpuSecond].map(number),
    `${(share * 100).toFixed(0)} %`,
  ]);
  const head = ['log entries, mixer on one core', 'a second', 'a CPU-second', 'of the core'];
  return `${render(head, cells)}\naim: 20,000 entries a second. \`of the core\` is what mixer got of it.`;
}

/** What the agent takes, and its share a sidecar; the Envoy below is one with a listener, a cluster and certificates. */
export function agentsTable({ agents, envoy }) {
  const cells = agents.map(({ count, residentMb, ownMb, idleCores, residentRenewingMb, msPerRenewal }) => [
    `${count}`,
    ...[residentMb, ownMb, residentRenewingMb, residentMb / count, idleCores * 1000, msPerRenewal].map(number),
  ]);
  const head = [
    ...['workloads', 'resident MB', 'of its own', 'while renewing', 'MB a workload'],
    ...['idle, 1/1000 core', 'CPU ms a renewal'],
  ];
  const beside = `an idle Envoy with a certificate, two worker threads: ${number(envoy.resident)} MB resident, ${number(envoy.own)} MB of its own`;
  return `${render(head, cells)}\n${beside}`;
}

/** A request through two sidecars, without anything and with each scenario. */
export function sidecarCostTable(rows, { perSecond, seconds, reps }) {
  const cells = rows.map((row) => [
    row.name,
    ...[row.baseP50, row.addedP50, row.baseP99, row.addedP99].map(number),
    `${((100 * row.addedP99) / row.baseP99).toFixed(1)} %`,
    ...[row.sidecarUs, row.addedSidecarUs, row.mixerUs].map(number),
    `${row.requests}${row.failed > 0 ? `, ${row.failed} failed` : ''}`,
  ]);
  const head = ['', 'p50 ms', 'added', 'p99 ms', 'added', 'of it', 'CPU µs of both', 'added', 'of mixer', 'requests'];
  const about = `two pairs of sidecars with ${perSecond} requests a second each, one with and one without, then the other way round, ${seconds} s each; ${reps} times.
\`nothing\` is how far two pairs differ that have the same. aim: telemetry adds under 2 % to p99.`;
  return `${render(head, cells)}\n${about}`;
}
