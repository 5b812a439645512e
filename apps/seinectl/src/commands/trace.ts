import type { Command } from 'commander';
import { httpGetJson } from '../client/http-get.js';
import { CommandError, usageError } from '../command-error.js';
import type { Io } from '../io.js';
import { slowestSentence, traceHeader, traceRows, traceSentence } from '../output/trace-rows.js';
import { mixerAdminUrl } from '../runtime/addresses.js';
import { slowestSpan, type TraceNode, traceTree, type TraceTree, type ZipkinSpan } from '../telemetry/trace-tree.js';
import { mixerAdminOption, outputOf, outputOption, stateOption } from './shared-options.js';

interface Flags {
  readonly output: 'table' | 'json' | 'yaml';
  readonly service?: string;
  readonly zipkin?: string;
  readonly mixerAdmin?: string;
  readonly state?: string;
}

const timeoutMs = 30_000;
/** Servers need not give the newest first: of so many it is found. */
const candidates = 50;

export function registerTrace(program: Command, io: Io): void {
  program
    .command('trace')
    .summary("a request's way through the mesh, and where it took its time")
    .description(
      'Shows the spans of a trace as a tree. SELF is the time that no span below accounts for. ' +
        'Proxies send spans within seconds, so the trace of a request that has just been made may still grow.',
    )
    .argument('[trace]', 'the ID of a trace, or `last`', 'last')
    .option('--service <name>', 'the last trace that this service has a span in, as reviews.default')
    .option('--zipkin <url>', 'ask this Zipkin, or what speaks like it, in place of mixer')
    .addOption(outputOption(['table', 'json', 'yaml']))
    .addOption(mixerAdminOption())
    .addOption(stateOption())
    .action(async (trace: string, flags: Flags, command: Command) => {
      const output = outputOf(command, io);
      const tree = traceTree(await readSpans(trace, flags, io));
      if (flags.output !== 'table') {
        await output.data({ ...tree, slowest: slowestIn(tree) }, flags.output);
        return;
      }
      output.line(traceSentence(tree));
      output.table(traceHeader, traceRows(tree));
      output.line(slowestSentence(tree));
    });
}

/** Null where there is none. */
function slowestIn(tree: TraceTree): Pick<TraceNode, 'service' | 'name' | 'kind' | 'duration' | 'self'> | null {
  const slowest = slowestSpan(tree).at(-1);
  if (!slowest) return null;
  const { service, name, kind, duration, self } = slowest;
  return { service, name, kind, duration, self };
}

/** @throws CommandError where there is no such trace */
async function readSpans(trace: string, flags: Flags, io: Io): Promise<readonly ZipkinSpan[]> {
  const { service, zipkin } = flags;
  const base = zipkin === undefined ? await mixerAdminUrl(flags, io) : zipkinBase(zipkin);
  const who = zipkin === undefined ? "mixer's admin port" : 'Zipkin';
  const get = (path: string): Promise<unknown> => httpGetJson(`${base}/api/v2/${path}`, { timeoutMs, who });
  if (trace !== 'last') {
    if (service !== undefined) throw usageError('give the ID of a trace, or --service, not both');
    if (!/^[0-9a-f]{1,32}$/i.test(trace)) throw usageError(`${trace} is not the ID of a trace: hex digits, or last`);
    return spansIn(await get(`trace/${trace}`), `no trace ${trace}`);
  }
  const query = new URLSearchParams({
    limit: String(candidates),
    ...(service !== undefined && { serviceName: service }),
  });
  const traces = (await get(`traces?${query.toString()}`)) as readonly (readonly ZipkinSpan[])[];
  const newest = [...traces].sort((a, b) => beginOf(b) - beginOf(a))[0];
  const none = `no trace${service === undefined ? '' : ` with a span of ${service}`} is there: are requests traced (Telemetry tracing, randomSamplingPercentage)?`;
  return spansIn(newest ?? [], none);
}

function spansIn(answer: unknown, none: string): readonly ZipkinSpan[] {
  if (!Array.isArray(answer) || answer.length === 0) throw new CommandError(none);
  return answer as readonly ZipkinSpan[];
}

function beginOf(spans: readonly ZipkinSpan[]): number {
  return spans.reduce((least, { timestamp = Infinity }) => Math.min(least, timestamp), Infinity);
}

function zipkinBase(text: string): string {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`);
  if (!url) throw usageError(`--zipkin: ${text} is not a URL, as http://localhost:9411`);
  return url.href.replace(/\/$/, '');
}
