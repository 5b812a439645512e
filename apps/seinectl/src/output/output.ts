import type { Io } from '../io.js';
import { paintFor, type ColourWhen, type Paint } from './colour.js';
import { renderData } from './format.js';
import { renderTable, type Row } from './table.js';

/** Where a command's results go: data to stdout, what is said about it to stderr. */
export class Output {
  readonly paint: Paint;
  readonly paintErr: Paint;

  constructor(
    private readonly io: Io,
    when: ColourWhen,
  ) {
    this.paint = paintFor(io, io.outIsTty, when);
    this.paintErr = paintFor(io, io.errIsTty, when);
  }

  line(text: string): void {
    this.io.out(`${text}\n`);
  }

  text(text: string): void {
    this.io.out(text);
  }

  table(header: readonly string[], rows: readonly Row[]): void {
    this.io.out(renderTable(header, rows, this.paint));
  }

  async data(value: unknown, format: 'json' | 'yaml'): Promise<void> {
    this.io.out(await renderData(value, format));
  }

  progress(text: string): void {
    this.io.err(`${text}\n`);
  }

  warning(text: string): void {
    this.io.err(`${this.paintErr('yellow', 'warning:')} ${text}\n`);
  }

  error(text: string): void {
    this.io.err(`${this.paintErr('red', 'error:')} ${text}\n`);
  }
}
