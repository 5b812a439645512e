import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../..');

const checks = [
  ...Array.from({ length: 38 }, (_, i) => `X-${i + 1}`),
  ...Array.from({ length: 19 }, (_, i) => `D-${i + 1}`),
];

/** Numbers that titles of tests begin with; a title may begin with several. */
function numbersIn(folder: string): Set<string> {
  const found = new Set<string>();
  for (const name of fs.readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.spec.ts') || name.includes('node_modules')) continue;
    const text = fs.readFileSync(path.join(root, folder, name), 'utf8');
    for (const [, title] of text.matchAll(/['`]((?:[XD]-\d+[:,]? (?:\[E\] )?)+)/g))
      for (const number of title!.match(/[XD]-\d+/g) ?? []) found.add(number);
  }
  return found;
}

it('each numbered check of the protocol has a test that begins with its number', () => {
  const found = new Set([...numbersIn('libs'), ...numbersIn('e2e/suites')]);
  expect(checks.filter((check) => !found.has(check))).toEqual([]);
});
