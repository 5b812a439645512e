import { describe, expect, it } from '@jest/globals';
import type { Diagnostic } from '@seine/diagnostics';
import { paintFor } from './colour.js';
import { renderDiagnostic } from './excerpt.js';

const plain = paintFor({ env: {} }, false);
const text = 'spec:\n  hosts: [a\n\n\thttp: 1\n';

function diagnostic(line?: number, column?: number): Diagnostic {
  const position = line === undefined ? undefined : { file: 'a.yaml', line, column };
  return { severity: 'error', code: 'SEINE-YAML', message: 'is wrong', position };
}

describe('renderDiagnostic', () => {
  it.each<[string, Diagnostic, string | undefined, string]>([
    [
      'a caret under the place',
      diagnostic(2, 10),
      text,
      'a.yaml:2:10: error: is wrong [SEINE-YAML]\n  2 |   hosts: [a\n    |          ^\n',
    ],
    [
      'without a column: under the first character',
      diagnostic(2),
      text,
      'a.yaml:2: error: is wrong [SEINE-YAML]\n  2 |   hosts: [a\n    |   ^\n',
    ],
    [
      'past the end of the line',
      diagnostic(1, 99),
      text,
      'a.yaml:1:99: error: is wrong [SEINE-YAML]\n  1 | spec:\n    |      ^\n',
    ],
    ['tabs', diagnostic(4, 2), text, 'a.yaml:4:2: error: is wrong [SEINE-YAML]\n  4 | \thttp: 1\n    | \t^\n'],
    ['an empty line has no excerpt', diagnostic(3, 1), text, 'a.yaml:3:1: error: is wrong [SEINE-YAML]\n'],
    ['a line that is not there', diagnostic(99, 1), text, 'a.yaml:99:1: error: is wrong [SEINE-YAML]\n'],
    ['no text', diagnostic(2, 1), undefined, 'a.yaml:2:1: error: is wrong [SEINE-YAML]\n'],
    [
      'nothing of a Secret',
      { ...diagnostic(2, 1), object: { kind: 'Secret', namespace: 'default', name: 'a' } },
      'kind: Secret\ndata: { key: c2VjcmV0 }\n',
      'a.yaml:2:1: error: Secret default/a is wrong [SEINE-YAML]\n',
    ],
    [
      'nothing of what seems a Secret',
      diagnostic(4, 1),
      'a: 1\n---\nkind: Secret\ndata: { key: c2VjcmV0\n---\nb: 1\n',
      'a.yaml:4:1: error: is wrong [SEINE-YAML]\n',
    ],
    [
      'a document beside a Secret',
      diagnostic(3, 1),
      'kind: Secret\n---\na: 1\n',
      'a.yaml:3:1: error: is wrong [SEINE-YAML]\n  3 | a: 1\n    | ^\n',
    ],
    ['no position', diagnostic(), text, 'error: is wrong [SEINE-YAML]\n'],
    [
      'object and path',
      { ...diagnostic(), object: { kind: 'VirtualService', namespace: 'default', name: 'a' }, path: 'spec.http' },
      text,
      'error: VirtualService default/a spec.http: is wrong [SEINE-YAML]\n',
    ],
  ])('%s', (_case, d, source, expected) => {
    expect(renderDiagnostic(d, source, plain)).toBe(expected);
  });

  it('cuts a long line round the place', () => {
    const [, line, caret] = renderDiagnostic(
      diagnostic(1, 5001),
      `${'x'.repeat(5000)}!${'y'.repeat(5000)}`,
      plain,
    ).split('\n');
    expect(line?.length).toBeLessThan(130);
    expect(line?.[caret?.indexOf('^') ?? -1]).toBe('!');
  });
});
