import type { Command } from 'commander';
import { CommandError } from '../command-error.js';
import type { Io } from '../io.js';
import { filenameOption, outputOf, outputOption } from './shared-options.js';

interface Flags {
  readonly filename: readonly string[];
  readonly proxy: string;
  readonly output: 'json' | 'yaml';
}

export function registerCompile(program: Command, io: Io): void {
  program
    .command('compile')
    .summary('what an Envoy would get from YAML, offline')
    .description(
      'Prints what the Envoy beside a workload would get if the files were the whole mesh: an object of listeners, ' +
        'routes, clusters and endpoints. Nothing has to run.',
    )
    .addOption(filenameOption().makeOptionMandatory())
    .requiredOption('--proxy <workload>', 'NAME or NAME.NAMESPACE')
    .addOption(outputOption(['json', 'yaml']).default('json'))
    .action((flags: Flags, command: Command) => compile(flags, command, io));
}

async function compile(flags: Flags, command: Command, io: Io): Promise<void> {
  const { readManifests, printDiagnostics } = await import('../manifests/read-manifests.js');
  const output = outputOf(command, io);
  const manifests = await readManifests(flags.filename, io);
  const unreadable = printDiagnostics(manifests.diagnostics, manifests, output);
  const { compileProxy } = await import('@seine/pipeline');
  const { defaultMeshConfig } = await import('@seine/model');
  const { resources, diagnostics, workloads } = compileProxy({
    objects: manifests.objects,
    workload: flags.proxy,
    config: defaultMeshConfig,
  });
  const wrong = printDiagnostics(diagnostics, manifests, output);
  if (unreadable || wrong) throw new CommandError('nothing was compiled, as the YAML is wrong');
  if (!resources) {
    const known = workloads.length > 0 ? `there are ${workloads.join(', ')}` : 'there are none at all';
    throw new CommandError(`there is no workload ${flags.proxy} in ${flags.filename.join(', ')}; ${known}`);
  }
  const { listeners, routes, clusters, endpoints } = resources;
  await output.data({ listeners, routes, clusters, endpoints }, flags.output);
}
