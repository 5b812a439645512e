/** The plural that Kubernetes gives a kind where nothing else is said. */
export function pluralOf(kind: string): string {
  const word = kind.toLowerCase();
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  return /(s|x|ch)$/.test(word) ? `${word}es` : `${word}s`;
}
