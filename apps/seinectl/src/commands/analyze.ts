import type { AnalysisItem, Level } from '@seine/analyze';
import type { Diagnostic } from '@seine/diagnostics';
import { Option, type Command } from 'commander';
import type { AnalyzeSource } from '../analysis/analyze-source.js';
import { CommandError, usageError } from '../command-error.js';
import type { Io } from '../io.js';
import type { Output } from '../output/output.js';
import { configApiTarget, type AddressFlags } from '../runtime/addresses.js';
import { configApiOption, outputOf, stateOption } from './shared-options.js';

type Format = 'text' | 'table' | 'json' | 'yaml' | 'sarif';

interface Flags extends AddressFlags {
  readonly output: Format;
  readonly schemaOnly?: boolean;
  readonly namespace?: string;
  readonly suppress: readonly string[];
  readonly analyzer: readonly string[];
  readonly meshConfig?: string;
  readonly meshNetworks?: string;
  readonly outputThreshold: Level;
  readonly failureThreshold: Level;
  readonly listAnalyzers?: boolean;
}

/** Where people read on. */
const pages = 'docs/analyze has a page for each code';
/** What could not even be read is told whatever else is asked for. */
const unreadable: ReadonlySet<string> = new Set(['SEINE-YAML', 'SEINE-FILE', 'SEINE-OBJECT']);
const levels = ['info', 'warning', 'error'] as const;
const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value];
const none: readonly string[] = [];
const threshold = (flags: string, what: string): Option => new Option(`${flags} <level>`, what).choices(levels);

export function registerAnalyze(program: Command, io: Io): void {
  program
    .command('analyze')
    .summary('find what is wrong in YAML, or in the running mesh')
    .description(
      'Tells what is wrong with YAML by itself, and what its objects refer to and do to each other, under the codes of ' +
        'istioctl analyze. Without a path it looks at all that is in force in the running mesh. ' +
        'The exit code is 1 when there is an error.',
    )
    .argument('[path...]', 'YAML files, directories of them, or - for standard input')
    .addOption(
      new Option('-o, --output <format>', 'how to print')
        .choices(['text', 'table', 'json', 'yaml', 'sarif'])
        .default('text'),
    )
    .option('--schema-only', 'only what an object shows by itself, nothing about what it refers to')
    .option('-n, --namespace <namespace>', 'only about objects of this namespace')
    .option('-S, --suppress <code>', 'not this code; CODE=Kind name.namespace, with *, for some objects', collect, none)
    .option('--analyzer <name>', 'only this analyzer; several times for several', collect, none)
    .option('--mesh-config <file>', "the mesh's MeshConfig in YAML")
    .option('--mesh-networks <file>', "the mesh's MeshNetworks in YAML")
    .addOption(threshold('--output-threshold', 'the least that is told').default('info'))
    .addOption(threshold('--failure-threshold', 'the least that makes the exit code 1').default('error'))
    .option('-L, --list-analyzers', 'only list the analyzers')
    .addOption(configApiOption())
    .addOption(stateOption())
    .action((paths: readonly string[], flags: Flags, command: Command) => analyzePaths(paths, flags, command, io));
}

async function analyzePaths(paths: readonly string[], flags: Flags, command: Command, io: Io): Promise<void> {
  const output = outputOf(command, io);
  if (flags.listAnalyzers) {
    const { analyzers } = await import('@seine/analyze');
    output.table(
      ['NAME', 'WHAT IT FINDS'],
      analyzers.map(({ name, description }) => ({ cells: [name, description] })),
    );
    return;
  }
  const { readLiveMesh, readSource } = await import('../analysis/analyze-source.js');
  const source =
    paths.length > 0 ? await readSource(paths, io) : await readLiveMesh(await configApiTarget(flags, io), io);
  if (source.objects.length === 0 && source.diagnostics.length === 0)
    throw new CommandError(`there is no object in ${paths.join(', ') || 'the mesh'}`);
  const items = await findItems(source, flags, io);
  const told = items.filter((item) => isAtLeast(item, flags.outputThreshold));
  await print(told, source, flags.output, output);
  const failing = items.filter((item) => isAtLeast(item, flags.failureThreshold)).length;
  if (failing > 0)
    throw new CommandError(`${count(failing, flags.failureThreshold)}, ${objects(source)} analyzed; ${pages}`);
  if (told.length === 0) output.progress(`no issues found, ${objects(source)} analyzed`);
}

