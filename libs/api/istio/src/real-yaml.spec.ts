import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Diagnostic } from '@seine/diagnostics';
import { formatDiagnostic } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';
import { parseAllDocuments } from 'yaml';
import { validateObject } from './validation/validate-object.js';

const cases = process.env['SEINE_CASES'] ?? resolve(import.meta.dirname, '../../../../../shared/cases');

interface Case {
  readonly file: string;
  readonly verdict: string;
}

/** The families of cases whose objects are of kinds that are validated; template placeholders are no config. */
const families = /^(validation|samples|config|seeds|pilot|security|telemetry|ingress|authz|gatewayapi)\//;

function readIndex(): readonly Case[] {
  const index = join(cases, 'index.tsv');
  return readFileSync(index, 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .map(([file = '', verdict = '']) => ({ file, verdict }))
    .filter(({ file }) => families.test(file) && /\.(yaml|json)$/.test(file) && !file.includes('.tmpl.'));
}

interface Document {
  /** What Istio's own test says of a document that must be refused. */
  readonly reason: string | undefined;
  readonly object: ConfigObject;
}

function readDocuments(file: string): readonly Document[] {
  // Unquoted in a flow list, a word that ends with a colon is the key of a map (YAML 1.2); Go's parser takes it as text.
  const text = readFileSync(join(cases, file), 'utf8').replace('001:db8::]', '"001:db8::"]');
  return parseAllDocuments(text, { merge: true })
    .map((document) => document.toJS() as Record<string, unknown> | null)
    .flatMap((value) => (value?.['kind'] === 'List' ? (value['items'] as Record<string, unknown>[]) : [value]))
    .flatMap((value) => {
      if (!value?.['kind']) return [];
      const { _err, ...object } = value;
      const metadata = { namespace: 'default', ...(object['metadata'] as object) };
      return [{ reason: _err as string | undefined, object: { ...object, metadata } as unknown as ConfigObject }];
    });
}

function errorsOf(object: ConfigObject): readonly Diagnostic[] {
  return validateObject(object).filter(({ severity }) => severity === 'error');
}

const index = readIndex();
const placeholders = /placeholders/;
const accepted = index.filter(({ verdict }) => /^(OK|OUTPUT-IN)\b/.test(verdict) && !placeholders.test(verdict));

describe('YAML that Istio accepts', () => {
  it('is there', () => expect(accepted.length).toBeGreaterThan(150));

  const readable = accepted.filter(({ file }) => !readFileSync(join(cases, file), 'utf8').includes('{{'));
  it.each(readable.map(({ file }) => [file]))('%s', (file) => {
    const errors = readDocuments(file).flatMap(({ object }) => errorsOf(object));
    // A Secret without a certificate in it is an error here when it is applied; Istio logs it when a proxy asks for it.
    expect(errors.filter(({ code }) => code !== 'SEINE-SECRET').map(formatDiagnostic)).toEqual([]);
  });
});

/** The field that a message of the API server begins with, as far as it names one. */
function fieldIn(reason: string): string | undefined {
  return /^([\w.[\]]+)(?=: (?:Required|Invalid) value| in body)/.exec(reason)?.[1];
}

/** Words of Istio's messages whose reason ours tell by other words, or by the path. */
const sameReason: readonly (readonly [RegExp, RegExp])[] = [
  [/^port must be between 1-65535/, /1 (to|and|-) ?65535|between 1-65535/],
  [/^Unsupported value: "BLAH"/, /"BLAH"/],
  // The field came with a later version of the API: an unknown field of a policy is refused, whatever its value.
  [/^Unsupported value: "MANDATORY"/, /presence/],
  [/^type conversion error/, /acd/],
  [/^must be a valid duration/, /duration/],
  [/^url must have scheme/, /url must have scheme/],
];

function isFor(reason: string, diagnostic: Diagnostic): boolean {
  const field = fieldIn(reason);
  if (field !== undefined) return diagnostic.path?.endsWith(field) ?? false;
  const text = formatDiagnostic(diagnostic);
  const known = sameReason.find(([words]) => words.test(reason));
  return known ? known[1].test(text) : text.includes(reason);
}

const refused = index
  .filter(({ file }) => file.startsWith('validation/crds/') && file.endsWith('-invalid.yaml'))
  .flatMap(({ file }) => readDocuments(file).map((document) => ({ file, ...document })));

describe('YAML that Istio refuses', () => {
  it('is there', () => expect(refused.length).toBeGreaterThanOrEqual(50));

  it.each(refused.map(({ file, object, reason }) => [file, object.metadata.name, reason ?? '', object] as const))(
    '%s %s: %s',
    (_, __, reason, object) => {
      const errors = errorsOf(object);
      expect(errors.filter((diagnostic) => isFor(reason, diagnostic))).not.toHaveLength(0);
    },
  );

  it('names the served versions for one that was never served', () => {
    const [document] = readDocuments('seeds/02-virtualservice-ingress.as-printed.yaml');
    const [error] = errorsOf(document!.object);
    expect(error).toMatchObject({ path: 'apiVersion' });
    for (const version of ['v1', 'v1beta1', 'v1alpha3'])
      expect(error?.message).toContain(`networking.istio.io/${version}`);
  });
});
