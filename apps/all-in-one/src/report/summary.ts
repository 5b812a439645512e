import type { PlannedWorkload } from '../plan/planned-workload.js';

export interface Summary {
  readonly workloads: readonly PlannedWorkload[];
  /** The control plane's addresses by name. */
  readonly urls: Readonly<Record<string, string>>;
  readonly envoy: string;
  /** The folder of YAML that people edit. */
  readonly config: string | undefined;
  readonly sample: boolean;
  readonly stateDir: string;
  readonly seconds: number;
}

/** What stands in the terminal when the mesh is up: what runs where, and what to do next. */
export function renderSummary(summary: Summary): string {
  const { workloads, urls, envoy, config, stateDir, seconds } = summary;
  const rows = workloads.map((w) => [
    w.owner,
    w.service,
    w.labels['version'] ?? '',
    serves(w),
    app(w),
    `127.0.0.1:${w.adminPort}`,
  ]);
  const planes = Object.entries(urls).map(([name, url]) => [name, url]);
  return [
    '',
    ...(rows.length > 0
      ? [table(['WORKLOAD', 'SERVICE', 'VERSION', 'ENVOY SERVES', 'APPLICATION', 'ENVOY ADMIN'], rows), '']
      : []),
    table(['CONTROL PLANE', 'URL'], planes),
    '',
    `Envoy    ${envoy}`,
    ...(config === undefined ? [] : [`Config   ${config} (watched)`]),
    `State    ${stateDir} (logs in logs/)`,
    '',
    ...tries(summary),
    '',
    `The mesh is up after ${seconds.toFixed(1)} s. Ctrl-C ends all of it.`,
  ].join('\n');
}

function serves({ address, inboundPort }: PlannedWorkload): string {
  return inboundPort === 0 ? address : `${address}:${inboundPort}`;
}

function app({ appPorts }: PlannedWorkload): string {
  const [port] = appPorts.values();
  return port === undefined ? '' : `127.0.0.1:${port}`;
}

function tries({ sample, config, urls }: Summary): string[] {
  const ingress = urls['ingress'];
  const withSample =
    sample && ingress !== undefined
      ? [
          [`curl -s ${ingress}/api/v1/products/0/reviews`, 'which version answers'],
          [`open ${ingress}/productpage`, 'the page, with stars'],
          [`edit ${config ?? ''}/reviews.yaml`, 'and reload the page'],
          ['npx seinectl proxy-config routes productpage', 'what the Envoy of productpage does'],
          ['npx seinectl graph', 'who calls whom, and how it goes'],
          ['npx seinectl trace', 'where the last request took its time'],
        ]
      : [];
  const always = [
    ['npx seinectl proxy-status', 'who has accepted what'],
    ['npx seinectl apply -f FILE', 'your own Istio YAML'],
  ];
  return ['Try:', table(undefined, [...withSample, ...always], '  ')];
}

/** Columns, aligned. */
function table(header: readonly string[] | undefined, rows: readonly (readonly string[])[], indent = ''): string {
  const all = header ? [header, ...rows] : rows;
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map(
      (row) =>
        indent +
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('   ')
          .trimEnd(),
    )
    .join('\n');
}
