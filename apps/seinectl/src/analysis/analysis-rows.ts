import type { AnalysisJson } from '@seine/analyze';
import type { Colour } from '../output/colour.js';
import type { Row } from '../output/table.js';

const colours: Readonly<Record<AnalysisJson['level'], Colour>> = { error: 'red', warning: 'yellow', info: 'dim' };

/** Findings as a table: one line each. */
export function analysisRows(items: readonly AnalysisJson[]): [header: readonly string[], rows: readonly Row[]] {
  const rows = items.map(({ level, code, resource, file, line, message }) => ({
    cells: [
      { text: level, colour: colours[level] },
      code,
      resource ?? '-',
      file === undefined ? '-' : [file, line].filter((part) => part !== undefined).join(':'),
      message.split('\n')[0] ?? '',
    ],
  }));
  return [['LEVEL', 'CODE', 'RESOURCE', 'PLACE', 'MESSAGE'], rows];
}
