// npm run bench: the built pilot under simulated sidecars, beside the recorded figures of istiod and of the transport.
// Everything runs on loopback and ends with this process.
import fs from 'node:fs';
import path from 'node:path';
import { measureAccessLog } from './access-log.mjs';
import { measureAgents } from './agents.mjs';
import { judge, scaleOf } from './aims.mjs';
import { measureCheck } from './check.mjs';
import { measureCsr } from './csr.mjs';
import { buildLoadGenerator } from './load-generator.mjs';
import { parseOptions, usage } from './options.mjs';
import { measurePilot } from './pilot.mjs';
import { measureRateLimit } from './rate-limit.mjs';
import { measureSidecarCost } from './sidecar-cost.mjs';
import {
  agentsTable,
  aimsTable,
  csrTable,
  decisionsTable,
  entriesTable,
  pilotTable,
  transportTable,
  sidecarCostTable,
} from './table.mjs';
import { measureTransport } from './transport.mjs';

const recorded = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'recorded.json'), 'utf8'));
const progress = (text) => process.stderr.write(`• ${text}\n`);

async function measureAll(options) {
  const xdsload = await buildLoadGenerator();
  const pilot = [];
  for (const scenario of options.transportOnly ? [] : options.scenarios)
    for (const mode of options.modes) pilot.push(await measurePilot(xdsload, scenario, mode, options, progress));
  const transport = await measureTransport(xdsload, options, progress);
  const aims = pilot.flatMap((measured) => judge(measured, transport, recorded));
  return { pilot, transport, scale: scaleOf(transport, recorded), aims };
}

function print({ pilot, transport, scale, aims }) {
  for (const measured of pilot) console.log(`\n${pilotTable(measured, recorded)}`);
  console.log(`\n${transportTable(transport, recorded)}`);
  if (aims.length > 0) console.log(`\n${aimsTable(aims, scale)}`);
  for (const { scenario, mode, noiseCpu } of pilot)
    if (noiseCpu > 3)
      console.log(
        `\n${scenario} ${mode}: other processes took ${noiseCpu.toFixed(1)} CPU-s meanwhile; repeat it on a quiet machine`,
      );
  console.log(`\nistiod and recorded: ${recorded.source}`);
}

async function benchCsr(options) {
  const rows = await measureCsr(options, progress);
  if (options.json) console.log(JSON.stringify({ csr: rows }, null, 2));
  else console.log(`\n${csrTable(rows)}`);
}

async function benchAgents(options) {
  const measured = await measureAgents(progress);
  if (options.json) console.log(JSON.stringify(measured, null, 2));
  else console.log(`\n${agentsTable(measured)}`);
}

async function benchRateLimit(options) {
  const rows = await measureRateLimit(options, progress);
  if (options.json) console.log(JSON.stringify({ rateLimit: rows }, null, 2));
  else console.log(`\n${decisionsTable(rows)}`);
}

async function benchCheck(options) {
  const rows = await measureCheck(options, progress);
  if (options.json) console.log(JSON.stringify({ check: rows }, null, 2));
  else console.log(`\n${decisionsTable(rows)}`);
}

async function benchAccessLog(options) {
  const rows = await measureAccessLog(options, progress);
  if (options.json) console.log(JSON.stringify({ accessLog: rows }, null, 2));
  else console.log(`\n${entriesTable(rows)}`);
}

async function benchSidecarCost(options) {
  const rows = await measureSidecarCost(options, progress);
  if (options.json) console.log(JSON.stringify({ sidecarCost: rows }, null, 2));
  else console.log(`\n${sidecarCostTable(rows, options)}`);
}

async function benchPilot(options) {
  const result = await measureAll(options);
  if (options.json) console.log(JSON.stringify({ ...result, recorded }, null, 2));
  else print(result);
  const lost = result.pilot.reduce((sum, measured) => sum + measured.missed + measured.incomplete, 0);
  if (lost > 0) throw new Error(`${lost} changes or configurations never arrived`);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  else if (options.subject === 'csr') await benchCsr(options);
  else if (options.subject === 'agents') await benchAgents(options);
  else if (options.subject === 'rate-limit') await benchRateLimit(options);
  else if (options.subject === 'check') await benchCheck(options);
  else if (options.subject === 'access-log') await benchAccessLog(options);
  else if (options.subject === 'sidecar-cost') await benchSidecarCost(options);
  else await benchPilot(options);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
