import fs from 'node:fs';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { CommandError } from '../command-error.js';
import type { InjectionFlags, InjectionSource } from '../injection/inject-text.js';
import type { Io } from '../io.js';
import { filenameOption, namespaceOption, outputOf } from './shared-options.js';

interface Flags extends InjectionFlags {
  readonly filename: readonly string[];
  readonly namespace: string;
  readonly meshConfig?: string;
}

export function registerInject(program: Command, io: Io): void {
  program
    .command('inject')
    .summary('put the proxy into the pods of YAML, offline')
    .description(
      'Prints the files with a proxy in each pod that gets one, as the webhook of a cluster would put it there. ' +
        'What has no pods is printed as it is. Injecting what is injected already changes nothing.',
    )
    .addOption(filenameOption().makeOptionMandatory())
    .addOption(namespaceOption())
    .addOption(new Option('--mesh-config <file>', 'MeshConfig (YAML); its defaultConfig holds for all proxies'))
    .addOption(new Option('--proxy-image <image>', 'Envoy').default('docker.io/envoyproxy/envoy:v1.40.0'))
    .addOption(
      new Option('--capture-image <image>', 'has sh and iptables-restore: redirects a pod’s traffic').default(
        'docker.io/seine/capture:latest',
      ),
    )
    .addOption(new Option('--discovery-address <address>', 'pilot, host:port'))
    .addOption(new Option('--revision <name>', 'of the control plane').default('default'))
    .addOption(new Option('--cni', 'a CNI plug-in redirects traffic: no init container does').default(false))
    .addOption(new Option('--no-native-sidecars', 'proxies are containers like others (before Kubernetes 1.29)'))
    .action((flags: Flags, command: Command) => inject(flags, command, io));
}

async function inject(flags: Flags, command: Command, io: Io): Promise<void> {
  const output = outputOf(command, io);
  const { injectText, injectionSettings } = await import('../injection/inject-text.js');
  const settings = injectionSettings(flags, await meshConfigOf(flags.meshConfig, io));
  const sources = await sourcesOf(flags, io);
  const outcomes = sources.map((source) => injectText(source, settings));
  const notes = outcomes.flatMap((outcome) => outcome.notes);
  for (const { severity, message } of notes) output.progress(severity === 'info' ? message : `${severity}: ${message}`);
  const wrong = notes.filter(({ severity }) => severity === 'error').length;
  if (wrong > 0) throw new CommandError(`nothing was printed, as ${wrong} of the objects cannot be injected`);
  io.out(outcomes.map(({ text }) => text).join('---\n'));
}

async function meshConfigOf(file: string | undefined, io: Io) {
  const { defaultMeshConfig, parseMeshConfig } = await import('@seine/model');
  if (file === undefined) return defaultMeshConfig;
  const { config, diagnostics } = parseMeshConfig(readFile(file, io));
  const [wrong] = diagnostics.filter(({ severity }) => severity === 'error');
  if (wrong) throw new CommandError(`${file}: ${wrong.path ?? ''} ${wrong.message}`);
  return config;
}

async function sourcesOf({ filename, namespace }: Flags, io: Io): Promise<readonly InjectionSource[]> {
  const sources: InjectionSource[] = [];
  for (const each of filename) {
    if (each === '-') sources.push({ file: 'stdin', text: await io.readStdin(), namespace });
    else sources.push(...filesAt(each, io).map((file) => ({ file, text: readFile(file, io), namespace })));
  }
  return sources;
}

function filesAt(given: string, io: Io): readonly string[] {
  const stat = fs.statSync(path.resolve(io.cwd, given), { throwIfNoEntry: false });
  if (!stat) throw new CommandError(`there is no file or directory ${given}`);
  if (!stat.isDirectory()) return [given];
  const names = fs.readdirSync(path.resolve(io.cwd, given)).filter((name) => /\.(ya?ml|json)$/.test(name));
  return names.sort().map((name) => path.join(given, name));
}

function readFile(file: string, io: Io): string {
  try {
    return fs.readFileSync(path.resolve(io.cwd, file), 'utf8');
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${(error as Error).message}`, 1, { cause: error });
  }
}
