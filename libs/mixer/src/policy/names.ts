import type { ObjectRef } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';

/** `accesslog.logentry.istio-system`: what Istio calls an object of mixer's kinds. */
export function fullName({ kind, metadata }: Pick<ConfigObject, 'kind' | 'metadata'>): string {
  return `${metadata.name}.${kind}.${metadata.namespace}`;
}

export function refOf({ kind, metadata }: ConfigObject): ObjectRef {
  return { kind, namespace: metadata.namespace, name: metadata.name };
}

/**
 * The full names that a reference may mean, the likeliest first: `name`, `name.namespace`, `name.kind`,
 * `name.kind.namespace`.
 * @param kind what is meant where no kind is written
 * @param namespace of who refers
 */
export function candidates(reference: string, kind: 'handler' | 'instance', namespace: string): readonly string[] {
  const [first = '', second = '', ...more] = reference.split('.');
  if (second === '') return [`${first}.${kind}.${namespace}`];
  const whole = [`${reference}.${namespace}`, `${reference}.${kind}.${namespace}`];
  return more.length === 0 ? [`${first}.${kind}.${second}`, ...whole] : [reference, ...whole];
}
