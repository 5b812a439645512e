import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
} from 'yaml';

export type FieldPath = readonly (string | number)[];

const step = /\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g;

/** Reads `spec.http[0].headers["x-a"]` as its steps. */
export function parseFieldPath(path: string): FieldPath {
  return [...path.matchAll(step)].map(([, index, quoted, name]) =>
    index !== undefined ? Number(index) : (quoted ?? name ?? ''),
  );
}

interface Found {
  /** What the step names: the key of a map's pair where there is one, since that is where people look. */
  readonly at: Node;
  readonly value: unknown;
  readonly used: number;
}

/** Field names may be written as in the proto file; paths name them as in JSON. */
function isSpelling(written: unknown, name: string): boolean {
  const text = String(written);
  return text === name || text.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) === name;
}

/** One step down; a key that holds dots (a label's name) takes as many steps as it takes to spell it. */
function descend(node: unknown, steps: FieldPath): Found | undefined {
  if (!isCollection(node)) return undefined;
  if (!isMap(node)) {
    const item = typeof steps[0] === 'number' ? node.items[steps[0]] : undefined;
    return isNode(item) ? { at: item, value: item, used: 1 } : undefined;
  }
  for (let used = 1; used <= steps.length; used++) {
    const key = steps.slice(0, used).join('.');
    const pair = node.items.find((item) => isPair(item) && isNode(item.key) && isSpelling(item.key, key));
    if (pair && isNode(pair.key)) return { at: pair.key, value: pair.value, used };
  }
  return undefined;
}

/** Counts from 1. */
interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where a field stands in YAML that is itself the text of a field, written as a literal block (`|`), as in a ConfigMap. */
function positionInBlock(
  { value, range, type }: Scalar,
  lines: LineCounter,
  steps: FieldPath,
  text: string,
): Position | undefined {
  if (type !== 'BLOCK_LITERAL' || typeof value !== 'string' || !range) return undefined;
  const innerLines = new LineCounter();
  const inner = parseDocument(value, { lineCounter: innerLines, uniqueKeys: false });
  if (inner.errors.length > 0 || !inner.contents) return undefined;
  const position = positionInDocument(inner, innerLines, steps, value);
  const first = lines.linePos(range[0]).line + 1;
  const content = text.split('\n').slice(first - 1);
  const indent = content.find((line) => line.trim() !== '')?.search(/\S/) ?? 0;
  return { line: first + position.line - 1, column: position.column + indent };
}

/**
 * Where a field stands in a parsed document, or the nearest thing above it that is there.
 * @param text what the document was parsed from
 */
export function positionInDocument(
  document: Document.Parsed,
  lines: LineCounter,
  steps: FieldPath,
  text: string,
): Position {
  let at: Node | null = document.contents;
  let value: unknown = document.contents;
  for (let rest = steps; rest.length > 0;) {
    const found = descend(value, rest);
    const inside = found || !isScalar(value) ? undefined : positionInBlock(value, lines, rest, text);
    if (inside) return inside;
    if (!found) break;
    at = found.at;
    value = found.value;
    rest = rest.slice(found.used);
  }
  const { line, col } = lines.linePos(at?.range?.[0] ?? document.range[0]);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
