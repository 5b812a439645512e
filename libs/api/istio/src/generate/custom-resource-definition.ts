import type { JsonSchema, KindInfo, PrinterColumn } from '@seine/k8s';
import { structuralSchema } from './structural-schema.js';

function columnOf({ name, type, description, jsonPath }: PrinterColumn): object {
  return { name, type, description, jsonPath };
}

function schemaOf({ group, kind, schema }: KindInfo): object {
  const spec = schema?.properties?.['spec'] as JsonSchema;
  return {
    description: group.endsWith('.istio.io') ? `${kind} of Istio's API.` : `${kind} of ${group}.`,
    type: 'object',
    properties: {
      spec: structuralSchema(spec),
      status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
    ...(schema?.required && schema.required.length > 0 && { required: schema.required }),
  };
}

/** The CustomResourceDefinition of a kind: all served versions, which have the same schema, so that none is converted. */
export function customResourceDefinition(info: KindInfo): object {
  const { group, kind, plural, singular, shortNames, categories, versions, namespaced, printerColumns = [] } = info;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      // The objects of users go with their definition, so uninstalling must leave it in place.
      annotations: { 'helm.sh/resource-policy': 'keep' },
      labels: { 'app.kubernetes.io/name': 'seine', 'app.kubernetes.io/part-of': 'seine' },
    },
    spec: {
      group,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        ...(shortNames.length > 0 && { shortNames }),
        categories,
      },
      versions: versions.map(({ name, served, storage }) => ({
        name,
        served,
        storage,
        ...(printerColumns.length > 0 && { additionalPrinterColumns: printerColumns.map(columnOf) }),
        schema: { openAPIV3Schema: schemaOf(info) },
        subresources: { status: {} },
      })),
    },
  };
}
