import type { Command } from 'commander';
import type { ChangeResult, ObjectId } from '../client/config-api.js';
import { CommandError, usageError } from '../command-error.js';
import { parseSeconds } from '../duration.js';
import type { Io } from '../io.js';
import type { Output } from '../output/output.js';
import { configApiTarget, pilotAdminUrl, type AddressFlags } from '../runtime/addresses.js';
import {
  configApiOption,
  filenameOption,
  namespaceOption,
  outputOf,
  pilotAdminOption,
  stateOption,
  timeoutOption,
} from './shared-options.js';

interface Flags extends AddressFlags {
  readonly filename?: readonly string[];
  readonly namespace: string;
  readonly wait?: boolean;
  readonly timeout: string;
  readonly ignoreNotFound?: boolean;
}

export function registerDelete(program: Command, io: Io): void {
  program
    .command('delete')
    .summary('delete objects that were applied')
    .description(
      'Deletes the applied objects that YAML files or a kind and names say. Where a file of the mesh holds an object of ' +
        'the same name, that one is in force again.',
    )
    .argument('[kind]', 'kind, plural, singular or short name')
    .argument('[names...]', 'names of objects of that kind')
    .addOption(filenameOption())
    .addOption(namespaceOption())
    .option('--wait', 'wait until every proxy has acknowledged the change')
    .addOption(timeoutOption())
    .option('--ignore-not-found', 'an object that is not there is no failure')
    .addOption(configApiOption())
    .addOption(pilotAdminOption())
    .addOption(stateOption())
    .action((kind: string | undefined, names: string[], flags: Flags, command: Command) =>
      remove(kind, names, flags, command, io),
    );
}

async function remove(
  kind: string | undefined,
  names: string[],
  flags: Flags,
  command: Command,
  io: Io,
): Promise<void> {
  const seconds = parseSeconds(flags.timeout, '--timeout');
  const output = outputOf(command, io);
  const targets = await targetsOf(kind, names, flags, output, io);
  const { hasFailed, printChanges } = await import('../output/change-lines.js');
  const { connectConfigApi } = await import('../client/grpc-calls.js');
  const api = connectConfigApi(await configApiTarget(flags, io));
  try {
    const result = withoutMissing(await api.delete(targets), flags.ignoreNotFound ?? false);
    printChanges(result, false, output);
    if (flags.wait) {
      const { waitForProxies } = await import('../wait-for-proxies.js');
      await waitForProxies({ pilotAdmin: await pilotAdminUrl(flags, io), revision: result.revision, seconds }, output);
    }
    if (hasFailed(result)) throw new CommandError('not everything was deleted');
  } finally {
    api.close();
  }
}

function withoutMissing(result: ChangeResult, ignore: boolean): ChangeResult {
  return ignore ? { ...result, changes: result.changes.filter((change) => change.outcome !== 'not_found') } : result;
}

async function targetsOf(
  kind: string | undefined,
  names: string[],
  flags: Flags,
  output: Output,
  io: Io,
): Promise<ObjectId[]> {
  if (flags.filename?.length) {
    if (kind !== undefined) throw usageError('give either -f or KIND NAME, not both');
    const { readManifests, printDiagnostics } = await import('../manifests/read-manifests.js');
    const manifests = await readManifests(flags.filename, io);
    // A file with a broken document must not be half deleted.
    if (printDiagnostics(manifests.diagnostics, manifests, output)) throw new CommandError('nothing was deleted');
    const { objectIdOf } = await import('../client/object-id.js');
    return manifests.objects.map(objectIdOf);
  }
  if (kind === undefined || names.length === 0) {
    throw usageError('what to delete? Give KIND NAME -n NAMESPACE, or -f FILE');
  }
  const { resolveKind } = await import('../kinds/resolve-kind.js');
  const entry = resolveKind(kind);
  return names.map((name) => ({
    group: entry.group,
    kind: entry.kind,
    namespace: entry.namespaced ? flags.namespace : '',
    name,
  }));
}
