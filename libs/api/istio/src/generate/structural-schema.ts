import type { CelRule, JsonSchema } from '@seine/k8s';

type Node = Record<string, unknown>;

const durationRule: CelRule = {
  rule: "duration(self) >= duration('1ms')",
  message: 'must be a valid duration greater than 1ms',
};

/**
 * Spellings of fields that Istio's CustomResourceDefinitions have kept from their first versions: the API server drops
 * what it does not know, so without these the field would be lost before anybody could read it.
 */
const keptSpellings: ReadonlyMap<string, string> = new Map([
  ['mirrorPercent', 'mirror_percent'],
  ['jwksUri', 'jwks_uri'],
]);

const copied = [
  'type',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'nullable',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
] as const;

const realFormats: ReadonlySet<string | undefined> = new Set(['int32', 'double', 'byte']);

/** At most one field of a group, without the costs of a rule: the API server refuses rules that may be run too often. */
function oneOf(group: readonly string[]): readonly object[] {
  const set = group.map((field) => ({ required: [field] }));
  return [{ not: { anyOf: set } }, ...set];
}

function oneofsOf(schema: JsonSchema): Node {
  const [first, ...others] = (schema['x-seine-oneofs'] ?? []).map(oneOf);
  if (!first) return {};
  return others.length === 0 ? { oneOf: first } : { allOf: [first, ...others].map((one) => ({ oneOf: one })) };
}

function boundsOf({ format, minimum, maximum }: JsonSchema): Node {
  // What the format says already.
  const low = format === 'int32' && minimum === -(2 ** 31) ? undefined : minimum;
  const high = format === 'int32' && maximum === 2 ** 31 - 1 ? undefined : maximum;
  return { ...(low !== undefined && { minimum: low }), ...(high !== undefined && { maximum: high }) };
}

function propertiesOf(properties: Readonly<Record<string, JsonSchema>>): Node {
  const entries = Object.entries(properties).flatMap(([name, field]) => {
    const other = keptSpellings.get(name);
    const schema = structuralSchema(field);
    return other === undefined
      ? [[name, schema] as const]
      : ([
          [name, schema],
          [other, { ...schema, description: `Deprecated: use ${name}.` }],
        ] as const);
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * A structural schema as CustomResourceDefinitions take it (Kubernetes, "Specifying a structural schema"): no references,
 * no additionalProperties beside properties, rules in CEL.
 */
export function structuralSchema(schema: JsonSchema): Node {
  const { description, format, properties, required, items, additionalProperties } = schema;
  const fallback = schema['x-seine-fallback'];
  const text = fallback === undefined ? description : `${description ?? ''} Default: ${fallback}.`;
  const rules = [...(schema['x-kubernetes-validations'] ?? []), ...(format === 'duration' ? [durationRule] : [])];
  return {
    ...(text && { description: text }),
    ...Object.fromEntries(copied.filter((key) => schema[key] !== undefined).map((key) => [key, schema[key]])),
    ...(realFormats.has(format) && { format }),
    ...boundsOf(schema),
    ...oneofsOf(schema),
    ...(properties && { properties: propertiesOf(properties) }),
    ...(required && required.length > 0 && { required: [...required].sort() }),
    ...(items && { items: structuralSchema(items) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: structuralSchema(additionalProperties) }),
    ...(rules.length > 0 && { 'x-kubernetes-validations': rules.map(({ rule, message }) => ({ rule, message })) }),
  };
}
