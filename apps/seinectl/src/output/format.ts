/** Machine-readable output: two spaces, keys in the order they were made, one final line break. */
export function renderJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** The same data as {@link renderJson}, as YAML without line folding, anchors or aliases. */
export async function renderYaml(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

export type DataFormat = 'json' | 'yaml';

export async function renderData(value: unknown, format: DataFormat): Promise<string> {
  return format === 'json' ? renderJson(value) : renderYaml(value);
}

/** `12s`, `5m`, `3h`, `4d`: how long ago, as kubectl rounds it. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}
