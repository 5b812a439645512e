import { type Document, isMap, isScalar, Scalar, visit, type YAMLMap } from 'yaml';

/**
 * Kubernetes' tools read `[1.1.1.1, 2001:db8::]` as two texts; YAML 1.2 takes the colon before a comma or bracket for a
 * mapping with an empty value. This makes texts of such items again, in place.
 * @param text what the document was parsed from
 */
export function restoreTrailingColons(document: Document.Parsed, text: string): void {
  // Rare enough that most documents need no walk.
  if (!/:\s*[,\]]/.test(text)) return;
  visit(document, {
    Seq(_, sequence) {
      if (sequence.flow !== true) return undefined;
      sequence.items = sequence.items.map((item) => (isMap(item) ? (asText(item, text) ?? item) : item));
      return undefined;
    },
  });
}

function asText(map: YAMLMap, text: string): Scalar | undefined {
  const [pair] = map.items;
  const key: unknown = pair?.key;
  if (!pair || map.items.length !== 1 || !isScalar(key) || !key.range) return undefined;
  if (key.type !== Scalar.PLAIN || (isScalar(pair.value) ? pair.value.value : pair.value) !== null) return undefined;
  const [start, end] = key.range;
  // `{a:}` and `[? a]` are mappings indeed; so is `[a: ]`, where a space follows.
  if (text[end] !== ':' || !/[,\]]/.test(text[end + 1] ?? '')) return undefined;
  const scalar = new Scalar(text.slice(start, end + 1));
  scalar.range = [start, end + 1, end + 1];
  return scalar;
}
