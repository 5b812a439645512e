import type { DiagnosticMessage, ObjectIdMessage, StoredObjectMessage } from '@seine/api';
import type { Diagnostic } from '@seine/diagnostics';
import type { TableEntry } from '@seine/registry';
import { idOf } from './registry.service.js';

export function diagnosticMessage(diagnostic: Diagnostic): DiagnosticMessage {
  const { severity, code, message, object, path, position } = diagnostic;
  return {
    severity,
    code,
    message,
    object: object ? { group: '', kind: object.kind, namespace: object.namespace ?? '', name: object.name } : null,
    path: path ?? '',
    position: position ? { file: position.file, line: position.line, column: position.column ?? 0 } : null,
  };
}

export function storedObjectMessage({ key, object, origin, shadowed }: TableEntry): StoredObjectMessage {
  return { id: idOf(key), json: JSON.stringify(object), origin, shadowed };
}

/** A message field that a client may leave out. */
export function orEmpty(id: ObjectIdMessage | null | undefined): ObjectIdMessage {
  return id ?? { group: '', kind: '', namespace: '', name: '' };
}
