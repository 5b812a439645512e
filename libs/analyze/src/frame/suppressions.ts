import type { ConfigObject } from '@seine/k8s';

interface Suppression {
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

/** Whether a code is not to be told of an object, by who asks or by the object's annotation. */
export function isSuppressed(code: string, object: ConfigObject, suppressions: readonly Suppression[]): boolean {
  const { name, namespace, annotations } = object.metadata;
  const own = annotations?.[annotation];
  if (typeof own === 'string' && own.split(',').some((entry) => ['*', code].includes(entry.trim()))) return true;
  const friendly = `${object.kind} ${namespace ? `${name}.${namespace}` : name}`;
  return suppressions.some((s) => s.code === code && (s.resource?.test(friendly) ?? true));
}
