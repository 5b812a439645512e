/** What is said about a user's config: plain data, collected, never thrown. */

export type Severity = 'error' | 'warning' | 'info';

/** Which object a diagnostic speaks of. */
export interface ObjectRef {
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** Where in a file something stands; line and column count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column?: number | undefined;
}

export interface Diagnostic {
  readonly severity: Severity;
  /** `IST0101` where Istio has the message, `SEINE-…` where only Seine has. */
  readonly code: string;
  /** What is wrong and what would be right, one sentence. */
  readonly message: string;
  readonly object?: ObjectRef | undefined;
  /** Field path in the object: `spec.http[0].route[1].weight`. */
  readonly path?: string | undefined;
  readonly position?: SourcePosition | undefined;
}

/** `VirtualService default/reviews`. */
export function formatObjectRef(ref: ObjectRef): string {
  return ref.namespace ? `${ref.kind} ${ref.namespace}/${ref.name}` : `${ref.kind} ${ref.name}`;
}

/** `reviews.yaml:12:5: error SEINE-SCHEMA VirtualService default/reviews spec.http[0]: …`, leaving out what is unknown. */
export function formatDiagnostic(d: Diagnostic): string {
  const where = d.position
    ? `${d.position.file}:${d.position.line}${d.position.column ? `:${d.position.column}` : ''}: `
    : '';
  const object = d.object ? `${formatObjectRef(d.object)} ` : '';
  const path = d.path ? `${d.path}: ` : '';
  return `${where}${d.severity} ${d.code} ${object}${path}${d.message}`;
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === 'error');
}
