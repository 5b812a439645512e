import { type ConfigObject, fieldsOf, labelsOf } from '@seine/k8s';
import { GatewayClasses } from './gateway-classes.js';
import { Inputs, type TranslateOptions } from './input.js';
import { ReferenceGrants } from './reference-grants.js';
import { serviceKind } from './references.js';

/** What every part of one translation reads. */
export interface Context {
  readonly inputs: Inputs;
  readonly grants: ReferenceGrants;
  readonly classes: GatewayClasses;
  readonly options: TranslateOptions;
  /** Hosts of the Services of the shared gateway; looked up when first asked for. */
  readonly sharedHosts: () => readonly string[];
}

export function contextOf(objects: Iterable<ConfigObject>, options: TranslateOptions): Context {
  const inputs = new Inputs(objects);
  return {
    inputs,
    grants: new ReferenceGrants(inputs),
    classes: GatewayClasses.of(inputs, options),
    options,
    sharedHosts: once(() => sharedHosts(inputs, options)),
  };
}

function sharedHosts(inputs: Inputs, { sharedGateway = {}, clusterDomain }: TranslateOptions): readonly string[] {
  return inputs
    .all(serviceKind)
    .filter(({ spec }) => {
      const selector = labelsOf(fieldsOf(spec)['selector']);
      return Object.entries(sharedGateway).every(([key, value]) => selector[key] === value);
    })
    .map(({ metadata }) => `${metadata.name}.${metadata.namespace}.svc.${clusterDomain}`);
}

/** A function that does its work once, when it is first called. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
