import { createRegistry, type DescMessage, type Registry } from '@bufbuild/protobuf';
import { makeRegistry } from './descriptors.js';
import { file_envoy_extensions_filters_http_filter_chain_v3_filter_chain as filterChain } from './filter-chain.js';
import { files as generatedFiles } from './gen/all.js';
import { typeNameOf } from './known-types.js';

const files = [...generatedFiles, filterChain];
let generated: Registry | undefined;
let whole: Registry | undefined;

function generatedTypes(): Registry {
  return (generated ??= createRegistry(...files));
}

function allTypes(): Registry {
  return (whole ??= makeRegistry(files));
}

/**
 * Every message of Envoy's v3 configuration, by full name. Those that this program makes itself are generated code; the
 * others are made from descriptors once one of them is asked for.
 */
const registry: Registry = {
  kind: 'registry',
  get: (name) => generatedTypes().get(name) ?? allTypes().get(name),
  getMessage: (name) => generatedTypes().getMessage(name) ?? allTypes().getMessage(name),
  getEnum: (name) => generatedTypes().getEnum(name) ?? allTypes().getEnum(name),
  getExtension: (name) => generatedTypes().getExtension(name) ?? allTypes().getExtension(name),
  getExtensionFor: (extendee, no) =>
    generatedTypes().getExtensionFor(extendee, no) ?? allTypes().getExtensionFor(extendee, no),
  getService: (name) => generatedTypes().getService(name) ?? allTypes().getService(name),
  [Symbol.iterator]: () => allTypes()[Symbol.iterator](),
};

export function envoyRegistry(): Registry {
  return registry;
}

/** The descriptor of the message in an `Any`; undefined where it is not Envoy's. */
export function messageOfUrl(typeUrl: string): DescMessage | undefined {
  return registry.getMessage(typeNameOf(typeUrl));
}
