import type { RunWorkload } from '@seine/api';
import type { Command } from 'commander';
import type { Io } from '../io.js';
import { readRunFile, stateDir } from '../runtime/run-file.js';
import { outputOf, outputOption, stateOption } from './shared-options.js';

interface Flags {
  readonly output: 'table' | 'json' | 'yaml';
  readonly state?: string;
}

const header = ['NAME', 'NAMESPACE', 'SERVICE', 'VERSION', 'SERVICE ACCOUNT', 'ADDRESS', 'ADMIN'];

export function registerWorkloads(program: Command, io: Io): void {
  program
    .command('workloads')
    .summary('the workloads of the mesh on this machine')
    .description('Lists the workloads of the running mesh, each with the address it serves on and its Envoy.')
    .addOption(outputOption(['table', 'json', 'yaml']))
    .addOption(stateOption())
    .action(async (flags: Flags, command: Command) => {
      const output = outputOf(command, io);
      const { workloads } = await readRunFile(stateDir(flags.state, io));
      if (flags.output !== 'table') return output.data(workloads.map(publicFields), flags.output);
      if (workloads.length === 0) {
        output.progress('the mesh runs without workloads');
        return;
      }
      output.table(
        header,
        workloads.map((w) => ({
          cells: [
            w.name,
            w.namespace,
            w.service || '-',
            w.version || '-',
            w.serviceAccount || '-',
            `${w.address}:${w.inboundPort}`,
            `127.0.0.1:${w.adminPort}`,
          ],
        })),
      );
    });
}

/** The fields in their documented order, whatever else the run file holds. */
function publicFields(w: RunWorkload): Omit<RunWorkload, 'proxyId'> {
  const { name, namespace, service, version, serviceAccount, address, inboundPort, adminPort } = w;
  return { name, namespace, service, version, serviceAccount, address, inboundPort, adminPort };
}
