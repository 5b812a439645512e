import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { istioKinds } from '../kinds/istio-kinds.js';
import { seineKinds } from '../kinds/seine-kinds.js';
import { customResourceDefinition } from './custom-resource-definition.js';
import { generatedFiles } from './generated-files.js';

const root = resolve(import.meta.dirname, '../../../../..');
const files = generatedFiles();
const folders = [...new Set([...files.keys()].map((file) => dirname(file)))];

if (process.env['UPDATE_GENERATED'] === '1') {
  for (const folder of folders) {
    mkdirSync(join(root, folder), { recursive: true });
    for (const name of readdirSync(join(root, folder)))
      if (!files.has(`${folder}/${name}`)) rmSync(join(root, folder, name));
  }
  for (const [file, content] of files) writeFileSync(join(root, file), content);
}

describe('what is generated from the definitions of kinds', () => {
  it.each([...files])(
    '%s is committed as the definitions give it (UPDATE_GENERATED=1 rewrites it)',
    (file, content) => {
      expect(readFileSync(join(root, file), 'utf8')).toBe(content);
    },
  );

  it.each(folders)('%s holds nothing else', (folder) => {
    expect(
      readdirSync(join(root, folder))
        .map((name) => `${folder}/${name}`)
        .sort(),
    ).toEqual([...files.keys()].filter((file) => dirname(file) === folder).sort());
  });
});

type Node = Readonly<Record<string, unknown>>;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** All schemas inside a schema, with where they stand. */
function schemasIn(schema: Node, path = 'spec'): readonly (readonly [string, Node])[] {
  const { properties, items, additionalProperties } = schema;
  const below = [
    ...(isNode(properties)
      ? Object.entries(properties).map(([name, field]) => [`${path}.${name}`, field] as const)
      : []),
    [`${path}[]`, items] as const,
    [`${path}.*`, additionalProperties] as const,
  ];
  return [[path, schema], ...below.flatMap(([at, child]) => (isNode(child) ? schemasIn(child, at) : []))];
}

describe.each([...istioKinds, ...seineKinds].map((info) => [info.kind, info] as const))(
  'the CustomResourceDefinition of %s',
  (_, info) => {
    const crd = customResourceDefinition(info) as { readonly spec: { readonly versions: readonly Node[] } };
    const spec = (version: Node) =>
      (version['schema'] as { openAPIV3Schema: { properties: { spec: Node } } }).openAPIV3Schema.properties.spec;
    const all = crd.spec.versions.flatMap((version) => schemasIn(spec(version)));

    it('survives being written as YAML', () => {
      const text = files.get(`deploy/crds/${info.plural}.${info.group}.yaml`) ?? '';
      expect(parse(text)).toEqual(JSON.parse(JSON.stringify(crd)));
    });

    it('has one stored version', () => {
      expect(crd.spec.versions.filter((version) => version['storage'])).toHaveLength(1);
    });

    it('is structural: every schema has a type, and no object has both fields and free keys', () => {
      const wrong = all.filter(([, s]) => s['type'] === undefined || (s['properties'] && s['additionalProperties']));
      expect(wrong.map(([path]) => path)).toEqual([]);
    });

    it('describes every field', () => {
      const silent = all.filter(([path, s]) => !/(\[\]|\.\*)$/.test(path) && !s['description']);
      expect(silent.map(([path]) => path)).toEqual([]);
    });

    it('has no keywords that an API server does not know', () => {
      const known =
        /^(x-kubernetes-.+|type|description|format|enum|pattern|nullable|required|properties|items|additionalProperties|(min|max)(imum|Length|Items|Properties)|oneOf|allOf)$/;
      const unknown = all.flatMap(([path, s]) =>
        Object.keys(s)
          .filter((key) => !known.test(key))
          .map((key) => `${path}: ${key}`),
      );
      expect(unknown).toEqual([]);
    });
  },
);
