// npm run bench -- sidecar-cost: what a request through two sidecars costs more with telemetry, with checks and with limits.
import { median } from './median.mjs';
import { documents, pairs, SidecarMesh } from './sidecar-mesh.mjs';

const object = (apiVersion, kind, name, namespace, spec) => `apiVersion: ${apiVersion}
kind: ${kind}
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${JSON.stringify(spec)}
`;
const telemetry = (name, namespace, spec) => object('telemetry.istio.io/v1', 'Telemetry', name, namespace, spec);
const mixerObject = (kind, name, spec) => object('config.istio.io/v1alpha2', kind, name, 'istio-system', spec);

const selector = (pair, more = {}) => ({ selector: { matchLabels: { pair, ...more } } });
const metrics = (disabled) => [
  {
    providers: [{ name: 'prometheus' }],
    overrides: [{ match: { metric: 'ALL_METRICS', mode: 'CLIENT_AND_SERVER' }, disabled }],
  },
];
const off = telemetry('mesh', 'istio-system', { metrics: metrics(true) });
const ofPair = (pair, spec) => telemetry('pair', 'default', { ...selector(pair), ...spec });
const toMixer = { accessLogging: [{ providers: [{ name: 'mixer' }] }] };
const limit = (pair, spec) =>
  object('policy.seine.dev/v1alpha1', 'RateLimit', 'limit', 'default', {
    ...selector(pair, { side: 'server' }),
    ...spec,
  });
const atServer = (pair) => `destination.labels["pair"] == "${pair}" && destination.labels["side"] == "server"`;

/** What is put into force for one pair; `per` is what a request of it must be counted, logged and asked as, or the figures are of something else. */
export const scenarios = [
  { name: 'nothing', yaml: () => '', per: {} },
  { name: 'metrics in the proxies', yaml: (pair) => ofPair(pair, { metrics: metrics(false) }), per: { counted: 2 } },
  { name: 'access log to mixer', yaml: (pair) => ofPair(pair, toMixer), per: { logged: 2 } },
  {
    name: 'both',
    yaml: (pair) => ofPair(pair, { metrics: metrics(false), ...toMixer }),
    per: { counted: 2, logged: 2 },
  },
  {
    name: 'AuthorizationPolicy',
    yaml: (pair) =>
      object('security.istio.io/v1', 'AuthorizationPolicy', 'client', 'default', {
        ...selector(pair, { side: 'server' }),
        rules: [{ from: [{ source: { principals: [`cluster.local/ns/default/sa/client-${pair}`] } }] }],
      }),
    per: {},
  },
  {
    name: 'mixer’s rule, decided in the proxy',
    yaml: (pair) =>
      documents(
        mixerObject('handler', 'deny', { compiledAdapter: 'denier', params: { status: { code: 7 } } }),
        mixerObject('instance', 'nothing', { compiledTemplate: 'checknothing' }),
        mixerObject('rule', 'deny', {
          match: `${atServer(pair)} && request.headers["x-evil"] == "yes"`,
          actions: [{ handler: 'deny', instances: ['nothing'] }],
        }),
      ),
    per: {},
  },
  {
    name: 'mixer’s rule, asked of mixer',
    yaml: (pair) =>
      mixerObject('rule', 'header', {
        match: atServer(pair),
        requestHeaderOperations: [{ name: 'x-source', values: ['source.workload.name | "-"'] }],
      }),
    per: { asked: 1 },
  },
  {
    name: 'rate limit in the proxy',
    yaml: (pair) => limit(pair, { local: [{ requests: 1_000_000, per: '1s' }] }),
    per: {},
  },
  {
    name: 'rate limit over all proxies',
    yaml: (pair) => limit(pair, { global: [{ requests: 1_000_000_000, per: '24h' }] }),
    per: { asked: 1 },
  },
];

const quantile = (sorted, q) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
const otherThan = (pair) => pairs.find((other) => other !== pair);

/** Whether what was seen of a request is what the scenario says; a connection of before may still end. */
function isWhatItSays({ per }, measured, pair) {
  const { logged, asked } = measured.mixer;
  const seen = { counted: measured[pair].counted, logged, asked };
  const isRight = Object.entries(seen).every(([what, times]) => Math.abs(times - (per[what] ?? 0)) < 0.1);
  return isRight && measured[otherThan(pair)].counted === 0 && pairs.every((one) => measured[one].failed === 0);
}

/** A scenario is in force when requests are counted, logged and asked as it says. */
async function putInForce(mesh, scenario, pair, load) {
  await mesh.apply(documents(off, ...[scenario.yaml(pair)].filter((yaml) => yaml !== '')));
  for (let tries = 0; ; tries++) {
    const measured = await mesh.load({ ...load, seconds: 1 });
    if (isWhatItSays(scenario, measured, pair)) return;
    if (tries === 10) throw new Error(`${scenario.name}: a request is ${shown(measured)}`);
  }
}

const shown = (measured) => JSON.stringify(measured, (key, value) => (key === 'took' ? undefined : value));

/**
 * Two pairs of sidecars get the same load at the same time, one with a scenario and one without, and then the other way round: what
 * else the machine does hits both alike.
 * @returns rows `{name, baseP50, baseP99, addedP50, addedP99, sidecarUs, addedSidecarUs, mixerUs, requests, failed}`, times in ms
 */
export async function measureSidecarCost({ reps, perSecond, seconds, only }, progress) {
  const load = { perSecond, seconds, connections: 10 };
  const chosen = scenarios.filter(({ name }) => name.includes(only));
  const runs = new Map(chosen.map(({ name }) => [name, []]));
  const mesh = await SidecarMesh.start();
  try {
    for (let rep = 0; rep < reps; rep++)
      for (const scenario of chosen)
        for (const pair of pairs) {
          progress(`${scenario.name}, pair ${pair}, ${rep + 1} of ${reps}`);
          await putInForce(mesh, scenario, pair, load);
          const measured = await mesh.load(load);
          runs.get(scenario.name).push({
            its: measured[pair],
            base: measured[otherThan(pair)],
            mixer: measured.mixer,
          });
        }
  } finally {
    await mesh.stop();
  }
  return [...runs].map(([name, measured]) => row(name, measured));
}

function row(name, runs) {
  const over = (side, q) => median(runs.map((one) => quantile(one[side].took, q)));
  // The mean of both ways round, so that what one pair is faster by is in neither.
  const added = (of) => {
    const differences = runs.map((one) => of(one.its) - of(one.base));
    const rounds = differences.filter((_, i) => i % 2 === 0).map((one, i) => (one + differences[2 * i + 1]) / 2);
    return median(rounds);
  };
  return {
    name,
    requests: runs.reduce((sum, { its }) => sum + its.took.length, 0),
    failed: runs.reduce((sum, { its }) => sum + its.failed, 0),
    baseP50: over('base', 0.5),
    baseP99: over('base', 0.99),
    addedP50: added(({ took }) => quantile(took, 0.5)),
    addedP99: added(({ took }) => quantile(took, 0.99)),
    sidecarUs: median(runs.map(({ base }) => base.sidecarUs)),
    addedSidecarUs: added(({ sidecarUs }) => sidecarUs),
    mixerUs: median(runs.map(({ mixer }) => mixer.us)),
  };
}
