import type { JsonSchema } from '@seine/k8s';
import { message, text, textMap } from '../schema.js';
import type { AttributeType } from './attribute-types.js';

/**
 * What a field of a template holds: an expression of a type, one of any type (VALUE), or expressions by key (VALUES, each of any
 * type). TEXT is any type that can be written as text.
 */
export type TemplateField = AttributeType | 'TEXT' | 'VALUE' | 'VALUES';

/** Fields by name; a further level for messages. */
export interface TemplateFields {
  readonly [field: string]: TemplateField | TemplateFields;
}

const resource = { monitoredResourceType: 'STRING', monitoredResourceDimensions: 'VALUES' } as const;

/** Istio 1.4's templates. */
export const mixerTemplates = {
  checknothing: {},
  reportnothing: {},
  listentry: { value: 'TEXT' },
  quota: { dimensions: 'VALUES' },
  authorization: {
    subject: { user: 'STRING', groups: 'STRING', properties: 'VALUES' },
    action: { namespace: 'STRING', service: 'STRING', method: 'STRING', path: 'STRING', properties: 'VALUES' },
  },
  apikey: {
    api: 'STRING',
    apiVersion: 'STRING',
    apiOperation: 'STRING',
    apiKey: 'STRING',
    timestamp: 'TIMESTAMP',
  },
  logentry: { variables: 'VALUES', timestamp: 'TIMESTAMP', severity: 'STRING', ...resource },
  metric: { value: 'VALUE', dimensions: 'VALUES', ...resource },
  tracespan: {
    traceId: 'STRING',
    spanId: 'STRING',
    parentSpanId: 'STRING',
    spanName: 'STRING',
    startTime: 'TIMESTAMP',
    endTime: 'TIMESTAMP',
    spanTags: 'VALUES',
    httpStatusCode: 'INT64',
    clientSpan: 'BOOL',
    rewriteClientSpanId: 'BOOL',
    sourceName: 'STRING',
    sourceIp: 'IP_ADDRESS',
    destinationName: 'STRING',
    destinationIp: 'IP_ADDRESS',
    requestSize: 'INT64',
    requestTotalSize: 'INT64',
    responseSize: 'INT64',
    responseTotalSize: 'INT64',
    apiProtocol: 'STRING',
  },
  edge: {
    timestamp: 'TIMESTAMP',
    sourceUid: 'STRING',
    sourceOwner: 'STRING',
    sourceWorkloadName: 'STRING',
    sourceWorkloadNamespace: 'STRING',
    destinationUid: 'STRING',
    destinationOwner: 'STRING',
    destinationWorkloadName: 'STRING',
    destinationWorkloadNamespace: 'STRING',
    destinationServiceName: 'STRING',
    destinationServiceNamespace: 'STRING',
    contextProtocol: 'STRING',
    apiProtocol: 'STRING',
  },
  kubernetes: {
    sourceUid: 'STRING',
    sourceIp: 'IP_ADDRESS',
    destinationUid: 'STRING',
    destinationIp: 'IP_ADDRESS',
    destinationPort: 'INT64',
    originUid: 'STRING',
    originIp: 'IP_ADDRESS',
  },
} as const satisfies Readonly<Record<string, TemplateFields>>;

/** `kubernetes` makes attributes that mixer has without it; the others are handed to adapters. */
export type MixerTemplateName = keyof typeof mixerTemplates;

function schemaOf(fields: TemplateFields): JsonSchema {
  const properties = Object.entries(fields).map(([name, field]) => {
    if (typeof field === 'object') return [name, schemaOf(field)] as const;
    return [name, field === 'VALUES' ? textMap('Expressions by key.') : text(`Expression: ${field}.`)] as const;
  });
  return message('The fields of a template.', Object.fromEntries(properties) as never);
}

/** Old kinds have what an instance has beside its `params` among these. */
const bindings = { attributeBindings: 'VALUES' } as const;

const schemas: ReadonlyMap<string, JsonSchema> = new Map(
  Object.entries(mixerTemplates).map(([name, fields]) => [name, schemaOf(fields)]),
);

const kubernetesKind = schemaOf({ ...mixerTemplates.kubernetes, ...bindings });

/** What an instance's `params` must be; undefined for a template that nobody knows. */
export function templateSchema(template: string): JsonSchema | undefined {
  return schemas.get(template);
}

/** What the `spec` of an old kind must be: that of a template's own kind. */
export function oldTemplateSchema(kind: string): JsonSchema | undefined {
  return kind === 'kubernetes' ? kubernetesKind : schemas.get(kind);
}
