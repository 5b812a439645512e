import type { Diagnostic } from '@seine/diagnostics';
import type { Finding } from '../frame/finding.js';
import type { Level } from '../messages/message-type.js';

/** What analysis and validation tell, each in its own shape. */
export type AnalysisItem = Finding | Diagnostic;

/** A finding or diagnostic as programs read it. What is not known is left out. */
export interface AnalysisJson {
  readonly code: string;
  readonly level: Level;
  readonly message: string;
  /** `Kind/namespace/name`, or `Kind/name` */
  readonly resource?: string | undefined;
  readonly file?: string | undefined;
  /** From 1. */
  readonly line?: number | undefined;
  /** From 1. */
  readonly column?: number | undefined;
  readonly path?: string | undefined;
}

function isFinding(item: AnalysisItem): item is Finding {
  return 'level' in item;
}

function resourceOf({ object }: Diagnostic): string | undefined {
  if (!object) return undefined;
  return object.namespace ? `${object.kind}/${object.namespace}/${object.name}` : `${object.kind}/${object.name}`;
}

/** One shape for what analysis and what validation found. */
export function toAnalysisJson(item: AnalysisItem): AnalysisJson {
  const { code, message, path } = item;
  const rest: Partial<AnalysisJson> = isFinding(item)
    ? { resource: item.resource, file: item.file, line: item.line, column: item.column }
    : { resource: resourceOf(item), ...item.position };
  const all = { code, level: isFinding(item) ? item.level : item.severity, message, ...rest, path };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as unknown as AnalysisJson;
}
