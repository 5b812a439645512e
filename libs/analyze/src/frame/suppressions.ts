import type { ObjectRef } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';

export interface Suppression {
  readonly code: string;
  /** `Kind name.namespace` with `*` for any text; undefined = every object. */
  readonly resource: RegExp | undefined;
}

const annotation = 'galley.istio.io/analyze-suppress';

/** A pattern in which only `*` is special. */
function globOf(pattern: string): RegExp {
  const parts = pattern.split(/\*+/).map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*')}$`);
}

/** Reads `CODE` and `CODE=Kind name.namespace`. */
export function readSuppressions(texts: readonly string[]): readonly Suppression[] {
  return texts.map((text) => {
    const equals = text.indexOf('=');
    if (equals < 0) return { code: text.trim(), resource: undefined };
    return { code: text.slice(0, equals).trim(), resource: globOf(text.slice(equals + 1).trim()) };
  });
}

/** Whether an object's own annotation keeps a code from being told of it. */
export function suppressesItself(code: string, object: ConfigObject): boolean {
  const own = object.metadata.annotations?.[annotation];
  return typeof own === 'string' && own.split(',').some((entry) => ['*', code].includes(entry.trim()));
}

/** Whether who asks wants to hear nothing of a code, or not of it on an object. */
export function isSuppressed(
  code: string,
  object: ObjectRef | undefined,
  suppressions: readonly Suppression[],
): boolean {
  const name = object?.namespace ? `${object.name}.${object.namespace}` : object?.name;
  const friendly = object && name !== undefined ? `${object.kind} ${name}` : '';
  return suppressions.some((s) => s.code === code && (s.resource?.test(friendly) ?? true));
}
