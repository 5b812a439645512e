import type { Level } from '../messages/message-type.js';
import { messageTypes } from '../messages/message-types.js';
import { type AnalysisItem, type AnalysisJson, toAnalysisJson } from './analysis-json.js';

/** The part of SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format") that is written. */
export interface SarifLog {
  readonly $schema: string;
  readonly version: '2.1.0';
  readonly runs: readonly SarifRun[];
}

interface SarifRun {
  readonly tool: {
    readonly driver: { readonly name: string; readonly version: string; readonly rules: readonly SarifRule[] };
  };
  readonly columnKind: 'utf16CodeUnits';
  readonly results: readonly SarifResult[];
}

interface Text {
  readonly text: string;
}

interface SarifRule {
  readonly id: string;
  readonly name?: string;
  readonly shortDescription?: Text;
  readonly help?: Text;
  readonly defaultConfiguration?: { readonly level: SarifLevel };
}

type SarifLevel = 'error' | 'warning' | 'note';

interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: SarifLevel;
  readonly message: Text;
  readonly locations: readonly object[];
}

const levels: Readonly<Record<Level, SarifLevel>> = { error: 'error', warning: 'warning', info: 'note' };

function ruleOf(code: string): SarifRule {
  const known = messageTypes.find((type) => type.code === code);
  if (!known) return { id: code };
  return {
    id: code,
    name: known.name,
    shortDescription: { text: known.description },
    help: { text: `docs/analyze/${code}.md` },
    defaultConfiguration: { level: levels[known.level] },
  };
}

/** A path as a URI reference: absolute ones with a scheme, relative ones relative to where the tool ran. */
function uriOf(file: string): string {
  const encoded = file.replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/');
  return file.startsWith('/') ? `file://${encoded}` : encoded;
}

function locationsOf({ file, line, column, resource, path }: AnalysisJson): readonly object[] {
  const region = line === undefined ? undefined : { startLine: line, startColumn: column };
  const physicalLocation = file === undefined ? undefined : { artifactLocation: { uri: uriOf(file) }, region };
  const name = [resource, path].filter((part) => part !== undefined).join(' ');
  const logicalLocations = name === '' ? undefined : [{ fullyQualifiedName: name, kind: 'resource' }];
  return physicalLocation || logicalLocations ? [{ physicalLocation, logicalLocations }] : [];
}

/**
 * What was found as a SARIF 2.1.0 log, as code hosts and editors read it.
 * @param tool the version of the program that found it
 */
export function toSarif(items: readonly AnalysisItem[], tool: { readonly version: string }): SarifLog {
  const found = items.map(toAnalysisJson);
  const codes = [...new Set(found.map(({ code }) => code))].sort();
  const results = found.map((one) => ({
    ruleId: one.code,
    ruleIndex: codes.indexOf(one.code),
    level: levels[one.level],
    message: { text: one.message },
    locations: locationsOf(one),
  }));
  const driver = { name: 'seinectl', version: tool.version, rules: codes.map(ruleOf) };
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }],
  };
}
