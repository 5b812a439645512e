import type { ConfigObject } from '@seine/k8s';

/** `namespace/name` */
export function fullName({ metadata: { namespace, name } }: Pick<ConfigObject, 'metadata'>): string {
  return namespace ? `${namespace}/${name}` : name;
}

export interface NameInNamespace {
  readonly namespace: string;
  readonly name: string;
}

/** Reads `name`, `namespace/name` or `./name` as an object in a namespace writes it. */
export function readReference(text: string, namespace: string): NameInNamespace {
  const slash = text.indexOf('/');
  if (slash < 0) return { namespace, name: text };
  const stated = text.slice(0, slash);
  return { namespace: stated === '.' ? namespace : stated, name: text.slice(slash + 1) };
}

/** The names of objects, sorted, each once. */
export function namesOf(objects: readonly ConfigObject[]): readonly string[] {
  return [...new Set(objects.map(({ metadata }) => metadata.name))].sort();
}

/** The path of a key of a map, whatever characters it has. */
export function keyPath(path: string, key: string): string {
  return `${path}[${JSON.stringify(key)}]`;
}
