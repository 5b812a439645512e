import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { durationOf, toAny } from '@seine/envoy';
import { ApiVersion } from '@seine/envoy/envoy/config/core/v3/config_source_pb.js';
import { type ExtensionConfigSourceSchema } from '@seine/envoy/envoy/config/core/v3/config_source_pb.js';
import {
  type TypedExtensionConfig,
  TypedExtensionConfigSchema,
} from '@seine/envoy/envoy/config/core/v3/extension_pb.js';
import { type Filter, FilterSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { RBAC_Action } from '@seine/envoy/envoy/config/rbac/v3/rbac_pb.js';
import { HTTPFaultSchema } from '@seine/envoy/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { WasmSchema as HttpWasmSchema } from '@seine/envoy/envoy/extensions/filters/http/wasm/v3/wasm_pb.js';
import {
  type HttpFilter,
  HttpFilterSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { RBACSchema } from '@seine/envoy/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
import { WasmSchema as NetworkWasmSchema } from '@seine/envoy/envoy/extensions/filters/network/wasm/v3/wasm_pb.js';
import type { WasmModule } from '@seine/model';
import type { Fragment } from '../../frame/clusters-fragment.js';
import type { ChainExtension } from '../../inputs.js';
import { fractionOfPercent } from '../routing/fraction.js';
import { type Extension, readExtension } from '../traffic-extension/read-extension.js';
import { emitPluginConfig } from './plugin-config.js';

const unavailable = 503;
const typePrefix = 'type.googleapis.com/';

/**
 * Whether a module has a filter in the chains. While it cannot be had, `failStrategy` decides: FAIL_OPEN leaves the filter
 * out; everything else refuses requests, as what the module would have checked is not known.
 */
function isInChains({ wasm }: Extension, module: WasmModule): boolean {
  return module.state !== 'missing' || wasm?.failStrategy !== 'FAIL_OPEN';
}

/** The place of a module among the HTTP filters. What stands there is a resource of its own (`emitExtensionConfig`). */
export function emitHttpWasm(extension: Extension, module: WasmModule): readonly HttpFilter[] {
  if (!isInChains(extension, module)) return [];
  const value = discovery(HttpWasmSchema.typeName, HTTPFaultSchema.typeName);
  return [create(HttpFilterSchema, { name: extension.filterName, configType: { case: 'configDiscovery', value } })];
}

/** The same among the network filters. */
export function emitNetworkWasm(extension: Extension, module: WasmModule): readonly Filter[] {
  if (!isInChains(extension, module)) return [];
  const value = discovery(NetworkWasmSchema.typeName, RBACSchema.typeName);
  return [create(FilterSchema, { name: extension.filterName, configType: { case: 'configDiscovery', value } })];
}

function discovery(...typeNames: readonly string[]): Fragment<typeof ExtensionConfigSourceSchema> {
  return {
    configSource: {
      configSourceSpecifier: { case: 'ads', value: {} },
      // A chain waits for its module: traffic that passed without would not have been checked.
      initialFetchTimeout: durationOf(0),
      resourceApiVersion: ApiVersion.V3,
    },
    typeUrls: typeNames.map((name) => `${typePrefix}${name}`),
  };
}

/**
 * What stands in a module's place: the module with its settings; what refuses requests or closes connections while it
 * cannot be had; undefined where there is no such place.
 */
export function emitExtensionConfig({ resource, module }: ChainExtension): TypedExtensionConfig | undefined {
  const extension = readExtension(resource);
  if (!extension.wasm || !isInChains(extension, module)) return undefined;
  return create(TypedExtensionConfigSchema, {
    name: extension.filterName,
    typedConfig: extension.level === 'http' ? httpConfig(extension, module) : networkConfig(extension, module),
  });
}

function httpConfig({ pluginName, wasm }: Extension, module: WasmModule): Any {
  if (wasm && module.state !== 'missing')
    return toAny(HttpWasmSchema, { config: emitPluginConfig(pluginName, wasm, module) });
  const errorType = { case: 'httpStatus' as const, value: unavailable };
  return toAny(HTTPFaultSchema, { abort: { errorType, percentage: fractionOfPercent(100) } });
}

function networkConfig({ pluginName, wasm }: Extension, module: WasmModule): Any {
  if (wasm && module.state !== 'missing')
    return toAny(NetworkWasmSchema, { config: emitPluginConfig(pluginName, wasm, module) });
  // Rules that allow nothing.
  return toAny(RBACSchema, { statPrefix: `${pluginName}.`, rules: { action: RBAC_Action.ALLOW } });
}
