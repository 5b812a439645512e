import { analyzers } from '../frame/analyzers.js';
import type { MessageType } from '../messages/message-type.js';
import { messageTypes } from '../messages/message-types.js';

const notice =
  '<!-- Generated from libs/analyze (src/messages and pages): change those, then run the spec beside with UPDATE_GENERATED=1. -->';

const levelWords = { error: 'Error', warning: 'Warning', info: 'For information' } as const;

function messagePage({ code, name, level, description, template }: MessageType, written: string): string {
  return [
    `# ${code} ${name}`,
    '',
    `${levelWords[level]}. ${description}`,
    '',
    '```text',
    template,
    '```',
    '',
    written.trim(),
    '',
    '[All codes](README.md)',
    '',
    notice,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function indexPage(written: string): string {
  const messages = messageTypes.map(
    ({ code, name, level, description }) => `| [${code}](${code}.md) | ${name} | ${level} | ${cell(description)} |`,
  );
  const checks = analyzers.map(({ name, scope, description }) => {
    const alone = scope === 'object' ? 'yes' : 'no';
    return `| \`${name}\` | ${alone} | ${cell(description)} |`;
  });
  return [
    written.trim(),
    '',
    '## Codes',
    '',
    '| Code | Name | Level | What it means |',
    '| --- | --- | --- | --- |',
    ...messages,
    '',
    '## Analyzers',
    '',
    'Names are those that `istioctl analyze -L` lists; `--analyzer` takes them.',
    '',
    '| Name | With `--schema-only` | What it finds |',
    '| --- | --- | --- |',
    ...checks,
    '',
    notice,
    '',
  ].join('\n');
}

/** The hand-written parts of pages that are there for every message, and for the index. */
export const writtenParts: readonly string[] = ['README', ...messageTypes.map(({ code }) => code)];

/**
 * The pages of `docs/analyze`, by path from the root of the repository.
 * @param written the hand-written part of each page, by code; that of the index under `README`
 */
export function analysisPages(written: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([
    ['docs/analyze/README.md', indexPage(written.get('README') ?? '')],
    ...messageTypes.map(
      (type) => [`docs/analyze/${type.code}.md`, messagePage(type, written.get(type.code) ?? '')] as const,
    ),
  ]);
}
