import type { ServiceGraph } from '@seine/service-graph';
import type { Command } from 'commander';
import { httpGetJson } from '../client/http-get.js';
import { parseSeconds } from '../duration.js';
import type { Io } from '../io.js';
import { graphHeader, graphRows, worstSentences } from '../output/graph-rows.js';
import { mixerAdminUrl } from '../runtime/addresses.js';
import { mixerAdminOption, outputOf, outputOption, stateOption } from './shared-options.js';

interface Flags {
  readonly output: 'table' | 'json' | 'yaml' | 'dot';
  readonly namespace?: string;
  readonly since: string;
  readonly duration?: string;
  readonly mixerAdmin?: string;
  readonly state?: string;
}

const timeoutMs = 30_000;

export function registerGraph(program: Command, io: Io): void {
  program
    .command('graph')
    .summary('who calls whom: rates, errors, latency; the worst first')
    .description(
      'Shows what mixer has counted of the calls between workloads, the worst first: OWN is the latency that an edge ' +
        'adds by itself, without what its destination waits for in turn. With -o dot for Graphviz.',
    )
    .addOption(outputOption(['table', 'json', 'yaml', 'dot']))
    .option('-n, --namespace <namespace>', 'only edges of which one end is in it')
    .option('--since <duration>', 'how far it reaches back', '5m')
    .option('--duration <duration>', 'how long the time is from there (default: up to now)')
    .addOption(mixerAdminOption())
    .addOption(stateOption())
    .action((flags: Flags, command: Command) => showGraph(flags, command, io));
}

async function showGraph(flags: Flags, command: Command, io: Io): Promise<void> {
  const output = outputOf(command, io);
  const graph = await readGraph(flags, io);
  for (const problem of graph.problems) output.warning(problem);
  switch (flags.output) {
    case 'json':
    case 'yaml':
      await output.data(graph, flags.output);
      return;
    case 'dot': {
      const { graphDot } = await import('../output/graph-dot.js');
      output.text(graphDot(graph));
      return;
    }
    default:
      if (graph.edges.length === 0) {
        output.progress(nothing(flags));
        return;
      }
      output.table(graphHeader, graphRows(graph));
      for (const sentence of worstSentences(graph)) output.line(sentence);
  }
}

async function readGraph({ namespace, since, duration, ...flags }: Flags, io: Io): Promise<ServiceGraph> {
  const url = new URL('/graph', await mixerAdminUrl(flags, io));
  url.searchParams.set('since', `${parseSeconds(since, '--since')}s`);
  if (duration !== undefined) url.searchParams.set('duration', `${parseSeconds(duration, '--duration')}s`);
  if (namespace !== undefined) url.searchParams.set('namespace', namespace);
  return (await httpGetJson(url.href, { timeoutMs, who: "mixer's admin port" })) as ServiceGraph;
}

function nothing({ namespace, since }: Flags): string {
  const where = namespace === undefined ? '' : ` of namespace ${namespace}`;
  return `mixer was told of no calls${where} in the last ${since}: do proxies log to it (Telemetry accessLogging, provider mixer)?`;
}
