import type { KindInfo } from '@seine/k8s';
import type { Command } from 'commander';
import type { ConfigApi, StoredObject } from '../client/config-api.js';
import { CommandError } from '../command-error.js';
import type { Io } from '../io.js';
import type { Output } from '../output/output.js';
import { configApiTarget, type AddressFlags } from '../runtime/addresses.js';
import {
  configApiOption,
  namespaceOption,
  outputOf,
  outputOption,
  stateOption,
  type OutputFormat,
} from './shared-options.js';

interface Flags extends AddressFlags {
  readonly namespace: string;
  readonly allNamespaces?: boolean;
  readonly output: OutputFormat;
  readonly showSecrets?: boolean;
}

export function registerGet(program: Command, io: Io): void {
  program
    .command('get')
    .summary('show the objects in force')
    .description(
      'Shows objects of one kind as they are in force now, wherever they come from; -o wide tells where. ' +
        'Several kinds are separated by commas.',
    )
    .argument('<kind>', 'kind, plural, singular or short name: virtualservice, vs, dr, gw, se, …')
    .argument('[name]', 'only this object')
    .addOption(namespaceOption())
    .option('-A, --all-namespaces', 'of all namespaces')
    .addOption(outputOption(['table', 'wide', 'json', 'yaml', 'name']))
    .option('--show-secrets', 'with -o json or yaml: the values of Secrets too')
    .addOption(configApiOption())
    .addOption(stateOption())
    .action((kind: string, name: string | undefined, flags: Flags, command: Command) =>
      get(kind, name, flags, command, io),
    );
}

interface Found {
  readonly entry: KindInfo;
  readonly objects: readonly StoredObject[];
}

async function get(words: string, name: string | undefined, flags: Flags, command: Command, io: Io): Promise<void> {
  const { resolveKind } = await import('../kinds/resolve-kind.js');
  const entries = words.split(',').map((word) => resolveKind(word));
  const { connectConfigApi } = await import('../client/grpc-calls.js');
  const api = connectConfigApi(await configApiTarget(flags, io));
  let found: Found[];
  try {
    found = await Promise.all(entries.map((entry) => find(api, entry, name, flags)));
  } finally {
    api.close();
  }
  const output = outputOf(command, io);
  if (name !== undefined && found.every((each) => each.objects.length === 0)) {
    const where = flags.allNamespaces ? 'any namespace' : `namespace ${flags.namespace}`;
    throw new CommandError(`there is no ${entries.map((e) => e.kind).join(' or ')} ${name} in ${where}`);
  }
  await print(found, name !== undefined && entries.length === 1, flags, output, io);
}

async function find(api: ConfigApi, entry: KindInfo, name: string | undefined, flags: Flags): Promise<Found> {
  const { group, kind } = entry;
  const namespace = flags.allNamespaces || !entry.namespaced ? '' : flags.namespace;
  if (name !== undefined && !flags.allNamespaces) {
    const object = await api.get({ group, kind, namespace, name });
    return { entry, objects: object ? [object] : [] };
  }
  const objects = await api.list({ group, kind, namespace });
  return { entry, objects: objects.filter(({ object }) => name === undefined || object.metadata.name === name) };
}

async function print(found: readonly Found[], single: boolean, flags: Flags, output: Output, io: Io): Promise<void> {
  const { objectName, objectTable, withoutSecretValues } = await import('../output/object-rows.js');
  const all = found
    .flatMap((each) => each.objects.map(({ object }) => object))
    .map((object) => (flags.showSecrets ? object : withoutSecretValues(object)));
  if (flags.output === 'json' || flags.output === 'yaml') {
    const only = single && !flags.allNamespaces ? all[0] : undefined;
    return output.data(only ?? { apiVersion: 'v1', kind: 'List', items: all }, flags.output);
  }
  if (flags.output === 'name') {
    const { objectIdOf } = await import('../client/object-id.js');
    for (const { group, kind, name } of all.map(objectIdOf)) output.line(objectName(kind, group, name));
    return;
  }
  const shown = found.filter((each) => each.objects.length > 0);
  if (shown.length === 0) {
    output.progress(flags.allNamespaces ? 'there are none' : `there are none in namespace ${flags.namespace}`);
  }
  shown.forEach(({ entry, objects }, i) => {
    if (i > 0) output.line('');
    const { header, rows } = objectTable(objects, {
      columns: entry.printerColumns ?? [],
      withNamespace: flags.allNamespaces ?? false,
      wide: flags.output === 'wide',
      now: io.now(),
    });
    output.table(header, rows);
  });
}
