import type { InstanceTypes, Value, ValueType } from '@seine/mixer';
import { jsonOf } from './values.js';

interface Field {
  readonly name: string;
  readonly type: ValueType;
  /** `,"name":` */
  readonly head: string;
}

/** Writes one of an instance's maps as JSON members, `,"a":1,"b":"2"`, in the order of their names. */
export type WriteMembers = (values: ReadonlyMap<string, Value>) => string;

const member = (name: string): string => `,${JSON.stringify(name)}:`;

function writeValue(value: Value, type: ValueType | undefined): string {
  return typeof value === 'number' && !Number.isFinite(value) ? 'null' : JSON.stringify(jsonOf(value, type));
}

/** Names are sorted and quoted once, not for each entry. */
export function membersWriter(types: ReadonlyMap<string, ValueType> | undefined): WriteMembers {
  if (!types) {
    return (values) => {
      let text = '';
      for (const [name, value] of [...values].sort(([a], [b]) => (a < b ? -1 : 1)))
        text += member(name) + writeValue(value, undefined);
      return text;
    };
  }
  const fields: readonly Field[] = [...types]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, type]) => ({ name, type, head: member(name) }));
  return (values) => {
    let text = '';
    for (const { name, type, head } of fields) {
      const value = values.get(name);
      if (value !== undefined) text += head + writeValue(value, type);
    }
    return text;
  };
}

/** Writers of a map, by instance. */
export function membersWriters(
  instances: ReadonlyMap<string, InstanceTypes>,
  map: string,
): (instance: string) => WriteMembers {
  const writers = new Map([...instances].map(([name, types]) => [name, membersWriter(types.maps[map])]));
  const plain = membersWriter(undefined);
  return (instance) => writers.get(instance) ?? plain;
}
