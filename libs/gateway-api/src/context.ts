import { GatewayClasses } from './gateway-classes.js';
import { Inputs, type TranslateOptions } from './input.js';
import { ReferenceGrants } from './reference-grants.js';
import type { ConfigObject } from '@seine/k8s';

/** What every part of one translation reads. */
export interface Context {
  readonly inputs: Inputs;
  readonly grants: ReferenceGrants;
  readonly classes: GatewayClasses;
  readonly options: TranslateOptions;
}

export function contextOf(objects: Iterable<ConfigObject>, options: TranslateOptions): Context {
  const inputs = new Inputs(objects);
  return { inputs, grants: new ReferenceGrants(inputs), classes: GatewayClasses.of(inputs, options), options };
}
