import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { adapterKinds } from './index.js';
import { adapterReference } from './testing/reference.fixture.js';

const page = path.resolve(import.meta.dirname, '../../../docs/plugins/mixer-adapters.md');
const mark = '<!-- From here on: generated from the definitions of the adapters. -->\n\n';

it('docs/plugins/mixer-adapters.md has the parameters as they are defined (UPDATE_GENERATED=1 rewrites them)', () => {
  const [written = ''] = readFileSync(page, 'utf8').split(mark);
  const expected = `${written}${mark}${adapterReference(adapterKinds)}`;
  if (process.env['UPDATE_GENERATED'] === '1') writeFileSync(page, expected);
  expect(readFileSync(page, 'utf8')).toBe(expected);
});

it('no two adapters have a name in common', () => {
  const names = adapterKinds.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  expect(new Set(names).size).toBe(names.length);
});

it('every parameter says what it is', () => {
  for (const { name, params } of adapterKinds)
    for (const [field, schema] of Object.entries(params.properties ?? {}))
      expect(`${name}.${field}: ${schema.description ?? ''}`).toMatch(/: \S/);
});
