import type { PeerAuthentication } from '@seine/istio';
import { compareText, type ConfigObject, fieldsOf, itemsOf } from '@seine/k8s';
import type { Command } from 'commander';
import { CommandError } from '../command-error.js';
import type { Io } from '../io.js';
import type { Row } from '../output/table.js';
import { askEnvoy, askEnvoys } from '../proxy-config/ask-envoy.js';
import { configApiTarget, type AddressFlags } from '../runtime/addresses.js';
import type { TlsCheck } from '../security/tls-check.js';
import { configApiOption, outputOf, outputOption, stateOption } from './shared-options.js';

interface Flags extends AddressFlags {
  readonly output: 'table' | 'json' | 'yaml';
}

/** With the object that speaks for the workload that is called. */
interface ExplainedCheck extends TlsCheck {
  /** Workload, `name.namespace`. */
  readonly to: string;
  readonly peerAuthentication: string;
}

const header = ['HOST', 'PORT', 'STATUS', 'CLIENT', 'SERVER', 'DESTINATIONRULE', 'PEERAUTHENTICATION', 'WORKLOAD'];
/** Whose PeerAuthentications are for the mesh. */
const rootNamespace = 'istio-system';

export function registerAuthn(program: Command, io: Io): void {
  program
    .command('authn')
    .summary('how workloads prove to each other who they are')
    .description('Shows how workloads prove to each other who they are.')
    .command('tls-check')
    .summary('whether callers speak TLS as those they call ask for it')
    .description(
      'Compares how the Envoy of a workload calls with how the Envoys of others take calls, for each service and port by which it ' +
        'reaches them, and names the objects that say so. Exits with 1 where they do not agree.',
    )
    .argument('<from>', 'the workload that calls: NAME or NAME.NAMESPACE, as seinectl workloads lists them')
    .argument('[to]', 'only calls to this workload')
    .addOption(outputOption(['table', 'json', 'yaml']))
    .addOption(configApiOption())
    .addOption(stateOption())
    .action((from: string, to: string | undefined, flags: Flags, command: Command) =>
      tlsCheck(from, to, flags, command, io),
    );
}

async function tlsCheck(from: string, to: string | undefined, flags: Flags, command: Command, io: Io): Promise<void> {
  const output = outputOf(command, io);
  const [caller, called, policies] = await Promise.all([
    askEnvoy(from, flags.state, io),
    askEnvoys(to, flags.state, io),
    peerAuthentications(flags, io).catch((error: unknown) => {
      output.warning(`PeerAuthentications are not named: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }),
  ]);
  const [{ checkTls }, { labelsOfProxy, policyBehind }] = await Promise.all([
    import('../security/tls-check.js'),
    import('../security/peer-authentication-behind.js'),
  ]);
  const checks = called.flatMap(({ workload, dump }) => {
    const of = { namespace: workload.namespace, labels: labelsOfProxy(dump) };
    return checkTls(caller.dump, dump, [workload.address]).map((check) => ({
      ...check,
      to: `${workload.name}.${workload.namespace}`,
      peerAuthentication: policyBehind(policies, of, check.targetPort, rootNamespace),
    }));
  });
  if (flags.output !== 'table') await output.data(checks, flags.output);
  else if (checks.length === 0) output.progress(`${from} reaches ${to ?? 'no workload'} by no service`);
  else output.table(header, checks.map(rowOf));
  const conflicts = checks.filter(({ status }) => status === 'CONFLICT').length;
  if (conflicts > 0) throw new CommandError(`${conflicts} of ${checks.length} do not agree: such calls fail`);
}

function rowOf(check: ExplainedCheck): Row {
  const { host, port, status, client, automatic, server, destinationRule, peerAuthentication, to } = check;
  return {
    cells: [
      host,
      String(port),
      { text: status, colour: status === 'OK' ? 'green' : 'red' },
      automatic ? `${client} (auto)` : client,
      server,
      destinationRule || '-',
      peerAuthentication || '-',
      to,
    ],
  };
}

/** All of the mesh, oldest first, with those that old authentication policies act as. */
async function peerAuthentications(flags: Flags, io: Io): Promise<readonly PeerAuthentication[]> {
  const { connectConfigApi } = await import('../client/grpc-calls.js');
  const api = connectConfigApi(await configApiTarget(flags, io));
  try {
    const kinds = [
      ['security.istio.io', 'PeerAuthentication'],
      ['authentication.istio.io', 'Policy'],
      ['authentication.istio.io', 'MeshPolicy'],
    ] as const;
    const lists = await Promise.all(kinds.map(([group, kind]) => api.list({ group, kind, namespace: '' })));
    return lists
      .flat()
      .flatMap(({ object }) => (object.kind === 'PeerAuthentication' ? [object] : actsAs(object)))
      .sort((a, b) =>
        compareText(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''),
      ) as readonly PeerAuthentication[];
  } finally {
    api.close();
  }
}

function actsAs(object: ConfigObject): readonly ConfigObject[] {
  const all = itemsOf(fieldsOf(object['status'])['actsAs']) as unknown as readonly ConfigObject[];
  return all.filter(({ kind }) => kind === 'PeerAuthentication');
}
