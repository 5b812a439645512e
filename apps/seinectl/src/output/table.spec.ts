import { describe, expect, it } from '@jest/globals';
import { paintFor } from './colour.js';
import { renderTable, type Row } from './table.js';

const plain = paintFor({ env: {} }, false);
const coloured = paintFor({ env: {} }, true);

describe('renderTable', () => {
  it.each<[string, string[], Row[], string]>([
    ['only a header', ['NAME', 'PORT'], [], 'NAME   PORT\n'],
    ['columns as wide as the widest cell', ['A', 'B'], [{ cells: ['long', 'x'] }], 'A      B\nlong   x\n'],
    ['no blanks at the end', ['LONG', 'B'], [{ cells: ['a', ''] }], 'LONG   B\na\n'],
    ['an empty cell between', ['A', 'B', 'C'], [{ cells: ['a', '', 'c'] }], 'A   B   C\na       c\n'],
    ['notes under the row', ['A'], [{ cells: ['a'], notes: ['x\ny'] }], 'A\na\n    x\n    y\n'],
  ])('%s', (_case, header, rows, text) => {
    expect(renderTable(header, rows, plain)).toBe(text);
  });

  it('colours without moving columns', () => {
    const rows: Row[] = [{ cells: [{ text: 'ok', colour: 'green' }, 'x'] }];
    expect(renderTable(['STATE', 'B'], rows, coloured)).toBe('STATE   B\n\u001b[32mok\u001b[39m      x\n');
  });
});

describe('paintFor', () => {
  it.each([
    ['a terminal', {}, true, 'auto', true],
    ['no terminal', {}, false, 'auto', false],
    ['NO_COLOR', { NO_COLOR: '1' }, true, 'auto', false],
    ['an empty NO_COLOR', { NO_COLOR: '' }, true, 'auto', true],
    ['a dumb terminal', { TERM: 'dumb' }, true, 'auto', false],
    ['--color always before NO_COLOR', { NO_COLOR: '1' }, false, 'always', true],
    ['--color never', {}, true, 'never', false],
  ] as const)('%s', (_case, env, tty, when, colours) => {
    expect(paintFor({ env }, tty, when)('red', 'x') !== 'x').toBe(colours);
  });
});
