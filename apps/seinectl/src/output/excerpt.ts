import { formatObjectRef, type Diagnostic } from '@seine/diagnostics';
import { seemsSecret } from '@seine/k8s';
import type { Colour, Paint } from './colour.js';

const colours: Readonly<Record<Diagnostic['severity'], Colour>> = { error: 'red', warning: 'yellow', info: 'dim' };

/** Longer lines are cut round the place, so that a minified file does not fill the screen. */
const widest = 110;

/**
 * A diagnostic as people read it: where, what, and the line itself with a caret under the place.
 * @param text the file's whole text, where it is at hand
 */
export function renderDiagnostic(d: Diagnostic, text: string | undefined, paint: Paint): string {
  const { position } = d;
  const where = position
    ? [position.file, position.line, position.column].filter((p) => p !== undefined).join(':')
    : '';
  const object = d.object ? `${formatObjectRef(d.object)} ` : '';
  const path = d.path ? `${d.path}: ` : '';
  const line = position && text !== undefined ? text.split(/\r?\n/)[position.line - 1] : undefined;
  // What the parser says brings the line along, for those who have no file at hand.
  const message = line === undefined ? d.message : d.message.split('\n')[0];
  const head = `${where ? `${where}: ` : ''}${paint(colours[d.severity], d.severity)}: ${object}${path}${message} [${d.code}]`;
  if (position === undefined || line === undefined || line.trim() === '') return `${head}\n`;
  if (d.object?.kind === 'Secret' || seemsSecret(documentAt(text ?? '', position.line))) return `${head}\n`;
  return `${head}\n${excerpt(line, position.line, position.column, paint)}`;
}

/** The YAML document in which a line stands. */
function documentAt(text: string, line: number): string {
  const lines = text.split(/\r?\n/);
  const isMarker = (one: string) => /^---(\s|$)/.test(one);
  const from = lines.slice(0, line).findLastIndex(isMarker) + 1;
  const length = lines.slice(line).findIndex(isMarker);
  return lines.slice(from, length < 0 ? undefined : line + length).join('\n');
}

function excerpt(line: string, number: number, column: number | undefined, paint: Paint): string {
  const at = Math.min((column ?? firstInk(line)) - 1, line.length);
  const from = at > widest - 20 ? at - (widest >> 1) : 0;
  const shown = line.slice(from, from + widest);
  const margin = String(number);
  // Tabs stay tabs under the line, so that the caret stands where the terminal puts the character.
  const indent = shown.slice(0, at - from).replace(/[^\t]/g, ' ');
  return `  ${margin} | ${shown}\n  ${' '.repeat(margin.length)} | ${indent}${paint('red', '^')}\n`;
}

function firstInk(line: string): number {
  return line.length - line.trimStart().length + 1;
}
