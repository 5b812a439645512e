import type { JsonObject, JsonValue } from '@bufbuild/protobuf';

type Variables = Readonly<Record<string, string>>;

const textPrefix = 'ISTIO_META_';
const jsonPrefix = 'ISTIO_METAJSON_';

/** Values of one JSON object each become a key of their own, as Istio's agent reads them. */
function jsonValues(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as JsonValue;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    // No JSON: nothing of it can be metadata.
    return {};
  }
}

/** What environment variables of a proxy say of it: `ISTIO_META_X` is the node's metadata `X` (Istio's agent). */
export function metadataInVariables(variables: Variables = {}): JsonObject {
  const metadata: JsonObject = {};
  for (const [name, value] of Object.entries(variables)) {
    if (name.startsWith(jsonPrefix)) Object.assign(metadata, jsonValues(value));
    else if (name.startsWith(textPrefix)) metadata[name.slice(textPrefix.length)] = value;
  }
  return metadata;
}
