import { type Command, Option } from 'commander';
import type { AuthorityReport, DenialReport, RotateRequest } from '@seine/api';
import { CitadelAdmin, type CitadelFlags } from '../client/citadel-admin.js';
import { CommandError, usageError } from '../command-error.js';
import { parseSeconds } from '../duration.js';
import type { Io } from '../io.js';
import {
  deniedHeader,
  deniedRows,
  issuedHeader,
  issuedRows,
  rootHeader,
  rootRows,
  rotationSentence,
} from '../output/authority-rows.js';
import type { Output } from '../output/output.js';
import type { Row } from '../output/table.js';
import { configApiTarget } from '../runtime/addresses.js';
import { configApiOption, outputOf, outputOption, stateOption, timeoutOption } from './shared-options.js';

interface Flags extends CitadelFlags {
  readonly output: 'table' | 'json' | 'yaml';
}

const pauseMs = 500;

function withCitadel(command: Command): Command {
  return command
    .addOption(outputOption(['table', 'json', 'yaml']))
    .addOption(stateOption())
    .addOption(
      new Option(
        '--citadel-admin <address>',
        "citadel's admin port (default: $SEINE_CITADEL_ADMIN, else the running mesh)",
      ),
    )
    .addOption(
      new Option(
        '--citadel-token <file>',
        "citadel's admin.token (default: $SEINE_CITADEL_TOKEN_FILE, else of the running mesh)",
      ),
    );
}

export function registerCa(program: Command, io: Io): void {
  const ca = program
    .command('ca')
    .summary('the certificate authority: roots, certificates, revocations, join tokens')
    .description('Shows and changes what citadel, the certificate authority of the mesh, trusts and signs.');
  registerRoot(ca, io);
  registerRotate(ca, io);
  registerList(ca, io);
  registerRevoke(ca, io);
  registerToken(ca, io);
}

function registerRoot(ca: Command, io: Io): void {
  withCitadel(ca.command('root'))
    .summary('the roots that are trusted, and how far a rotation is')
    .option('--pem', 'print the roots in PEM')
    .action(async (flags: Flags & { readonly pem?: boolean }, command: Command) => {
      const output = outputOf(command, io);
      const admin = await CitadelAdmin.open(flags, io);
      if (flags.pem) output.text(await admin.roots());
      else await showAuthority(await admin.authority(), flags, output);
    });
}

interface RotateFlags extends Flags {
  readonly step?: RotateRequest['step'];
  readonly force?: boolean;
  readonly wait?: boolean;
  readonly timeout: string;
}

function registerRotate(ca: Command, io: Io): void {
  withCitadel(ca.command('rotate'))
    .summary('replace the root without a dropped request')
    .description(
      'Makes a new root and has it trusted everywhere; when it has spread, certificates are signed with it; when the last ' +
        'one of the old root has ended, the old root goes. All of that happens by itself. With --step each step is taken ' +
        'by hand, and refused before its time unless it is forced.',
    )
    .addOption(new Option('--step <step>', 'only this step').choices(['prepare', 'activate', 'retire', 'cancel']))
    .option('--force', 'take the step though its time has not come: requests may fail')
    .option('--wait', 'wait until the new root signs')
    .addOption(timeoutOption())
    .action((flags: RotateFlags, command: Command) => rotate(flags, command, io));
}

async function rotate(
  { step, force = false, wait, timeout, ...flags }: RotateFlags,
  command: Command,
  io: Io,
): Promise<void> {
  if (force && (step === undefined || step === 'prepare' || step === 'cancel'))
    throw usageError('--force goes with --step activate and --step retire');
  if (wait && step !== undefined && step !== 'prepare') throw usageError('--wait goes with a rotation that begins');
  const patience = parseSeconds(timeout, '--timeout');
  const output = outputOf(command, io);
  const admin = await CitadelAdmin.open(flags, io);
  let report = await admin.rotate({ step: step ?? 'start', force });
  if (wait) {
    const deadline = io.now() + patience * 1000;
    while (report.phase === 'prepared' && (report.automatic || report.waitingFor !== undefined)) {
      if (io.now() > deadline)
        throw new CommandError(`not after ${timeout}: ${report.waitingFor ?? 'not signing yet'}`);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      report = await admin.authority();
    }
  }
  await showAuthority(report, flags, output);
}

