import type { ConfigObject } from '@seine/k8s';
import { choice, mapOf, message, type Of, text } from '../schema.js';
import { attributeTypes } from './attribute-types.js';

/** `config.istio.io/v1alpha2` attributemanifest. */

export const AttributeManifestSchema = message(
  'Attributes that expressions may use beside those that mixer knows already.',
  {
    revision: text('For whoever reads it.'),
    name: text('Who gives the attributes; for whoever reads it.'),
    attributes: mapOf(
      message('An attribute.', {
        description: text('For whoever reads it.'),
        valueType: choice(['VALUE_TYPE_UNSPECIFIED', ...attributeTypes], 'Its type.'),
      }),
      'Attributes by name.',
    ),
  },
);

export type AttributeManifestSpec = Of<typeof AttributeManifestSchema>;
export type AttributeManifest = ConfigObject<AttributeManifestSpec> & { readonly kind: 'attributemanifest' };
