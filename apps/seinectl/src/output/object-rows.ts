import { type PrinterColumn, withoutSecretValues } from '@seine/k8s';
import type { StoredObject } from '../client/config-api.js';
import { formatAge } from './format.js';
import type { Row } from './table.js';

type KindColumn = Pick<PrinterColumn, 'name' | 'type' | 'jsonPath'>;

export interface ObjectTableOptions {
  /** The columns of the kind, as its resource definition gives them to kubectl. */
  readonly columns: readonly KindColumn[];
  /** Whether the objects are of more than one namespace. */
  readonly withNamespace: boolean;
  readonly wide: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const age: KindColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

/** The table of `get`: kubectl's columns; `wide` adds where each object comes from. */
export function objectTable(
  objects: readonly StoredObject[],
  { columns, withNamespace, wide, now }: ObjectTableOptions,
): { header: string[]; rows: Row[] } {
  const own = columns.length > 0 ? columns : [age];
  const header = [
    ...(withNamespace ? ['NAMESPACE'] : []),
    'NAME',
    ...own.map((column) => column.name.toUpperCase()),
    ...(wide ? ['ORIGIN', 'SHADOWED'] : []),
  ];
  const rows = objects.map(({ object, origin, shadowed }) => ({
    cells: [
      ...(withNamespace ? [object.metadata.namespace] : []),
      object.metadata.name,
      ...own.map((column) => cellOf(object, column, now)),
      ...(wide ? [origin, shadowed.join(', ')] : []),
    ],
  }));
  return { header, rows };
}

function cellOf(object: unknown, { type, jsonPath }: KindColumn, now: number): string {
  const value = valueAt(object, jsonPath);
  if (type === 'date') {
    const created = typeof value === 'string' ? Date.parse(value) : NaN;
    return Number.isNaN(created) ? '<unknown>' : formatAge(now - created);
  }
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The columns use only the plain form of JSONPath: `.spec.hosts`. */
function valueAt(object: unknown, jsonPath: string): unknown {
  let value = object;
  for (const name of jsonPath.split('.').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

export { withoutSecretValues };

/** `virtualservice.networking.istio.io/reviews`, as kubectl names an object; core kinds have no group. */
export function objectName(kind: string, group: string, name: string): string {
  return `${kind.toLowerCase()}${group ? `.${group}` : ''}/${name}`;
}