async function showAuthority(report: AuthorityReport, { output: format }: Pick<Flags, 'output'>, output: Output) {
  await show(report, format, output, rootHeader, rootRows(report));
  const sentence = rotationSentence(report);
  if (sentence) output.progress(sentence);
}

async function show(
  data: unknown,
  format: Flags['output'],
  output: Output,
  header: readonly string[],
  rows: readonly Row[],
): Promise<void> {
  if (format === 'table') output.table(header, rows);
  else await output.data(data, format);
}

function registerList(ca: Command, io: Io): void {
  withCitadel(ca.command('list'))
    .summary('certificates that were issued and are in force, the newest first')
    .option('--identity <id>', 'only of this SPIFFE ID')
    .option('--all', 'those that have ended, too')
    .action(async (flags: Flags & { readonly identity?: string; readonly all?: boolean }, command: Command) => {
      const issued = await (await CitadelAdmin.open(flags, io)).certificates(flags.identity, flags.all ?? false);
      const output = outputOf(command, io);
      if (issued.length === 0 && flags.output === 'table') output.progress('no certificate is in force');
      else await show(issued, flags.output, output, issuedHeader, issuedRows(issued));
    });
}

interface RevokeFlags extends Flags {
  readonly reason: string;
  readonly undo?: boolean;
}

function registerRevoke(ca: Command, io: Io): void {
  withCitadel(ca.command('revoke'))
    .summary('give an identity no certificates any more, and have proxies refuse it')
    .argument('[identity]', 'spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT; none: show who is revoked')
    .option('--reason <text>', 'why, for whoever asks later', '')
    .option('--undo', 'believe the identity again')
    .addOption(configApiOption())
    .action(async (identity: string | undefined, flags: RevokeFlags, command: Command) => {
      if (identity === undefined && flags.undo) throw usageError('whom to believe again? Give its SPIFFE ID');
      const admin = await CitadelAdmin.open(flags, io);
      const denied =
        identity === undefined
          ? await admin.denied()
          : flags.undo
            ? await admin.allow(identity)
            : await admin.deny(identity, flags.reason);
      const output = outputOf(command, io);
      if (identity !== undefined) await tellProxies(denied, flags, io, output);
      if (denied.length === 0 && flags.output === 'table') output.progress('nobody is revoked');
      else await show(denied, flags.output, output, deniedHeader, deniedRows(denied));
    });
}

/** Certificates that somebody has already are refused by proxies, which know nothing of citadel. */
async function tellProxies(denied: readonly DenialReport[], flags: RevokeFlags, io: Io, output: Output): Promise<void> {
  const { connectConfigApi } = await import('../client/grpc-calls.js');
  const { enforceDenials } = await import('../client/revocation-policy.js');
  try {
    const api = connectConfigApi(await configApiTarget(flags, io));
    try {
      await enforceDenials(api, denied);
    } finally {
      api.close();
    }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    output.warning(`citadel signs no more, but proxies were not told: ${error.message}`);
  }
}

function registerToken(ca: Command, io: Io): void {
  withCitadel(ca.command('token'))
    .summary('make a token by which a machine joins the mesh, once')
    .argument('<account>', 'whose it is: NAMESPACE/ACCOUNT')
    .option('--ttl <duration>', 'how long it may be used', '1h')
    .action(async (account: string, flags: Flags & { readonly ttl: string }, command: Command) => {
      const [namespace = '', serviceAccount = '', ...more] = account.split('/');
      if (!namespace || !serviceAccount || more.length > 0) throw usageError(`${account} is not NAMESPACE/ACCOUNT`);
      const ttl = Math.ceil(parseSeconds(flags.ttl, '--ttl'));
      const made = await (await CitadelAdmin.open(flags, io)).joinToken({ namespace, serviceAccount, ttl });
      const output = outputOf(command, io);
      if (flags.output !== 'table') {
        await output.data(made, flags.output);
        return;
      }
      // Alone on standard output, and without a newline: so it can be written to a token file.
      output.text(made.token);
      output.progress(`${io.outIsTty ? '\n' : ''}proves ${made.spiffeId} once, until ${made.expiresAt}`);
    });
}
