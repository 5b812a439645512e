import type { Command } from 'commander';
import { CommandError } from '../command-error.js';
import type { Io } from '../io.js';
import { type AddressFlags, configApiTarget } from '../runtime/addresses.js';
import { configApiOption, filenameOption, outputOf, outputOption, stateOption } from './shared-options.js';

interface Flags extends AddressFlags {
  readonly output: 'table' | 'json' | 'yaml';
  readonly filename?: readonly string[];
}

export function registerExplain(program: Command, io: Io): void {
  program
    .command('explain')
    .summary('what becomes of configuration')
    .description('Tells what becomes of configuration, and why.')
    .command('policy')
    .summary('which policy is decided where, and why')
    .description(
      "Lists mixer's rules, RateLimits, AuthorizationPolicies and RequestAuthentications with the place where they are decided: " +
        'in the proxy, in a service that it asks, such as mixer, in both, or nowhere, as they are never about the workload. ' +
        'Of the running mesh, or with -f of files as if they were the whole mesh.',
    )
    .argument('[workload]', 'NAME or NAME.NAMESPACE; all workloads without')
    .addOption(filenameOption())
    .addOption(outputOption(['table', 'json', 'yaml']))
    .addOption(configApiOption())
    .addOption(stateOption())
    .action((workload: string | undefined, flags: Flags, command: Command) => explain(workload, flags, command, io));
}

async function explain(workload: string | undefined, flags: Flags, command: Command, io: Io): Promise<void> {
  const { readLiveMesh } = await import('../analysis/analyze-source.js');
  const output = outputOf(command, io);
  let objects;
  if (flags.filename) {
    const { readManifests, printDiagnostics } = await import('../manifests/read-manifests.js');
    const manifests = await readManifests(flags.filename, io);
    if (printDiagnostics(manifests.diagnostics, manifests, output)) throw new CommandError('the YAML is wrong');
    objects = manifests.objects;
  } else objects = (await readLiveMesh(await configApiTarget(flags, io), io)).objects;
  const { explainPolicies } = await import('@seine/pipeline');
  const { defaultMeshConfig } = await import('@seine/model');
  const { explanations, workloads } = explainPolicies({ objects, workload, config: defaultMeshConfig });
  if (!explanations) {
    const known = workloads.length > 0 ? `there are ${workloads.join(', ')}` : 'there are none at all';
    throw new CommandError(`there is no workload ${workload ?? ''}; ${known}`);
  }
  if (flags.output !== 'table') return output.data(explanations, flags.output);
  if (explanations.length === 0) {
    output.progress('there is no policy');
    return;
  }
  const { policyHeader, policyRows } = await import('../output/policy-rows.js');
  output.table(policyHeader, policyRows(explanations));
}
