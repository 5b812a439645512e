import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { CommandError } from '../command-error.js';
import type { Io } from '../io.js';

export interface UpFlags {
  readonly config?: string;
  /** False with --no-sample; the same for the others of this form. */
  readonly sample?: boolean;
  readonly fresh?: boolean;
  readonly state?: string;
  readonly envoy?: string | boolean;
  readonly download?: boolean;
  readonly intercept?: boolean;
}

export function registerUp(program: Command, io: Io): void {
  program
    .command('up')
    .summary('start the mesh on this machine')
    .description(
      'Starts the control plane, the sample application with an Envoy beside each workload, and an ingress gateway on ' +
        'http://127.0.0.1:8080, all as children of this command. Ctrl-C ends them.',
    )
    .option('--config <dir>', 'other YAML than the sample application has')
    .option('--no-sample', 'without the sample application')
    .option('--fresh', 'forget what was applied')
    .option('--state <dir>', 'state directory (default: $SEINE_STATE)')
    .option('--envoy <path>', 'use this Envoy')
    .option('--no-envoy', 'control plane only')
    .option('--no-download', 'never fetch an Envoy')
    .option('--intercept', 'redirect traffic by iptables in network namespaces (Linux, root)')
    .action(async (flags: UpFlags) => {
      const program = fileURLToPath(new URL('../../../all-in-one/dist/main.js', import.meta.url));
      if (!existsSync(program)) throw new CommandError('Seine is not built yet: run npm run build first');
      const { runChild } = await import('../runtime/run-child.js');
      const code = await runChild([program, ...upArguments(flags)], io);
      if (code !== 0) throw new CommandError('', code);
    });
}

/** The flags as all-in-one takes them: the same names. */
export function upArguments(flags: UpFlags): string[] {
  return [
    ...(flags.config === undefined ? [] : ['--config', flags.config]),
    ...(flags.sample === false ? ['--no-sample'] : []),
    ...(flags.fresh ? ['--fresh'] : []),
    ...(flags.state === undefined ? [] : ['--state', flags.state]),
    ...(typeof flags.envoy === 'string' ? ['--envoy', flags.envoy] : []),
    ...(flags.envoy === false ? ['--no-envoy'] : []),
    ...(flags.download === false ? ['--no-download'] : []),
    ...(flags.intercept ? ['--intercept'] : []),
  ];
}
