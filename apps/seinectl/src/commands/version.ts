import type { Command } from 'commander';
import type { Io } from '../io.js';
import { ownVersion } from '../version.js';
import { outputOf, outputOption } from './shared-options.js';

export function registerVersion(program: Command, io: Io): void {
  program
    .command('version')
    .summary('the version of this program')
    .description('Prints the version of seinectl and of the Node it runs on.')
    .addOption(outputOption(['table', 'json', 'yaml']))
    .action(async (flags: { output: 'table' | 'json' | 'yaml' }, command: Command) => {
      const output = outputOf(command, io);
      const version = { seinectl: ownVersion(), node: process.versions.node };
      if (flags.output !== 'table') return output.data(version, flags.output);
      output.line(`seinectl ${version.seinectl} (Node ${version.node})`);
    });
}
