import { Command, CommanderError, Option } from 'commander';
import { CommandError, ExitCode } from './command-error.js';
import { registerAnalyze } from './commands/analyze.js';
import { registerApply } from './commands/apply.js';
import { registerAuthn } from './commands/authn.js';
import { registerAuthz } from './commands/authz.js';
import { registerCa } from './commands/ca.js';
import { registerCompile } from './commands/compile.js';
import { registerCompletion } from './commands/completion.js';
import { registerDelete } from './commands/delete.js';
import { registerDown } from './commands/down.js';
import { registerExplain } from './commands/explain.js';
import { registerGet } from './commands/get.js';
import { registerGraph } from './commands/graph.js';
import { registerInject } from './commands/inject.js';
import { registerProxyConfig } from './commands/proxy-config.js';
import { registerProxyStatus } from './commands/proxy-status.js';
import { registerStatus } from './commands/status.js';
import { registerTrace } from './commands/trace.js';
import { registerUp } from './commands/up.js';
import { registerVersion } from './commands/version.js';
import { registerWorkloads } from './commands/workloads.js';
import type { Io } from './io.js';
import { paintFor } from './output/colour.js';
import { ownVersion } from './version.js';

/** The whole command tree. What a command needs beyond this tree it imports when it runs, as start-up must stay short. */
export function createProgram(io: Io): Command {
  const program = new Command('seinectl')
    .description('Steers a Seine mesh: its configuration, its proxies, and the mesh on this machine.')
    .version(ownVersion(), '-V, --version', 'print the version')
    .addOption(new Option('--color <when>', 'colour the output').choices(['auto', 'always', 'never']).default('auto'))
    .option('--debug', 'show the stack of an error')
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .showHelpAfterError('(--help tells more)');
  program.commandsGroup('The mesh on this machine:');
  registerUp(program, io);
  registerDown(program, io);
  registerStatus(program, io);
  registerWorkloads(program, io);
  program.commandsGroup('Configuration:');
  registerApply(program, io);
  registerDelete(program, io);
  registerGet(program, io);
  registerCompile(program, io);
  registerAnalyze(program, io);
  registerExplain(program, io);
  registerInject(program, io);
  program.commandsGroup('Proxies:');
  registerProxyStatus(program, io);
  registerProxyConfig(program, io);
  program.commandsGroup('Traffic:');
  registerGraph(program, io);
  registerTrace(program, io);
  program.commandsGroup('Identity:');
  registerCa(program, io);
  registerAuthn(program, io);
  registerAuthz(program, io);
  program.commandsGroup('Other:');
  registerCompletion(program, io);
  registerVersion(program, io);
  program.helpCommand('help [command]', 'what a command does');
  return program;
}

/**
 * Runs one command line (without `node` and the program's name).
 * @returns the exit code; every error is told on stderr, none is thrown
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    await createProgram(io).parseAsync(args, { from: 'user' });
    return ExitCode.ok;
  } catch (error) {
    return report(error, args.includes('--debug'), io);
  }
}

function report(error: unknown, debug: boolean, io: Io): number {
  if (error instanceof CommanderError) {
    // Commander has written what is wrong; it counts help and --version as errors with code 0.
    return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
  }
  const thrown = error instanceof Error ? error : new Error(String(error));
  const said = debug ? (thrown.stack ?? thrown.message) : thrown.message;
  if (thrown.message) io.err(`${paintFor(io, io.errIsTty)('red', 'error:')} ${said}\n`);
  if (debug && thrown.cause instanceof Error) io.err(`caused by ${thrown.cause.stack ?? thrown.cause.message}\n`);
  return error instanceof CommandError ? error.exitCode : ExitCode.problems;
}
