import type { Diagnostic, Severity } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';

/** What of old security objects has no counterpart today: SEINE-LEGACY-SECURITY. */
export class Messages {
  readonly all: Diagnostic[] = [];

  warn(object: ConfigObject, path: string, message: string, severity: Severity = 'warning'): void {
    const { kind, metadata } = object;
    this.all.push({
      severity,
      code: 'SEINE-LEGACY-SECURITY',
      message,
      object: { kind, namespace: metadata.namespace || undefined, name: metadata.name },
      path,
    });
  }
}
