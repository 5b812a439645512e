/** A stretch of a file between two document markers: what is parsed, and kept, as one. */
export interface Chunk {
  readonly text: string;
  /** Line of the file on which the text begins, from 1. */
  readonly line: number;
}

const marker = /^---(?=[ \t\r\n]|$)/gm;
const directive = /^%/m;

function linesIn(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

/**
 * Splits a YAML stream at its `---` lines. That is safe without parsing: at the start of a line the marker ends a
 * document even within a block or quoted scalar (YAML 1.2.2, 9.1.2). Text before the first marker that holds
 * directives stays with the document it speaks of.
 */
export function splitDocuments(text: string): readonly Chunk[] {
  const starts = [...text.matchAll(marker)].map((match) => match.index);
  const [first] = starts;
  if (first === undefined) return [{ text, line: 1 }];
  if (first > 0) {
    if (directive.test(text.slice(0, first))) starts[0] = 0;
    else starts.unshift(0);
  }
  let line = 1;
  return starts.map((start, i) => {
    const chunk = { text: text.slice(start, starts[i + 1]), line };
    line += linesIn(chunk.text);
    return chunk;
  });
}
