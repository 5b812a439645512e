import type { Io } from '../io.js';

export type Colour = 'red' | 'green' | 'yellow' | 'dim' | 'bold';
export type Paint = (colour: Colour, text: string) => string;

const codes: Readonly<Record<Colour, readonly [number, number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  dim: [2, 22],
  bold: [1, 22],
};

const plain: Paint = (_colour, text) => text;
const ansi: Paint = (colour, text) => {
  const [on, off] = codes[colour];
  return `\u001b[${on}m${text}\u001b[${off}m`;
};

export type ColourWhen = 'auto' | 'always' | 'never';

/** Colour goes to terminals only; `--color` decides before NO_COLOR (no-color.org: any non-empty value turns it off). */
export function paintFor(io: Pick<Io, 'env'>, isTty: boolean, when: ColourWhen = 'auto'): Paint {
  if (when !== 'auto') return when === 'always' ? ansi : plain;
  if (io.env['NO_COLOR'] || io.env['TERM'] === 'dumb') return plain;
  return isTty ? ansi : plain;
}
