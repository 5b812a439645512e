import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { messageTypes } from '../messages/message-types.js';
import { analyzeYaml } from '../testing/find-in-yaml.js';
import { analysisPages, writtenParts } from './analysis-pages.js';

const root = resolve(import.meta.dirname, '../../../..');
const folder = 'libs/analyze/pages';
const handwritten = 'validation.md';

function partOf(name: string): string {
  const file = join(root, folder, `${name}.md`);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
const written = new Map(writtenParts.map((name) => [name, partOf(name)]));
const files = analysisPages(written);

if (process.env['UPDATE_GENERATED'] === '1')
  for (const [file, content] of files) writeFileSync(join(root, file), content);

describe('the pages of docs/analyze', () => {
  it.each([...files])('%s is committed as generated (UPDATE_GENERATED=1 rewrites it)', (file, content) => {
    expect(readFileSync(join(root, file), 'utf8')).toBe(content);
  });

  it('are all there is, beside what is written by hand', () => {
    const names = [...files.keys()].map((file) => file.slice('docs/analyze/'.length));
    expect(readdirSync(join(root, 'docs/analyze')).sort()).toEqual([...names, handwritten].sort());
    expect(readdirSync(join(root, folder)).sort()).toEqual(writtenParts.map((name) => `${name}.md`).sort());
  });

  it.each(messageTypes.map(({ code }) => code))('%s says how to fix it', (code) => {
    expect(written.get(code)).toMatch(/^[A-Z`][^]*\n\n## How to fix\n\n(```yaml\n|[A-Z])/);
  });
});

/** Codes that no file can bring about. */
const notOfFiles: ReadonlySet<string> = new Set([
  ...['IST0001', 'IST0106', 'IST0133', 'IST0141', 'IST0142', 'IST0143', 'IST0156'],
  ...['IST0168', 'IST0169', 'IST0170', 'IST0172'],
]);

function blockUnder(heading: string, text: string): string | undefined {
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  return /```yaml\n([^]*?)```/.exec(section.split('\n## ')[0] ?? '')?.[1];
}

const examples = messageTypes.map(({ code }) => {
  const text = written.get(code) ?? '';
  return { code, wrong: blockUnder('Example', text), right: blockUnder('How to fix', text) };
});
const codesOf = (yaml: string) => analyzeYaml(yaml, { options: { now: Date.parse('2026-01-01') } }).map((f) => f.code);

describe('the examples of the pages', () => {
  it.each(examples.filter(({ code }) => !notOfFiles.has(code)).map(({ code, wrong }) => [code, wrong ?? '']))(
    'that of %s brings it about',
    (code, wrong) => {
      expect(codesOf(wrong)).toContain(code);
    },
  );

  it.each(examples.flatMap(({ code, right }) => (right === undefined ? [] : [[code, right] as const])))(
    'the remedy of %s takes it away',
    (code, right) => {
      expect(codesOf(right)).not.toContain(code);
    },
  );

  it('are not there where no file can bring the code about', () => {
    expect(examples.filter(({ wrong }) => wrong === undefined).map(({ code }) => code)).toEqual([...notOfFiles]);
  });
});
