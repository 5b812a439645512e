import { findKind, kinds, nearMatch } from '@seine/istio';
import type { KindInfo } from '@seine/k8s';
import { usageError } from '../command-error.js';

/**
 * The kind a user means by its kind, plural, singular or short name in any case, with or without its group
 * (`virtualservices.networking.istio.io`). Where groups share a name, Istio's: `gateway`.
 * @throws CommandError (usage) that names what it could have been
 */
export function resolveKind(word: string): KindInfo {
  const found = findKind(word);
  if (found) return found;
  const near = nearMatch(word, kinds.flatMap(namesOf));
  throw usageError(`there is no kind ${word}${near ? `; did you mean ${near}?` : ''}`);
}

/** In small letters. */
function namesOf({ kind, plural, singular, shortNames }: KindInfo): string[] {
  return [kind.toLowerCase(), plural, singular, ...shortNames];
}

/** What a shell offers where a command wants a kind: those that the mesh acts on. */
export function kindWords(): string[] {
  return kinds.filter((info) => info.actedOn).flatMap(({ singular, shortNames }) => [singular, ...shortNames]);
}
