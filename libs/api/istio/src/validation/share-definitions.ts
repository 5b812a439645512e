import type { JsonSchema } from '@seine/k8s';

type Definitions = Record<string, object>;

/** The keywords that the validator does not look at; kept out of what it compiles. */
const annotations: ReadonlySet<string> = new Set(['description', 'x-kubernetes-validations', 'x-seine-fallback']);

/**
 * The same schema with every message in `$defs` once, instead of written out wherever it is used. A DestinationRule
 * compiles several times faster so: its traffic policy occurs four times, with ports and subsets.
 */
export function shareDefinitions(schema: JsonSchema): object {
  const names = new Map<object, string>();
  const definitions: Definitions = {};

  const shareMap = (schemas: Readonly<Record<string, JsonSchema>>): Definitions =>
    Object.fromEntries(Object.entries(schemas).map(([name, field]) => [name, share(field)]));

  const shareContent = (current: JsonSchema): object => {
    const { properties, items, additionalProperties, ...rest } = current;
    const kept = Object.fromEntries(Object.entries(rest).filter(([keyword]) => !annotations.has(keyword)));
    return {
      ...kept,
      ...(properties && { properties: shareMap(properties) }),
      ...(items && { items: share(items) }),
      ...(additionalProperties !== undefined && {
        additionalProperties:
          typeof additionalProperties === 'object' ? share(additionalProperties) : additionalProperties,
      }),
    };
  };

  // A message that is used in several places is copied there, but its table of fields stays the same object.
  const share = (current: JsonSchema): object => {
    if (!current.properties) return shareContent(current);
    let name = names.get(current.properties);
    if (name === undefined) {
      name = `message${names.size}`;
      names.set(current.properties, name);
      definitions[name] = shareContent(current);
    }
    return { $ref: `#/$defs/${name}` };
  };

  const root = share(schema);
  return { ...root, $defs: definitions };
}
