import type { Diagnostic, ObjectRef } from '@seine/diagnostics';
import { isNamespaced, normalizeObject } from '@seine/istio';
import { type ConfigObject, groupOf, type ObjectKey, objectKeyOf } from '@seine/k8s';
import type { FieldPath } from './field-path.js';

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A value and where it stands in its document: items of a `List` are objects of their own. */
export interface RawObject {
  readonly value: unknown;
  readonly path: FieldPath;
}

/** Takes `List` kinds apart (`List`, `VirtualServiceList`, …), whose items may leave out what the list's kind says. */
export function expandLists(value: unknown, path: FieldPath = []): readonly RawObject[] {
  const fields = fieldsOf(value);
  const kind = textOf(fields?.['kind']);
  const items = fields?.['items'];
  if (!fields || !kind.endsWith('List') || !Array.isArray(items)) return [{ value, path }];
  const itemKind = kind.slice(0, -'List'.length);
  return items.flatMap((item: unknown, i) => {
    const itemFields = fieldsOf(item);
    const complete =
      itemFields && itemKind ? { apiVersion: fields['apiVersion'], kind: itemKind, ...itemFields } : item;
    return expandLists(complete, [...path, 'items', i]);
  });
}

export interface Identity {
  readonly key: ObjectKey;
  readonly ref: ObjectRef;
  readonly apiVersion: string;
}

/** Which object a value is about, as far as it can be read. */
export function identityOf(value: unknown): Identity | undefined {
  const fields = fieldsOf(value);
  const metadata = fieldsOf(fields?.['metadata']);
  const [apiVersion, kind, name] = [
    textOf(fields?.['apiVersion']),
    textOf(fields?.['kind']),
    textOf(metadata?.['name']),
  ];
  if (!apiVersion || !kind || !name) return undefined;
  const namespace = isNamespaced(apiVersion, kind) ? textOf(metadata?.['namespace']) || 'default' : '';
  return {
    key: objectKeyOf(groupOf(apiVersion), kind, namespace, name),
    ref: { kind, namespace: namespace || undefined, name },
    apiVersion,
  };
}

/** What a document lacks to be a config object at all. */
export function missingIdentity(value: unknown): Diagnostic {
  const fields = fieldsOf(value);
  if (!fields) {
    const what = Array.isArray(value) ? 'a list' : `the ${typeof value} ${JSON.stringify(value ?? null).slice(0, 40)}`;
    return {
      severity: 'error',
      code: 'SEINE-OBJECT',
      message: `This document is ${what}; it should be an object with apiVersion, kind and metadata.name.`,
    };
  }
  const missing = ['apiVersion', 'kind'].filter((field) => !textOf(fields[field]));
  const name = textOf(fieldsOf(fields['metadata'])?.['name']);
  const all = name ? missing : [...missing, 'metadata.name'];
  return {
    severity: 'error',
    code: 'SEINE-OBJECT',
    message: `${all.join(', ')} must be set to a text that is not empty.`,
    path: all[0],
  };
}

/**
 * Makes a config object of a value whose identity is known, written the one way that everything else reads (fields that
 * are null left out, and so on). A namespaced object without namespace is in `default`. A creationTimestamp is taken
 * only from the file: one made up here would differ between replicas and over restarts; objects without one count as
 * the oldest, in order of namespace and name.
 */
export function readObject(value: unknown, { ref, apiVersion }: Identity): ConfigObject {
  const raw = fieldsOf(value) ?? {};
  const metadata = { ...fieldsOf(raw['metadata']), name: ref.name, namespace: ref.namespace ?? '' };
  return normalizeObject({ ...raw, apiVersion, kind: ref.kind, metadata });
}
