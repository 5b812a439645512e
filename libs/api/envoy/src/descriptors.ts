import { inflateRawSync } from 'node:zlib';
import { createFileRegistry, createRegistry, type DescFile, fromBinary, type Registry } from '@bufbuild/protobuf';
import { protoCamelCase } from '@bufbuild/protobuf/reflect';
import { base64Decode } from '@bufbuild/protobuf/wire';
import * as wkt from '@bufbuild/protobuf/wkt';
import { descriptors } from './gen/descriptors.js';

const wellKnown = Object.values(wkt).filter(
  (value): value is DescFile => typeof value === 'object' && 'kind' in value && value.kind === 'file',
);

/** Descriptors made for Python come without JSON names. */
function addJsonNames({ field, nestedType }: wkt.DescriptorProto): void {
  for (const item of field) item.jsonName ||= protoCamelCase(item.name);
  nestedType.forEach(addJsonNames);
}

/**
 * Makes a registry of every message of Envoy's v3 configuration.
 * @param generated files that exist as code: their messages are taken as they are, so that all share them
 */
export function makeRegistry(generated: readonly DescFile[]): Registry {
  const set = fromBinary(wkt.FileDescriptorSetSchema, inflateRawSync(base64Decode(descriptors)));
  const known = new Map([...wellKnown, ...generated].map((file) => [`${file.name}.proto`, file]));
  for (const proto of set.file) {
    if (known.has(proto.name)) continue;
    proto.messageType.forEach(addJsonNames);
    const file = createFileRegistry(proto, (name) => known.get(name)).getFile(proto.name);
    if (file) known.set(proto.name, file);
  }
  return createRegistry(...known.values());
}
