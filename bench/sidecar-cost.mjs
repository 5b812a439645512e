// npm run bench -- sidecar-cost: what a request through two sidecars costs more with telemetry, with checks and with limits.
import { documents, SidecarMesh } from './sidecar-mesh.mjs';
import { median } from './median.mjs';

const telemetry = (name, spec) => `apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: ${name}, namespace: istio-system }
spec: ${JSON.stringify(spec)}
`;
const object = (apiVersion, kind, name, spec, namespace) => `apiVersion: ${apiVersion}
kind: ${kind}
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${JSON.stringify(spec)}
`;
const mixerObject = (kind, name, spec) => object('config.istio.io/v1alpha2', kind, name, spec, 'istio-system');
const limit = (spec) =>
  object(
    'policy.seine.dev/v1alpha1',
    'RateLimit',
    'limit',
    { selector: { matchLabels: { app: 'server' } }, ...spec },
    'default',
  );

const noMetrics = {
  metrics: [
    {
      providers: [{ name: 'prometheus' }],
      overrides: [{ match: { metric: 'ALL_METRICS', mode: 'CLIENT_AND_SERVER' }, disabled: true }],
    },
  ],
};
const toMixer = { accessLogging: [{ providers: [{ name: 'mixer' }] }] };
const off = telemetry('mesh', noMetrics);

/** Each against a mesh without telemetry and policy; `per` is what a request must be counted, logged and asked as, or the figures are of something else. */
export const scenarios = [
  { name: 'metrics in the proxies', yaml: telemetry('mesh', {}), per: { counted: 2 } },
  { name: 'access log to mixer', yaml: telemetry('mesh', { ...noMetrics, ...toMixer }), per: { logged: 2 } },
  { name: 'both', yaml: telemetry('mesh', toMixer), per: { counted: 2, logged: 2 } },
  {
    name: 'AuthorizationPolicy',
    yaml: documents(
      off,
      object(
        'security.istio.io/v1',
        'AuthorizationPolicy',
        'client',
        {
          selector: { matchLabels: { app: 'server' } },
          rules: [{ from: [{ source: { principals: ['cluster.local/ns/default/sa/client'] } }] }],
        },
        'default',
      ),
    ),
    per: {},
  },
  {
    name: 'mixer’s rule, decided in the proxy',
    yaml: documents(
      off,
      mixerObject('handler', 'deny', { compiledAdapter: 'denier', params: { status: { code: 7 } } }),
      mixerObject('instance', 'nothing', { compiledTemplate: 'checknothing' }),
      mixerObject('rule', 'deny', {
        match: 'destination.labels["app"] == "server" && request.headers["x-evil"] == "yes"',
        actions: [{ handler: 'deny', instances: ['nothing'] }],
      }),
    ),
    per: {},
  },
  {
    name: 'mixer’s rule, asked of mixer',
    yaml: documents(
      off,
      mixerObject('rule', 'header', {
        match: 'destination.labels["app"] == "server"',
        requestHeaderOperations: [{ name: 'x-source', values: ['source.workload.name | "-"'] }],
      }),
    ),
    per: { asked: 1 },
  },
  {
    name: 'rate limit in the proxy',
    yaml: documents(off, limit({ local: [{ requests: 1_000_000, per: '1s' }] })),
    per: {},
  },
  {
    name: 'rate limit over all proxies',
    yaml: documents(off, limit({ global: [{ requests: 1_000_000_000, per: '24h' }] })),
    per: { asked: 1 },
  },
];

const quantile = (sorted, q) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];

/** Whether what was seen of a request is what the scenario says: a tenth more or less is the load that began before. */
function isWhatItSays({ per }, measured) {
  return ['counted', 'logged', 'asked'].every((what) => Math.abs(measured[what] - (per[what] ?? 0)) < 0.1);
}

/** A scenario is in force when requests are counted, logged and asked as it says. */
async function putInForce(mesh, scenario, load) {
  await mesh.apply(scenario.yaml);
  for (let tries = 0; ; tries++) {
    const measured = await mesh.load({ ...load, seconds: 1 });
    if (measured.failed === 0 && isWhatItSays(scenario, measured)) return;
    if (tries === 10)
      throw new Error(`${scenario.name}: a request is ${JSON.stringify({ ...measured, took: undefined })}`);
  }
}

/**
 * Runs without and with each scenario in turn, the order reversed each time, so that what else the machine does is in both.
 * @returns rows `{name, p50, p99, baseP50, baseP99, addedP50, addedP99, sidecarUs, addedSidecarUs, mixerUs, pairs, requests}`
 */
export async function measureSidecarCost({ reps, perSecond, seconds, only }, progress) {
  const load = { perSecond, seconds, connections: 10 };
  const without = { name: 'without', yaml: off, per: {} };
  const mesh = await SidecarMesh.start();
  try {
    await putInForce(mesh, without, load);
    const chosen = scenarios.filter(({ name }) => name.includes(only));
    const pairs = new Map(chosen.map(({ name }) => [name, []]));
    for (let rep = 0; rep < reps; rep++)
      for (const scenario of chosen) {
        progress(`${scenario.name}, ${rep + 1} of ${reps}`);
        const order = rep % 2 === 0 ? [without, scenario] : [scenario, without];
        const measured = new Map();
        for (const one of order) {
          await putInForce(mesh, one, load);
          measured.set(one, await mesh.load(load));
        }
        pairs.get(scenario.name).push({ base: measured.get(without), its: measured.get(scenario) });
      }
    return [...pairs].map(([name, measured]) => row(name, measured));
  } finally {
    await mesh.stop();
  }
}

function row(name, pairs) {
  const all = (side) => pairs.flatMap((pair) => pair[side].took).sort((a, b) => a - b);
  const [its, base] = [all('its'), all('base')];
  const added = (q) => median(pairs.map((pair) => quantile(pair.its.took, q) - quantile(pair.base.took, q)));
  return {
    name,
    pairs: pairs.length,
    requests: its.length,
    failed: pairs.reduce((sum, pair) => sum + pair.its.failed, 0),
    baseP50: quantile(base, 0.5),
    baseP99: quantile(base, 0.99),
    p50: quantile(its, 0.5),
    p99: quantile(its, 0.99),
    addedP50: added(0.5),
    addedP99: added(0.99),
    sidecarUs: median(pairs.map((pair) => pair.base.sidecarUs)),
    addedSidecarUs: median(pairs.map((pair) => pair.its.sidecarUs - pair.base.sidecarUs)),
    mixerUs: median(pairs.map((pair) => pair.its.mixerUs - pair.base.mixerUs)),
  };
}
