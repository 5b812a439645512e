import type { Colour, Paint } from './colour.js';

export type Cell = string | { readonly text: string; readonly colour: Colour };

export interface Row {
  readonly cells: readonly Cell[];
  /** Lines shown indented under the row, for what does not fit a column (a NACK's message). */
  readonly notes?: readonly string[] | undefined;
}

const gap = '   ';
const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text);

/**
 * Columns are as wide as their widest cell; nothing is cut, no blanks end a line.
 * @returns the text with its final line break
 */
export function renderTable(header: readonly string[], rows: readonly Row[], paint: Paint): string {
  const widths = header.map((title, i) =>
    rows.reduce((width, row) => Math.max(width, textOf(row.cells[i] ?? '').length), title.length),
  );
  const line = (cells: readonly Cell[]): string => {
    const last = cells.reduce((at, cell, i) => (textOf(cell) === '' ? at : i), -1);
    return cells
      .slice(0, last + 1)
      .map((cell, i) => {
        const padding = i === last ? '' : ' '.repeat((widths[i] ?? 0) - textOf(cell).length);
        return (typeof cell === 'string' ? cell : paint(cell.colour, cell.text)) + padding;
      })
      .join(gap);
  };
  const body = rows.flatMap((row) => [
    line(row.cells),
    ...(row.notes ?? []).flatMap((note) => note.split('\n').map((text) => `    ${text}`)),
  ]);
  return [line(header), ...body].join('\n') + '\n';
}
