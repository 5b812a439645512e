import { memo } from '@seine/memo';
import { diffSets, type Resource, ResourceSet, type SetDiff } from '@seine/snapshot';
import { NameSet } from './name-set.js';
import { fieldSize, writeFieldHead, writeString } from './protobuf-scan.js';

/** State-of-the-world or incremental: the two forms of the protocol differ in how resources are wrapped. */
export type Variant = 'sotw' | 'delta';

/**
 * Encoded resources of a response, ready to be sent, with what they are. Encoded once, sent to every stream that takes
 * the same step; nonce and version go into a small tail of each stream's own.
 */
export interface Chunk {
  /** In order; large resources stand in it as they are, not copied. */
  readonly parts: readonly Buffer[];
  readonly size: number;
  readonly resources: readonly Resource[];
  readonly removed: readonly string[];
}

export const emptyChunk: Chunk = Object.freeze({ parts: [], size: 0, resources: [], removed: [] });

let encodedChunks = 0;
/** How many bodies were encoded so far: what the tests of speed rule 4 count. */
export function chunkEncodings(): number {
  return encodedChunks;
}

/** From here on a resource's bytes are sent from where they are instead of being copied into the body. */
const shareFrom = 64 * 1024;

/** Collects a body: small things are copied into runs of bytes, large ones are referred to. */
class BodyWriter {
  readonly parts: Buffer[] = [];
  private run: Buffer;
  private at = 0;

  constructor(copied: number) {
    this.run = Buffer.allocUnsafeSlow(copied);
  }

  head(field: number, length: number): void {
    this.at = writeFieldHead(this.run, this.at, field, length);
  }

  text(field: number, value: string, length: number): void {
    this.at = writeString(this.run, this.at, field, value, length);
  }

  bytes(value: Buffer): void {
    if (value.length < shareFrom) {
      this.at += value.copy(this.run, this.at);
      return;
    }
    this.finish();
    this.parts.push(value);
  }

  /** Ends the current run of copied bytes. */
  finish(): void {
    if (this.at > 0) this.parts.push(this.run.subarray(0, this.at));
    this.run = this.run.subarray(this.at);
    this.at = 0;
  }
}

function anySize(typeUrl: string, resource: Resource): number {
  return fieldSize(typeUrl.length) + fieldSize(resource.bytes.length);
}

function writeAny(body: BodyWriter, typeUrl: string, resource: Resource): void {
  body.text(1, typeUrl, typeUrl.length);
  body.head(2, resource.bytes.length);
  body.bytes(resource.bytes);
}

/** Size of an envoy.service.discovery.v3.Resource: version = 1, resource = 2, name = 3. */
function wrappedSize(typeUrl: string, resource: Resource): number {
  return (
    fieldSize(resource.version.length) +
    fieldSize(anySize(typeUrl, resource)) +
    fieldSize(Buffer.byteLength(resource.name))
  );
}

function writeWrapped(body: BodyWriter, typeUrl: string, resource: Resource): void {
  body.text(1, resource.version, resource.version.length);
  body.head(2, anySize(typeUrl, resource));
  writeAny(body, typeUrl, resource);
  body.text(3, resource.name, Buffer.byteLength(resource.name));
}

/** `repeated resources = 2` (Any or Resource) and, in delta, `repeated string removed_resources = 6`. */
export function encodeChunk(
  variant: Variant,
  typeUrl: string,
  resources: readonly Resource[],
  removed: readonly string[],
): Chunk {
  if (resources.length === 0 && removed.length === 0) return emptyChunk;
  encodedChunks++;
  const sizeOf = variant === 'delta' ? wrappedSize : anySize;
  const write = variant === 'delta' ? writeWrapped : writeAny;
  const gone = variant === 'delta' ? removed : [];
  let size = 0;
  let shared = 0;
  for (const item of resources) {
    size += fieldSize(sizeOf(typeUrl, item));
    if (item.bytes.length >= shareFrom) shared += item.bytes.length;
  }
  for (const name of gone) size += fieldSize(Buffer.byteLength(name));
  const body = new BodyWriter(size - shared);
  for (const item of resources) {
    body.head(2, sizeOf(typeUrl, item));
    write(body, typeUrl, item);
  }
  for (const name of gone) body.text(6, name, Buffer.byteLength(name));
  body.finish();
  return Object.freeze({ parts: Object.freeze(body.parts), size, resources, removed });
}

/** The step that a diff describes, cut down to the names of a subscription (undefined = all). */
export const diffChunk = memo(
  'diffChunk',
  (diff: SetDiff, only: NameSet | undefined, variant: Variant, typeUrl: string): Chunk =>
    only
      ? encodeChunk(
          variant,
          typeUrl,
          diff.changed.filter((r) => only.has(r.name)),
          diff.removed.filter((n) => only.has(n)),
        )
      : encodeChunk(variant, typeUrl, diff.changed, diff.removed),
);

/** All of a set. */
export function fullChunk(set: ResourceSet, variant: Variant, typeUrl: string): Chunk {
  return diffChunk(diffSets(ResourceSet.empty, set), undefined, variant, typeUrl);
}

/** What a set holds of these names. */
export const namesChunk = memo(
  'namesChunk',
  (set: ResourceSet, names: NameSet, variant: Variant, typeUrl: string): Chunk => {
    const found: Resource[] = [];
    for (const name of names.names) {
      const item = set.get(name);
      if (item) found.push(item);
    }
    return encodeChunk(variant, typeUrl, found, []);
  },
);

export const changedNames = memo('changedNames', (diff: SetDiff): NameSet =>
  NameSet.of(diff.changed.map((r) => r.name)),
);

export function removalChunk(variant: Variant, typeUrl: string, removed: readonly string[]): Chunk {
  return encodeChunk(variant, typeUrl, [], removed);
}

/** The rest of a response: type_url = 4, nonce = 5, and the version = 1 (system_version_info in delta). */
export function encodeTail(typeUrl: string, version: string, nonce: string): Buffer {
  const buf = Buffer.allocUnsafe(fieldSize(typeUrl.length) + fieldSize(version.length) + fieldSize(nonce.length));
  let at = writeString(buf, 0, 4, typeUrl, typeUrl.length);
  at = writeString(buf, at, 1, version, version.length);
  writeString(buf, at, 5, nonce, nonce.length);
  return buf;
}
