import { InvalidArgumentError, Option, type Command } from 'commander';
import { isIP } from 'node:net';
import { usageError } from '../command-error.js';
import type { Io } from '../io.js';
import { askEnvoy } from '../proxy-config/ask-envoy.js';
import type { ImaginedRequest } from '../security/matchers.js';
import type { AuthorizedChain } from '../security/rbac-filters.js';
import { outputOf, outputOption, stateOption } from './shared-options.js';

interface Flags {
  readonly output: 'table' | 'json' | 'yaml';
  readonly state?: string;
  readonly from?: string;
  readonly method?: string;
  readonly path?: string;
  readonly header: readonly string[];
  readonly claim: readonly string[];
  readonly ip?: string;
  readonly port?: number;
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export function registerAuthz(program: Command, io: Io): void {
  program
    .command('authz')
    .summary('who may call a workload')
    .description('Shows what AuthorizationPolicies are in force on a workload.')
    .command('check')
    .summary('the policies in force on a workload, and what they decide of a request')
    .description(
      "Lists the AuthorizationPolicies that a workload's Envoy really has. With --from, --method, --path and the like it tells " +
        'what they decide of such a request, and which rule does. Headers and claims that are not given are not on the request; ' +
        'where a rule looks at something else that is not given, the result is UNKNOWN.',
    )
    .argument('<workload>', 'NAME or NAME.NAMESPACE, as seinectl workloads lists them')
    .option('--from <principal>', 'identity of the caller, as cluster.local/ns/default/sa/web; none = in plain text')
    .option('--method <method>', 'method of the request (default: GET)')
    .option('--path <path>', 'path of the request (default: /)')
    .option('--header <name=value>', 'a header of the request, host too; may be repeated', collect, [])
    .option('--claim <name=value>', 'a claim of its verified token; may be repeated, lists are JSON', collect, [])
    .addOption(new Option('--ip <address>', 'address of the caller').argParser(parseIp))
    .addOption(new Option('--port <number>', 'port of the workload').argParser(parsePort))
    .addOption(outputOption(['table', 'json', 'yaml']))
    .addOption(stateOption())
    .action((workload: string, flags: Flags, command: Command) => check(workload, flags, command, io));
}

async function check(workload: string, flags: Flags, command: Command, io: Io): Promise<void> {
  const { dump } = await askEnvoy(workload, flags.state, io);
  const [{ authorizedChains }, rows, { decide }] = await Promise.all([
    import('../security/rbac-filters.js'),
    import('../security/authz-rows.js'),
    import('../security/decide.js'),
  ]);
  const chains = authorizedChains(dump);
  const policies = rows.policiesInForce(chains);
  const request = requestOf(flags);
  const output = outputOf(command, io);
  const decisions = request
    ? chains.filter((chain) => concerns(chain, request)).map((chain) => ({ chain, ...decide(chain, request) }))
    : [];
  if (flags.output !== 'table') {
    const shown = decisions.map(({ chain, ...decision }) => ({ port: chain.port, match: chain.match, ...decision }));
    await output.data(request ? { policies, decisions: shown } : policies, flags.output);
    return;
  }
  if (policies.length === 0) output.progress(`no AuthorizationPolicy is in force on ${workload}: all is allowed`);
  else output.table(rows.authzHeader, rows.authzRows(policies));
  if (!request) return;
  output.line('');
  if (decisions.length === 0) output.progress('no port of the workload takes such a request');
  else output.table(rows.decisionHeader, rows.decisionRows(decisions));
}

/** A chain that such a request comes in by. */
function concerns({ protocol, port, connections, steps }: AuthorizedChain, request: ImaginedRequest): boolean {
  if (request.port !== undefined && port !== undefined && port !== request.port) return false;
  if (!(request.principal === undefined ? ['plain', 'tls'] : ['mutual', 'tls']).includes(connections)) return false;
  return protocol === 'HTTP' || steps.length > 0;
}

/** Undefined where nothing is asked. */
function requestOf(flags: Flags): ImaginedRequest | undefined {
  const { from, method, path, header, claim, ip, port } = flags;
  const asks = [from, method, path, ip, port].some((flag) => flag !== undefined) || header.length + claim.length > 0;
  if (!asks) return undefined;
  const claims = claim.map((text) => pair(text, '--claim'));
  return {
    principal: from === undefined || from === 'none' ? undefined : `spiffe://${from.replace(/^spiffe:\/\//, '')}`,
    method: (method ?? 'GET').toUpperCase(),
    path: path ?? '/',
    headers: Object.fromEntries(header.map((text) => pair(text, '--header')).map(([k, v]) => [k.toLowerCase(), v])),
    claims: claims.length === 0 ? undefined : Object.fromEntries(claims.map(([k, v]) => [k, claimValue(v)])),
    ip,
    port,
  };
}

function pair(text: string, flag: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw usageError(`${flag} ${text}: should be NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function claimValue(text: string): unknown {
  try {
    return text.startsWith('[') || text.startsWith('{') ? (JSON.parse(text) as unknown) : text;
  } catch {
    return text;
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new InvalidArgumentError('A port is 1 to 65535.');
  return port;
}

function parseIp(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('An IP address is meant.');
  return text;
}
