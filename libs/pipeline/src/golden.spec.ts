import { describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileGolden } from './testing/golden-case.js';

const features = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../compile/src/features');
const update = process.env['UPDATE_GOLDEN'] === '1';

const folders = fs
  .readdirSync(features, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

function casesOf(feature: string): readonly string[] {
  const testdata = path.join(features, feature, 'testdata');
  return fs.existsSync(testdata) ? fs.readdirSync(testdata).map((name) => path.join(testdata, name)) : [];
}

const cases = folders.flatMap((feature) =>
  casesOf(feature).map((folder) => [feature, path.basename(folder), folder] as const),
);

// A case is in.yaml and out.yaml; UPDATE_GOLDEN=1 writes the latter anew: read the diff.
describe('goldens', () => {
  it.each(folders)('%s has one', (feature) => {
    expect(casesOf(feature)).not.toEqual([]);
  });

  it.each(cases)('%s: %s', (_feature, _name, folder) => {
    const [input, golden] = ['in.yaml', 'out.yaml'].map((name) => path.join(folder, name)) as [string, string];
    const { text, violations } = compileGolden(fs.readFileSync(input, 'utf8'), input);
    if (update) fs.writeFileSync(golden, text);
    expect(violations).toEqual([]);
    expect(fs.existsSync(golden) ? fs.readFileSync(golden, 'utf8') : 'no out.yaml: UPDATE_GOLDEN=1 writes it').toBe(
      text,
    );
    expect(fs.readdirSync(folder).sort()).toEqual(['in.yaml', 'out.yaml']);
  });
});
