import type { Container } from './pod.js';

/** What a pod says itself of the containers that injection makes: it counts more than what injection says. */
export interface Overrides {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}

interface Listed {
  readonly [field: string]: unknown;
}

/** Lists whose entries are told apart by a field, in Kubernetes' strategic merge patch. */
const keys: Readonly<Record<string, string>> = { env: 'name', volumeMounts: 'mountPath', ports: 'containerPort' };

const isObject = (value: unknown): value is Listed =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The container with what the pod says of it on top. The image `auto` says that injection chooses. */
export function overridden(made: Container, said: Container | undefined): Container {
  if (!said) return made;
  const { image, ...rest } = said;
  return merge(made, image === undefined || image === 'auto' ? rest : said) as unknown as Container;
}

function merge(under: Listed, over: Listed): Listed {
  const merged: Record<string, unknown> = { ...under };
  for (const [field, value] of Object.entries(over)) {
    const before = under[field];
    const key = keys[field];
    if (key !== undefined && Array.isArray(value) && Array.isArray(before))
      merged[field] = mergeLists(before as Listed[], value as Listed[], key);
    else merged[field] = isObject(value) && isObject(before) ? merge(before, value) : value;
  }
  return merged;
}

function mergeLists(under: readonly Listed[], over: readonly Listed[], key: string): readonly Listed[] {
  const left = new Map(over.map((one) => [one[key], one]));
  const merged = under.map((one) => {
    const own = left.get(one[key]);
    left.delete(one[key]);
    return own ? merge(one, own) : one;
  });
  return [...merged, ...left.values()];
}
