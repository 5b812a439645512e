import type { Command } from 'commander';
import { CommandError, usageError } from '../command-error.js';
import { parseSeconds } from '../duration.js';
import type { Io } from '../io.js';
import { configApiTarget, pilotAdminUrl, type AddressFlags } from '../runtime/addresses.js';
import {
  configApiOption,
  filenameOption,
  outputOf,
  pilotAdminOption,
  stateOption,
  timeoutOption,
} from './shared-options.js';

interface Flags extends AddressFlags {
  readonly filename?: readonly string[];
  readonly wait?: boolean;
  readonly timeout: string;
  readonly dryRun?: boolean;
}

export function registerApply(program: Command, io: Io): void {
  program
    .command('apply')
    .summary('create or change objects from YAML')
    .description(
      'Applies the objects of YAML files. A document that is wrong is reported with its file, line and column; ' +
        'the others are applied all the same, and the exit code is 1.',
    )
    .addOption(filenameOption())
    .option('--wait', 'wait until every proxy has acknowledged the change')
    .addOption(timeoutOption())
    .option('--dry-run', 'only say what would happen')
    .addOption(configApiOption())
    .addOption(pilotAdminOption())
    .addOption(stateOption())
    .action((flags: Flags, command: Command) => apply(flags, command, io));
}

async function apply(flags: Flags, command: Command, io: Io): Promise<void> {
  if (!flags.filename?.length) throw usageError('what to apply? Give -f FILE, -f DIR or -f - for standard input');
  const seconds = parseSeconds(flags.timeout, '--timeout');
  const { readManifests, printDiagnostics } = await import('../manifests/read-manifests.js');
  const { hasFailed, printChanges } = await import('../output/change-lines.js');
  const output = outputOf(command, io);
  const manifests = await readManifests(flags.filename, io);
  const wrong = printDiagnostics(manifests.diagnostics, manifests, output);
  if (manifests.objects.length === 0) {
    throw new CommandError(wrong ? 'nothing was applied' : `there is no object in ${flags.filename.join(', ')}`);
  }
  const { connectConfigApi } = await import('../client/grpc-calls.js');
  const api = connectConfigApi(await configApiTarget(flags, io));
  try {
    const result = await api.apply(manifests.objects, flags.dryRun ?? false);
    printChanges(result, flags.dryRun ?? false, output);
    const refused = printDiagnostics(result.diagnostics, manifests, output);
    if (flags.wait && !flags.dryRun) {
      const { waitForProxies } = await import('../wait-for-proxies.js');
      await waitForProxies({ pilotAdmin: await pilotAdminUrl(flags, io), revision: result.revision, seconds }, output);
    }
    if (wrong || refused || hasFailed(result)) throw new CommandError('not everything was applied');
  } finally {
    api.close();
  }
}
