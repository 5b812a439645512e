/** A field's name, a key of a map, or an index into a list. */
export type PathStep = string | number;

/** The path of one step below `path`. */
export function childPath(path: string, step: PathStep): string {
  if (typeof step === 'number') return `${path}[${step}]`;
  if (!/^[A-Za-z_][\w-]*$/.test(step)) return `${path}[${JSON.stringify(step)}]`;
  return path === '' ? step : `${path}.${step}`;
}

/** Field paths as diagnostics show them: `spec.http[0].match[0].headers["x.y"].exact`. */
export function formatFieldPath(steps: readonly PathStep[]): string {
  return steps.reduce<string>(childPath, '');
}

/** The steps of a JSON pointer (RFC 6901); whether `0` is a key or an index, the value that it points into says. */
export function stepsOfPointer(pointer: string, root: unknown): readonly PathStep[] {
  let value = root;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const step = Array.isArray(value) ? Number(key) : key;
      value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
      return step;
    });
}
