import type { RequestAuthentication } from '@seine/istio';
import { internList } from '@seine/memo';
import { keySource, type Mesh, type KeySet } from '@seine/model';

const internKeySets = internList();

/** The keys that policies name and do not state, as far as they are known; each once, the same list while all are the same. */
export function selectKeySets(
  policies: readonly RequestAuthentication[],
  all: NonNullable<Mesh['keySets']>,
): readonly KeySet[] {
  const rules = policies.flatMap(({ spec }) => spec.jwtRules ?? []);
  const sources = new Set(rules.flatMap((rule) => keySource(rule) ?? []));
  return internKeySets([...sources].flatMap((source) => all.get(source) ?? []));
}
