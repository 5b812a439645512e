import { Option, type Command } from 'commander';
import type { Io } from '../io.js';
import type { ColourWhen } from '../output/colour.js';
import { Output } from '../output/output.js';

/** Options that several commands have, so that they read the same everywhere. */
export type OutputFormat = 'table' | 'wide' | 'json' | 'yaml' | 'name' | 'dot';

export interface OutputFlag<F extends OutputFormat = OutputFormat> {
  readonly output: F;
}

export const outputOption = (formats: readonly OutputFormat[]): Option =>
  new Option('-o, --output <format>', 'how to print').choices(formats).default('table');

export const stateOption = (): Option =>
  new Option('--state <dir>', 'state directory of the mesh on this machine (default: $SEINE_STATE)');

export const configApiOption = (): Option =>
  new Option('--config-api <address>', 'config API, host:port (default: $SEINE_CONFIG_API, else the running mesh)');

export const pilotAdminOption = (): Option =>
  new Option('--pilot-admin <address>', "pilot's admin port (default: $SEINE_PILOT_ADMIN, else the running mesh)");

export const mixerAdminOption = (): Option =>
  new Option('--mixer-admin <address>', "mixer's admin port (default: $SEINE_MIXER_ADMIN, else the running mesh)");

export const timeoutOption = (): Option => new Option('--timeout <duration>', 'how long --wait waits').default('30s');

export const filenameOption = (): Option =>
  new Option('-f, --filename <path...>', 'a YAML file, a directory of them, or - for standard input');

export const namespaceOption = (): Option =>
  new Option('-n, --namespace <namespace>', 'the namespace').default('default');

/** The output of a command, coloured as the global `--color` says. */
export function outputOf(command: Command, io: Io): Output {
  const { color } = command.optsWithGlobals<{ color?: ColourWhen }>();
  return new Output(io, color ?? 'auto');
}
