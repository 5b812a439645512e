import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { toAny } from '@seine/envoy';
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
import type { WasmSettings } from '@seine/istio';
import type { WasmModule } from '@seine/model';
import { fractionOfPercent } from '../routing/fraction.js';
import type { Extension } from '../traffic-extension/read-extension.js';
import { emitPluginConfig } from './plugin-config.js';

const unavailable = 503;

/**
 * The filter that runs a module over requests. While the module cannot be had, `failStrategy` decides: FAIL_OPEN leaves
 * the filter out, everything else refuses requests, as what the module would have checked is not known.
 */
export function emitHttpWasm(extension: Extension, settings: WasmSettings, module: WasmModule): readonly HttpFilter[] {
  const { filterName, pluginName } = extension;
  const filter = (config: Any) => [
    create(HttpFilterSchema, { name: filterName, configType: { case: 'typedConfig', value: config } }),
  ];
  if (module.state !== 'missing')
    return filter(toAny(HttpWasmSchema, { config: emitPluginConfig(pluginName, settings, module) }));
  if (settings.failStrategy === 'FAIL_OPEN') return [];
  const abort = {
    errorType: { case: 'httpStatus' as const, value: unavailable },
    percentage: fractionOfPercent(100),
  };
  return filter(toAny(HTTPFaultSchema, { abort }));
}

/** The same for connections: those that are to be refused are closed. */
export function emitNetworkWasm(extension: Extension, settings: WasmSettings, module: WasmModule): readonly Filter[] {
  const { filterName, pluginName } = extension;
  const filter = (config: Any) => [
    create(FilterSchema, { name: filterName, configType: { case: 'typedConfig', value: config } }),
  ];
  if (module.state !== 'missing')
    return filter(toAny(NetworkWasmSchema, { config: emitPluginConfig(pluginName, settings, module) }));
  if (settings.failStrategy === 'FAIL_OPEN') return [];
  // Rules that allow nothing.
  return filter(toAny(RBACSchema, { statPrefix: `${pluginName}.`, rules: { action: RBAC_Action.ALLOW } }));
}
