import { clone, type DescMessage, type Message, type MessageShape } from '@bufbuild/protobuf';
import { type Lists, mergeMessage } from './merge-message.js';
import type { EnvoyPatch, Operation } from './patches.js';

/** A copy of a patch's value, as the message that it is of. */
export function valueOf<Desc extends DescMessage>(desc: Desc, { value }: EnvoyPatch): MessageShape<Desc> {
  if (value?.$typeName !== desc.typeName) throw new Error(`a patch without a ${desc.typeName}`);
  return clone(desc, value as MessageShape<Desc>);
}

/** What a merge does with lists. */
export function listsOf({ operation }: EnvoyPatch): Lists {
  return operation === 'MERGE_AND_REPLACE_LIST' ? 'replace' : 'append';
}

/** Merges a patch's value into a message. */
export function mergeValue(desc: DescMessage, target: Message, patch: EnvoyPatch): void {
  mergeMessage(desc, target, valueOf(desc, patch), listsOf(patch));
}

/** Where to put or find something in a list of named things. */
export interface Place<T> {
  /** Undefined: the patch names no neighbour. */
  readonly matches: ((item: T) => boolean) | undefined;
  /** Where ADD puts it; default the end. */
  readonly addAt?: number | undefined;
}

/**
 * Adds to a list, replaces or removes in it, as the operation says. Without a neighbour INSERT_BEFORE is the start and
 * INSERT_AFTER the end; with one that is not there nothing happens. Only the first match counts, except for REMOVE.
 * @returns the new list; the same one where nothing changed, also for other operations
 */
export function editList<T>(list: T[], operation: Operation, value: () => T, { matches, addAt }: Place<T>): T[] {
  const at = matches ? list.findIndex(matches) : -1;
  const found = at >= 0;
  switch (operation) {
    case 'ADD':
      return list.toSpliced(addAt ?? list.length, 0, value());
    case 'INSERT_FIRST':
      return [value(), ...list];
    case 'INSERT_BEFORE':
      if (!matches) return [value(), ...list];
      return found ? list.toSpliced(at, 0, value()) : list;
    case 'INSERT_AFTER':
      if (!matches) return [...list, value()];
      return found ? list.toSpliced(at + 1, 0, value()) : list;
    case 'REPLACE':
      return found ? list.with(at, value()) : list;
    case 'REMOVE':
      return matches && found ? list.filter((item) => !matches(item)) : list;
    default:
      return list;
  }
}
