import fs from 'node:fs';
import type { Diagnostic } from '@seine/diagnostics';
import { maxFileSize } from './config-files.js';

export type FileText =
  | { readonly type: 'text'; readonly text: string; readonly modifiedAt: number }
  | { readonly type: 'absent' }
  | { readonly type: 'refused'; readonly diagnostic: Diagnostic };

function refused(file: string, message: string): FileText {
  return {
    type: 'refused',
    diagnostic: { severity: 'error', code: 'SEINE-FILE', message, position: { file, line: 1 } },
  };
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
}

/**
 * Reads one config file. Synchronously: of a small file that is faster by far than a trip through the thread pool, and
 * the size is bounded. What cannot be read is told, not thrown.
 */
export function readFileText(file: string): FileText {
  try {
    const stat = fs.statSync(file);
    if (!stat.isFile()) return { type: 'absent' };
    if (stat.size > maxFileSize) {
      const size = (stat.size / 1024 / 1024).toFixed(1);
      return refused(file, `The file has ${size} MB; at most ${maxFileSize / 1024 / 1024} MB are read. Split it.`);
    }
    const bytes = fs.readFileSync(file);
    if (bytes.includes(0))
      return refused(file, 'The file is not text (it holds zero bytes); YAML or JSON is expected.');
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { type: 'text', text, modifiedAt: stat.mtimeMs };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { type: 'absent' };
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      return refused(file, 'The file is not UTF-8 text; YAML or JSON is expected.');
    return refused(file, `The file cannot be read (${code}).`);
  }
}
