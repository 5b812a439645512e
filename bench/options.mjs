// Command line of `npm run bench`.
import { parseArgs } from 'node:util';

export const usage = `npm run bench -- [csr|agents|rate-limit|check|access-log|sidecar-cost] [options]
  csr               citadel, and a thousand agents that renew their certificates, in place of pilot
  agents            the agent of a node with 1, 50 and 200 workloads, and an Envoy, in place of pilot
  rate-limit        mixer, counting requests in memory, in place of pilot
  check             mixer, asked whether requests may go on, in place of pilot
  access-log        mixer, told of requests by access logs, in place of pilot
  sidecar-cost      what a request through two sidecars costs more with telemetry, checks and limits, in place of pilot
  --scenario LIST   small (100 proxies), medium (500), large (1000); default small,medium,large
  --mode LIST       delta, sotw; default delta
  --reps N          repetitions, each on a fresh pilot; medians are printed; default 1
  --wait-quiet S    before each phase wait up to S seconds for the rest of the machine to be quiet; default 10
  --transport-only  only the transport reference
  -o json           print JSON instead of the tables
  --redis           rate-limit: count in a Redis that is started for it, instead of in memory
  --rate N          sidecar-cost: requests a second through each pair; default 400
  --seconds N       sidecar-cost: how long each run is; default 10
  --only TEXT       sidecar-cost: scenarios whose names have this in them
  --keep DIR        keep the raw JSON lines of the load generator in DIR
  --profile DIR     csr, rate-limit, check, access-log: keep a CPU profile of citadel, mixer in DIR`;

const subjects = ['pilot', 'csr', 'agents', 'rate-limit', 'check', 'access-log', 'sidecar-cost'];
const scenarios = ['small', 'medium', 'large'];
const modes = ['delta', 'sotw'];

function listOf(text, allowed, option) {
  const items = text.split(',');
  const unknown = items.find((item) => !allowed.includes(item));
  if (unknown !== undefined) throw new Error(`--${option} ${unknown}: one of ${allowed.join(', ')}`);
  return items;
}

function count(text, option, least) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) throw new Error(`--${option} ${text}: a whole number from ${least}`);
  return value;
}

/** @throws Error on an option that makes no sense */
export function parseOptions(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      scenario: { type: 'string', default: scenarios.join(',') },
      mode: { type: 'string', default: 'delta' },
      reps: { type: 'string', default: '1' },
      'wait-quiet': { type: 'string', default: '10' },
      'transport-only': { type: 'boolean', default: false },
      output: { type: 'string', short: 'o', default: 'table' },
      rate: { type: 'string', default: '400' },
      seconds: { type: 'string', default: '10' },
      only: { type: 'string', default: '' },
      redis: { type: 'boolean', default: false },
      keep: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [subject = 'pilot', ...more] = positionals;
  if (!subjects.includes(subject) || more.length > 0)
    throw new Error(`${positionals.join(' ')}: nothing, or one of ${subjects.join(', ')}`);
  if (!['table', 'json'].includes(values.output)) throw new Error(`-o ${values.output}: table or json`);
  return {
    subject,
    scenarios: listOf(values.scenario, scenarios, 'scenario'),
    modes: listOf(values.mode, modes, 'mode'),
    reps: count(values.reps, 'reps', 1),
    perSecond: count(values.rate, 'rate', 10),
    seconds: count(values.seconds, 'seconds', 1),
    only: values.only,
    waitQuiet: count(values['wait-quiet'], 'wait-quiet', 0),
    transportOnly: values['transport-only'],
    json: values.output === 'json',
    redis: values.redis,
    keep: values.keep,
    profile: values.profile,
    help: values.help,
  };
}
