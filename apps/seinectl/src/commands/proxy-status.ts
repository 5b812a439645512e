import type { Command } from 'commander';
import { readSyncz } from '../client/syncz.js';
import { CommandError } from '../command-error.js';
import { parseSeconds } from '../duration.js';
import type { Io } from '../io.js';
import { fullName, isRefusing, syncHeader, syncRows } from '../output/sync-rows.js';
import { pilotAdminUrl, type AddressFlags } from '../runtime/addresses.js';
import { findWorkload } from '../runtime/find-workload.js';
import { outputOf, outputOption, pilotAdminOption, stateOption, timeoutOption } from './shared-options.js';

interface Flags extends AddressFlags {
  readonly output: 'table' | 'json' | 'yaml';
  readonly wait?: boolean;
  readonly timeout: string;
}

export function registerProxyStatus(program: Command, io: Io): void {
  program
    .command('proxy-status')
    .alias('ps')
    .summary('which proxy has which configuration')
    .description(
      'Shows for each proxy and resource type whether it has acknowledged what pilot sent last. ' +
        'A refused configuration is shown with the words of the Envoy that refused it; then the exit code is 1.',
    )
    .argument('[proxy]', 'only this one: NAME or NAME.NAMESPACE')
    .option('--wait', 'wait until every proxy has acknowledged')
    .addOption(timeoutOption())
    .addOption(outputOption(['table', 'json', 'yaml']))
    .addOption(stateOption())
    .addOption(pilotAdminOption())
    .action((proxy: string | undefined, flags: Flags, command: Command) => proxyStatus(proxy, flags, command, io));
}

async function proxyStatus(wanted: string | undefined, flags: Flags, command: Command, io: Io): Promise<void> {
  const output = outputOf(command, io);
  const waitSeconds = flags.wait ? parseSeconds(flags.timeout, '--timeout') : undefined;
  const pilot = await pilotAdminUrl(flags, io);
  const all = await readSyncz(pilot, { waitSeconds });
  const proxies = wanted === undefined ? all.proxies : [findWorkload(all.proxies, wanted)];
  const syncz = { ...all, proxies };
  if (flags.output !== 'table') await output.data(syncz, flags.output);
  else if (proxies.length === 0) output.progress('no proxy is connected');
  else output.table(syncHeader, syncRows(syncz, new URL(pilot).host, io.now()));

  const refusing = proxies.filter(isRefusing);
  if (refusing.length > 0) throw new CommandError(`${refusing.map(fullName).join(', ')} refused configuration`);
  const late = flags.wait ? proxies.filter((p) => !p.synced) : [];
  if (late.length > 0) {
    throw new CommandError(`not acknowledged after ${flags.timeout} by ${late.map(fullName).join(', ')}`);
  }
}