async function findItems(source: AnalyzeSource, flags: Flags, io: Io): Promise<readonly AnalysisItem[]> {
  const { analyze, analyzers, isSuppressed, readSuppressions } = await import('@seine/analyze');
  const { readSettings } = await import('../analysis/analyze-source.js');
  const { mergeItems } = await import('../analysis/merge-items.js');
  const unknown = flags.analyzer.find((name) => analyzers.every((analyzer) => analyzer.name !== name));
  if (unknown !== undefined) throw usageError(`there is no analyzer ${unknown}; -L lists them`);
  const { namespace, schemaOnly, suppress } = flags;
  const findings = analyze({
    objects: source.objects,
    locate: source.locate,
    meshConfig: await readSettings(flags.meshConfig, io),
    meshNetworks: await readSettings(flags.meshNetworks, io),
    options: {
      namespace,
      schemaOnly,
      suppress,
      only: flags.analyzer.length > 0 ? flags.analyzer : undefined,
      assumeIngressGateway: !source.complete,
      now: io.now(),
    },
  });
  const suppressions = readSuppressions(suppress);
  const isAskedFor = ({ code, object }: Diagnostic) =>
    (flags.analyzer.length === 0 || unreadable.has(code)) &&
    !isSuppressed(code, object, suppressions) &&
    (namespace === undefined || object?.namespace === undefined || object.namespace === namespace);
  const { mixerProblems } = await import('../analysis/mixer-problems.js');
  const ofMixer = schemaOnly ? [] : await mixerProblems(source);
  return mergeItems([...source.diagnostics, ...ofMixer].filter(isAskedFor), findings);
}

async function print(
  items: readonly AnalysisItem[],
  source: AnalyzeSource,
  format: Format,
  output: Output,
): Promise<void> {
  const { toAnalysisJson, toDiagnostic, toSarif } = await import('@seine/analyze');
  if (format === 'json' || format === 'yaml') return output.data(items.map(toAnalysisJson), format);
  if (format === 'sarif') {
    const { ownVersion } = await import('../version.js');
    return output.data(toSarif(items, { version: ownVersion() }), 'json');
  }
  if (format === 'table') {
    const { analysisRows } = await import('../analysis/analysis-rows.js');
    if (items.length > 0) output.table(...analysisRows(items.map(toAnalysisJson)));
    return;
  }
  const { renderDiagnostic } = await import('../output/excerpt.js');
  const texts = new Map<string, string | undefined>();
  for (const item of items) {
    const diagnostic = 'level' in item ? toDiagnostic(item) : item;
    const file = diagnostic.position?.file;
    if (file !== undefined && !texts.has(file)) texts.set(file, source.textOf(file));
    output.text(renderDiagnostic(diagnostic, file === undefined ? undefined : texts.get(file), output.paint));
  }
}

function isAtLeast(item: AnalysisItem, level: Level): boolean {
  return levels.indexOf('level' in item ? item.level : item.severity) >= levels.indexOf(level);
}

function count(many: number, least: Level): string {
  const what = least === 'error' ? 'error' : least === 'warning' ? 'warning or error' : 'issue';
  if (many === 1) return `1 ${what} found`;
  return `${many} ${least === 'warning' ? 'warnings and errors' : `${what}s`} found`;
}

function objects(source: AnalyzeSource): string {
  return source.objects.length === 1 ? '1 object' : `${source.objects.length} objects`;
}
