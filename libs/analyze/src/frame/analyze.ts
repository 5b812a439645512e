import type { ConfigObject } from '@seine/k8s';
import { messageType, type MessageName } from '../messages/message-types.js';
import { fillIn } from '../messages/message-type.js';
import { analyzers } from './analyzers.js';
import { Catalogue } from './catalogue.js';
import type { Analyzer, AnalyzeInput, AnalyzeOptions, Finding, Report } from './finding.js';
import { isSuppressed, readSuppressions, suppressesItself } from './suppressions.js';

/** Where the page of a code is, from the root of the repository. */
export function documentationUrl(code: string): string {
  return `docs/analyze/${code}.md`;
}

/** `Kind/namespace/name`, or `Kind/name`. */
export function resourceName({ kind, metadata: { namespace, name } }: ConfigObject): string {
  return namespace ? `${kind}/${namespace}/${name}` : `${kind}/${name}`;
}

class Findings {
  readonly #found = new Map<string, Finding>();
  readonly #suppressions;

  constructor(private readonly input: AnalyzeInput) {
    this.#suppressions = readSuppressions(input.options?.suppress ?? []);
  }

  readonly report: Report = (name, object, parameters, path) => {
    const { code, level, template } = messageType(name);
    const { kind, metadata } = object;
    const wanted = this.input.options?.namespace;
    if (wanted !== undefined && metadata.namespace !== '' && metadata.namespace !== wanted) return;
    const ref = { kind, namespace: metadata.namespace || undefined, name: metadata.name };
    if (suppressesItself(code, object) || isSuppressed(code, ref, this.#suppressions)) return;
    const message = fillIn(template, parameters);
    const resource = resourceName(object);
    const key = `${code}\n${resource}\n${path ?? ''}\n${message}`;
    // Several checks may come upon the same thing: it is told once.
    if (this.#found.has(key)) return;
    const at = this.input.locate?.(object, path);
    this.#found.set(key, {
      code,
      name,
      level,
      message,
      resource,
      object: ref,
      file: at?.file,
      line: at?.line,
      column: at?.column,
      path,
      documentationUrl: documentationUrl(code),
    });
  };

  sorted(): readonly Finding[] {
    return [...this.#found.values()].sort(compareFindings);
  }
}

function compareFindings(a: Finding, b: Finding): number {
  return (
    compare(a.file ?? '', b.file ?? '') ||
    (a.line ?? 0) - (b.line ?? 0) ||
    (a.column ?? 0) - (b.column ?? 0) ||
    compare(a.resource, b.resource) ||
    compare(a.code, b.code) ||
    compare(a.path ?? '', b.path ?? '') ||
    compare(a.message, b.message)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function chosen({ only, schemaOnly }: AnalyzeOptions): readonly Analyzer[] {
  const named = only ? analyzers.filter(({ name }) => only.includes(name)) : analyzers;
  return schemaOnly ? named.filter(({ scope }) => scope === 'object') : named;
}

/**
 * Finds what is wrong with config beyond its schema, as `istioctl analyze` does and under the same codes: references to
 * what is not there, objects that are in each other's way, settings that have no effect. Ordered by file and line; no
 * finding twice. Objects are read leniently: what has the wrong type counts as absent, so that nothing makes it throw.
 */
export function analyze(input: AnalyzeInput): readonly Finding[] {
  const catalogue = new Catalogue(input);
  const findings = new Findings(input);
  for (const analyzer of chosen(input.options ?? {})) analyzer.analyze(catalogue, findings.report);
  return findings.sorted();
}

export type { MessageName };
