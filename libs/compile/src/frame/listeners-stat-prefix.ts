/**
 * A stat prefix with the delimiter by which the tag regexes of the bootstrap tell it from the metric's name: prefixes
 * hold dots (`outbound_0.0.0.0_9080;`, as Istio writes them).
 */
export function delimitedStatPrefix(prefix: string): string {
  return `${prefix};`;
}
