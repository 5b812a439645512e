import { gunzipSync } from 'node:zlib';
import { maxModuleBytes } from './download.js';
import { FetchFailure } from './fetch-failure.js';

const wasmMagic = Buffer.from([0x00, 0x61, 0x73, 0x6d]);
const gzipMagic = Buffer.from([0x1f, 0x8b]);

export function isWasm(bytes: Buffer): boolean {
  return bytes.subarray(0, 4).equals(wasmMagic);
}

function gunzip(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxModuleBytes });
  } catch {
    throw new FetchFailure('it is no gzip, or too large when unpacked', true);
  }
}

const block = 512;

/** A field of a header: up to its first NUL. */
function text(field: Buffer): string {
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? field.length : end).toString();
}

/** Regular files of a tar archive (POSIX ustar): name and content. */
export function* filesOfTar(bytes: Buffer): Generator<{ readonly name: string; readonly content: Buffer }> {
  for (let at = 0; at + block <= bytes.length;) {
    const header = bytes.subarray(at, at + block);
    if (header.every((byte) => byte === 0)) return;
    const size = Number.parseInt(text(header.subarray(124, 136)).trim() || '0', 8);
    if (!Number.isSafeInteger(size) || size < 0 || at + block + size > bytes.length) return;
    const type = header[156];
    if (type === 0 || type === 0x30)
      yield { name: text(header.subarray(0, 100)), content: bytes.subarray(at + block, at + block + size) };
    at += block + Math.ceil(size / block) * block;
  }
}

/**
 * The module in what a server gave: itself, or packed by gzip, tar or both. Of an archive the file `plugin.wasm`, else the
 * first that is a module. @throws FetchFailure
 */
export function unpackModule(bytes: Buffer): Buffer {
  if (isWasm(bytes)) return bytes;
  if (bytes.subarray(0, 2).equals(gzipMagic)) {
    const inner = gunzip(bytes);
    return isWasm(inner) ? inner : moduleOfTar(inner);
  }
  return moduleOfTar(bytes);
}

function moduleOfTar(bytes: Buffer): Buffer {
  const modules = [...filesOfTar(bytes)].filter(({ content }) => isWasm(content));
  const named = modules.find(({ name }) => name.replace(/^\.?\//, '') === 'plugin.wasm') ?? modules[0];
  if (!named) throw new FetchFailure('there is no WebAssembly module in it', true);
  return Buffer.from(named.content);
}
