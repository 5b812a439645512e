import type { JsonObject } from '@bufbuild/protobuf';

/** Longest part of a refused value that an error message repeats. */
const quotedLength = 80;

export function quote(value: string): string {
  return JSON.stringify(value.length > quotedLength ? `${value.slice(0, quotedLength)}…` : value);
}

/** Metadata as text: Envoys send numbers and booleans too (`HTTP_PROXY_PORT: 15007`, `DNS_CAPTURE: true`). */
export function text(metadata: JsonObject, key: string): string {
  const value = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
