import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const docs = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../docs');
const rows = fs
  .readFileSync(path.join(docs, 'features.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .map(([, number, feature, state, page, test]) => ({ number: Number(number), feature, state, page, test }));

const linksIn = (cell = ''): string[] => [...cell.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);

describe('docs/features.md', () => {
  it('has every feature once', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 103 }, (_, i) => i + 1));
  });

  it.each(rows.map((row) => [row.number, row.feature, row] as const))('%d %s', (_number, _feature, row) => {
    const { state, page, test } = row;
    expect(['yes', 'part', 'not yet']).toContain(state);
    const links = { page: linksIn(page), test: linksIn(test) };
    if (state !== 'not yet') expect(Math.min(links.page.length, links.test.length)).toBeGreaterThan(0);
    for (const link of [...links.page, ...links.test]) {
      expect([link, fs.existsSync(path.join(docs, link))]).toEqual([link, true]);
    }
  });
});
