import type { ConfigObject } from '@seine/k8s';
import { message, type Of, struct, text, textMap } from '../schema.js';

/** `config.istio.io/v1alpha2` instance. */

export const MixerInstanceSchema = message('What adapters are handed, made of attributes by expressions.', {
  name: text('For whoever reads it.'),
  compiledTemplate: text('Name of the template: `checknothing`, `listentry`, `quota`, `logentry`, `metric`, …'),
  template: text('The same, as it was written for adapters that are processes of their own.'),
  params: struct('The template’s fields, each an expression.'),
  attributeBindings: textMap(
    'Attributes that are made of what an adapter gives, `$out.field`: of the template `kubernetes` only, whose fields mixer knows itself.',
  ),
});

export type MixerInstanceSpec = Of<typeof MixerInstanceSchema>;
export type MixerInstance = ConfigObject<MixerInstanceSpec> & { readonly kind: 'instance' };
