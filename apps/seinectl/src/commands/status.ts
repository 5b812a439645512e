import type { RunFile } from '@seine/api';
import type { Command } from 'commander';
import { answers } from '../client/probe.js';
import { CommandError } from '../command-error.js';
import type { Io } from '../io.js';
import { formatAge } from '../output/format.js';
import { notRunning, readRunFile, stateDir } from '../runtime/run-file.js';
import { outputOf, outputOption, stateOption } from './shared-options.js';

interface Flags {
  readonly output: 'table' | 'json' | 'yaml';
  readonly state?: string;
}

/** Ports that speak gRPC; the others speak HTTP/1.1. */
const grpc: ReadonlySet<string> = new Set(['xds', 'configApi']);
const probeMs = 1000;

export function registerStatus(program: Command, io: Io): void {
  program
    .command('status')
    .summary('what of the mesh answers right now')
    .description('Asks each address of the running mesh. JSON and YAML hold only what answers, as full URLs.')
    .addOption(outputOption(['table', 'json', 'yaml']))
    .addOption(stateOption())
    .action(async (flags: Flags, command: Command) => {
      const run = await readRunFile(stateDir(flags.state, io));
      const probes = await probe(run);
      const live = probes.filter((p) => p.answers);
      if (live.length === 0) throw new CommandError(notRunning);
      const output = outputOf(command, io);
      if (flags.output !== 'table') {
        return output.data(Object.fromEntries(live.map((p) => [p.name, p.url])), flags.output);
      }
      output.line(
        `mesh of process ${run.pid}, up ${formatAge(io.now() - Date.parse(run.startedAt))}, ` +
          `${run.workloads.length} workloads\n`,
      );
      output.table(
        ['NAME', 'URL', 'ANSWERS'],
        probes.map((p) => ({
          cells: [p.name, p.url, p.answers ? { text: 'yes', colour: 'green' } : { text: 'no', colour: 'red' }],
        })),
      );
      if (live.length < probes.length) throw new CommandError('not all of the mesh answers');
    });
}

function probe(run: RunFile): Promise<{ name: string; url: string; answers: boolean }[]> {
  return Promise.all(
    Object.entries(run.urls).map(async ([name, url]) => ({
      name,
      url,
      answers: await answers(url, grpc.has(name), probeMs),
    })),
  );
}
