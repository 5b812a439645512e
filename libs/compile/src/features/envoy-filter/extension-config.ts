import type { Any } from '@bufbuild/protobuf/wkt';
import type { ExtensionConfigSource } from '@seine/envoy/envoy/config/core/v3/config_source_pb.js';
import { TypedExtensionConfigSchema } from '@seine/envoy/envoy/config/core/v3/extension_pb.js';
import { authorizationFilterName } from '../authorization-policy/discovered-authorization.js';
import { valueOf } from './patch-lists.js';
import type { PatchInput } from './patches.js';

interface Configured {
  readonly name: string;
  configType: { readonly case: string | undefined; readonly value?: unknown };
}

/** The configs that EXTENSION_CONFIG patches add, by name; of two with one name the later one counts. */
function addedConfigs({ patches }: PatchInput): ReadonlyMap<string, Any> {
  const found = new Map<string, Any>();
  for (const patch of patches.get('EXTENSION_CONFIG') ?? []) {
    if (patch.operation !== 'ADD') continue;
    const { name, typedConfig } = valueOf(TypedExtensionConfigSchema, patch);
    if (typedConfig) found.set(name, typedConfig);
  }
  return found;
}

/** Filters of WasmPlugins and TrafficExtensions: Seine serves their configs itself, as modules are large. */
const ofExtensions = 'extensions.istio.io/';

/** Whether a filter waits for a config from the control plane that no other resource gives it. */
export function awaitsPatch({ name, configType }: Configured): boolean {
  if (configType.case !== 'configDiscovery') return false;
  if (name.startsWith(ofExtensions) || name === authorizationFilterName) return false;
  return (configType.value as ExtensionConfigSource).configSource?.configSourceSpecifier.case === 'ads';
}

/**
 * Gives filters that would discover their config (ECDS) from the control plane the one that an EXTENSION_CONFIG patch
 * has for them, else their default. Filter and config then change in one step: no listener warms for want of a config
 * that comes later, or loses it before the filter that needs it. Configs from elsewhere (`path_config_source`, another
 * server) are left.
 */
export function inlineDiscovered(filters: readonly Configured[], input: PatchInput): void {
  const waiting = filters.filter(awaitsPatch);
  if (waiting.length === 0) return;
  const configs = addedConfigs(input);
  for (const filter of waiting) {
    const config = configs.get(filter.name) ?? (filter.configType.value as ExtensionConfigSource).defaultConfig;
    if (config) filter.configType = { case: 'typedConfig', value: config };
  }
}
