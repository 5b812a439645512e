import { describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { kindInfo, validateObject } from '@seine/istio';
import type { JsonSchema } from '@seine/k8s';
import { parse } from 'yaml';

/**
 * Every field of the traffic and security kinds is acted on by a feature, or says that it is not: what is listed here is compared with
 * the schemas, so that a field that is new to a schema fails until somebody has decided what becomes of it.
 */

/** What a field's entry is: see the head of field-coverage.yaml. */
type Leaf = string | { readonly unsupported: object } | { readonly refused: object };
type Coverage = Leaf | Messages;
interface Messages {
  readonly [field: string]: Coverage;
}

const coverage = parse(fs.readFileSync(path.join(import.meta.dirname, 'field-coverage.yaml'), 'utf8')) as Readonly<
  Record<string, Messages>
>;

const root = path.resolve(import.meta.dirname, '../../..');

function sourcesIn(folder: string): string {
  const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map((file) => fs.readFileSync(path.join(folder, file), 'utf8'))
    .join('\n');
}

const texts = new Map<string, string>();
function textOf(name: string, read: () => string): string {
  let text = texts.get(name);
  if (text === undefined) texts.set(name, (text = read()));
  return text;
}

/** The code of a feature: its folder, or files (`libs/registry/src/instance.ts`). */
function codeOf(owner: string): string {
  return textOf(owner, () =>
    owner.includes('/')
      ? owner
          .split(', ')
          .map((file) => fs.readFileSync(path.join(root, file), 'utf8'))
          .join('\n')
      : sourcesIn(path.join(root, 'libs/compile/src/features', owner)),
  );
}

function pageOf(feature: string): string {
  return textOf(`page ${feature}`, () => fs.readFileSync(path.join(root, 'docs/features', `${feature}.md`), 'utf8'));
}

function named(field: string, text: string): boolean {
  return new RegExp(`\\b${field}\\b`).test(text);
}

interface Field {
  readonly path: string;
  readonly name: string;
  readonly leaf: Leaf | undefined;
}

function isMessage(entry: Coverage | undefined): entry is Messages {
  return typeof entry === 'object' && !('refused' in entry) && !('unsupported' in entry);
}

/** The message that a schema is, or lists, or maps names to. */
function fieldsOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> | undefined {
  if (schema.items) return fieldsOf(schema.items);
  if (schema.properties) return schema.properties;
  return typeof schema.additionalProperties === 'object' ? fieldsOf(schema.additionalProperties) : undefined;
}

/** Every field of a message with its entry; where one side lacks it, so does the result. */
function walk(schema: JsonSchema, entries: Messages | undefined, at: string): readonly Field[] {
  const properties = fieldsOf(schema) ?? {};
  const unknown = Object.keys(entries ?? {}).filter((name) => !(name in properties));
  if (unknown.length > 0) throw new Error(`${at} has no ${unknown.join(', ')}`);
  return Object.entries(properties).flatMap(([name, field]): readonly Field[] => {
    const entry = entries?.[name];
    const here = `${at}.${name}`;
    if (fieldsOf(field) && (entry === undefined || isMessage(entry))) return walk(field, entry, here);
    return [{ path: here, name, leaf: isMessage(entry) ? undefined : entry }];
  });
}

/** Security kinds that are listed; all others are of networking. */
const security = new Set(['PeerAuthentication']);

function apiVersionOf(kind: string): string {
  return security.has(kind) ? 'security.istio.io/v1' : 'networking.istio.io/v1';
}

function specOf(kind: string): JsonSchema {
  const spec = kindInfo(apiVersionOf(kind), kind)?.schema?.properties?.['spec'];
  if (!spec) throw new Error(`no schema of ${kind}`);
  return spec;
}

describe.each(Object.keys(coverage))('%s', (kind) => {
  const fields = walk(specOf(kind), coverage[kind], kind);

  it('has no field without a decision', () => {
    expect(fields.filter(({ leaf }) => leaf === undefined).map((field) => field.path)).toEqual([]);
  });

  it.each(fields.map((field) => [field.path, field] as const))('%s', (_path, { name, leaf }) => {
    if (typeof leaf === 'string') {
      const [code = '', page = code] = leaf.split(' | ');
      expect(named(name, codeOf(code)) ? code : `${code} does not read ${name}`).toBe(code);
      expect(named(name, pageOf(page)) ? page : `docs/features/${page}.md does not name ${name}`).toBe(page);
    } else if (leaf) {
      const refused = 'refused' in leaf;
      const spec = refused ? leaf.refused : leaf.unsupported;
      const object = {
        apiVersion: apiVersionOf(kind),
        kind,
        metadata: { name: 'one', namespace: 'default' },
        spec,
      };
      const found = validateObject(object).filter(({ severity, code }) =>
        refused ? severity === 'error' : code === 'SEINE-UNSUPPORTED',
      );
      // Without a path it is said of the whole kind.
      expect(found.map((diagnostic) => diagnostic.path ?? '').some((at) => at === '' || named(name, at))).toBe(true);
    }
  });
});
