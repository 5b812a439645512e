import { normalizeObject } from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import { Type } from '@sinclair/typebox';
import { type AdapterKind, adapterKind } from '../adapters/adapter.js';
import type { AttributeBag, Value } from '../attributes/value-type.js';
import type { TemplateName } from '../templates/template.js';

/** An object of mixer's kinds, `name` or `namespace/name`. */
export function mixerObject(kind: string, id: string, spec: unknown, metadata: object = {}): ConfigObject {
  const [first = '', second] = id.split('/');
  const [namespace, name] = second === undefined ? ['istio-system', first] : [first, second];
  const object = { apiVersion: 'config.istio.io/v1alpha2', kind, metadata: { name, namespace, ...metadata }, spec };
  return normalizeObject(object);
}

export function bagOf(values: Readonly<Record<string, Value | Readonly<Record<string, string>>>>): AttributeBag {
  const map = new Map(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'object' && !(value instanceof Map)
        ? new Map(Object.entries(value as Readonly<Record<string, string>>))
        : (value as Value),
    ]),
  );
  return { get: (name) => map.get(name) };
}

/** An adapter that takes any parameters and does nothing. */
export function fakeAdapter(
  name: string,
  templates: readonly TemplateName[],
  more: Partial<AdapterKind> = {},
): AdapterKind {
  return adapterKind({ name, templates, params: Type.Any(), make: () => ({}), ...more });
}
