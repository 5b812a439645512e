/** The scope that is every namespace. */
export const everywhere = '*';

/** The namespaces that `exportTo` opens an object to; nothing written is every namespace. */
export function scopesOf(exportTo: readonly string[], namespace: string): readonly string[] {
  if (exportTo.length === 0 || exportTo.includes(everywhere)) return [everywhere];
  return [...new Set(exportTo.map((scope) => (scope === '.' ? namespace : scope)))];
}
