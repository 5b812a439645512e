import { InvalidArgumentError, type Command } from 'commander';
import type { Io } from '../io.js';
import type { Output } from '../output/output.js';
import { clusterHeader, clusterRows, selectClusters } from '../proxy-config/cluster-rows.js';
import { clustersOf, listenersOf, refusalsOf, routeConfigurationsOf, sectionOf } from '../proxy-config/config-dump.js';
import { endpointHeader, endpointRows, selectEndpoints } from '../proxy-config/endpoint-rows.js';
import type { Filters } from '../proxy-config/filters.js';
import { listenerHeader, listenerRows, selectListeners } from '../proxy-config/listener-rows.js';
import { askEnvoy, type EnvoyAnswer } from '../proxy-config/ask-envoy.js';
import { routeHeader, routeRows, selectRoutes } from '../proxy-config/route-rows.js';
import { secretHeader, secretRows, secretsOf } from '../proxy-config/secret-rows.js';
import { outputOf, outputOption, stateOption } from './shared-options.js';

interface Flags extends Filters {
  readonly output: 'table' | 'json' | 'yaml';
  readonly state?: string;
}

interface Part {
  readonly names: readonly [string, ...string[]];
  readonly summary: string;
  readonly filters: readonly (keyof Filters)[];
  readonly data: (answer: EnvoyAnswer, filters: Filters) => unknown;
  readonly print: (answer: EnvoyAnswer, filters: Filters, output: Output) => void;
}

const parts: readonly Part[] = [
  {
    names: ['clusters', 'cluster', 'c'],
    summary: 'where calls can go',
    filters: ['name', 'fqdn', 'port', 'subset', 'direction'],
    data: (a, filters) => selectClusters(clustersOf(a.dump), filters),
    print: (a, f, output) => output.table(clusterHeader, clusterRows(selectClusters(clustersOf(a.dump), f))),
  },
  {
    names: ['listeners', 'listener', 'l'],
    summary: 'where the proxy accepts connections',
    filters: ['name', 'port', 'direction'],
    data: (a, filters) => selectListeners(listenersOf(a.dump), filters),
    print: (a, f, output) => output.table(listenerHeader, listenerRows(selectListeners(listenersOf(a.dump), f))),
  },
  {
    names: ['routes', 'route', 'r'],
    summary: 'which request goes to which cluster',
    filters: ['name', 'fqdn', 'port'],
    data: (a, filters) => selectRoutes(routeConfigurationsOf(a.dump), filters),
    print: (a, f, output) => output.table(routeHeader, routeRows(selectRoutes(routeConfigurationsOf(a.dump), f))),
  },
  {
    names: ['endpoints', 'endpoint', 'ep'],
    summary: 'the addresses behind each cluster and their health',
    filters: ['name', 'fqdn', 'port', 'subset', 'direction'],
    data: (a, filters) => selectEndpoints(a.clusters.cluster_statuses ?? [], filters),
    print: (a, f, output) =>
      output.table(endpointHeader, endpointRows(selectEndpoints(a.clusters.cluster_statuses ?? [], f))),
  },
  {
    names: ['secrets', 'secret', 's'],
    summary: 'the certificates that the proxy has, and those it trusts; never a key',
    filters: ['name'],
    data: (a, filters) => secretsOf(a.dump, filters, a.now),
    print: (a, f, output) => output.table(secretHeader, secretRows(secretsOf(a.dump, f, a.now))),
  },
];

const filterFlags: Readonly<Record<keyof Filters, readonly [string, string]>> = {
  name: ['--name <name>', 'only the resource of exactly this name'],
  fqdn: ['--fqdn <host>', 'only hosts that contain this'],
  port: ['--port <number>', 'only this port'],
  subset: ['--subset <name>', 'only this subset'],
  direction: ['--direction <direction>', 'inbound or outbound'],
};

export function registerProxyConfig(program: Command, io: Io): void {
  const group = program
    .command('proxy-config')
    .alias('pc')
    .summary('what the Envoy of a workload really has')
    .description("Reads the configuration of a workload's Envoy from its admin port.");
  for (const part of parts) {
    const [name, ...aliases] = part.names;
    const command = workloadCommand(group, name, part.summary).aliases(aliases);
    for (const filter of part.filters) {
      const [flag, description] = filterFlags[filter];
      if (filter === 'port') command.option(flag, description, parsePort);
      else command.option(flag, description);
    }
    command.action(async (workload: string, flags: Flags, self: Command) => {
      const answer = await askEnvoy(workload, flags.state, io);
      await show(part, answer, flags, outputOf(self, io));
    });
  }
  registerBootstrap(group, io);
  registerAll(group, io);
}

function registerBootstrap(group: Command, io: Io): void {
  workloadCommand(group, 'bootstrap', 'what the Envoy was started with', ['json', 'yaml'])
    .alias('b')
    .action(async (workload: string, flags: Flags, self: Command) => {
      const { dump } = await askEnvoy(workload, flags.state, io);
      const { bootstrap = {} } = sectionOf(dump, 'BootstrapConfigDump');
      await outputOf(self, io).data({ bootstrap }, flags.output === 'yaml' ? 'yaml' : 'json');
    });
}

function registerAll(group: Command, io: Io): void {
  workloadCommand(group, 'all', 'clusters, listeners, routes, endpoints and secrets').action(
    async (workload: string, flags: Flags, self: Command) => {
      const answer = await askEnvoy(workload, flags.state, io);
      const output = outputOf(self, io);
      if (flags.output !== 'table') {
        const entries = parts.map((part) => [part.names[0], part.data(answer, {})] as const);
        await output.data(Object.fromEntries(entries), flags.output);
      } else {
        parts.forEach((part, i) => {
          output.text(`${i === 0 ? '' : '\n'}${output.paint('bold', part.names[0].toUpperCase())}\n`);
          part.print(answer, {}, output);
        });
      }
      warnOfRefusals(answer, output);
    },
  );
}

function workloadCommand(
  group: Command,
  name: string,
  summary: string,
  formats: readonly Flags['output'][] = ['table', 'json', 'yaml'],
): Command {
  const format = outputOption(formats).default(formats[0]);
  return group
    .command(name)
    .description(`Shows ${summary}.`)
    .summary(summary)
    .argument('<workload>', 'NAME or NAME.NAMESPACE, as seinectl workloads lists them')
    .addOption(format)
    .addOption(stateOption());
}

async function show(part: Part, answer: EnvoyAnswer, flags: Flags, output: Output): Promise<void> {
  if (flags.output === 'table') part.print(answer, flags, output);
  else await output.data(part.data(answer, flags), flags.output);
  warnOfRefusals(answer, output);
}

function warnOfRefusals(answer: EnvoyAnswer, output: Output): void {
  for (const refusal of refusalsOf(answer.dump)) output.warning(refusal);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new InvalidArgumentError('A port is 0 to 65535.');
  return port;
}
