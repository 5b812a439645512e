import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import type { Listener } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import type { Filter } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { LuaSchema } from '@seine/envoy/envoy/extensions/filters/http/lua/v3/lua_pb.js';
import {
  type HttpFilter,
  HttpFilterSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { WasmModule } from '@seine/model';
import type { ChainContext, ChainPolicies } from '../../inputs.js';
import { singleIdentityName } from '../peer-authentication/single-identity.js';
import { emitHttpWasm, emitNetworkWasm } from '../wasm/wasm-filters.js';
import { type Extension, type ExtensionPhase, readExtension } from './read-extension.js';
import { selectsTraffic } from './traffic-selector.js';

interface Selected {
  readonly extension: Extension;
  readonly module: WasmModule;
}

const none: readonly Selected[] = [];

/** The extensions of a level that run on a chain, by phase, then the higher priority first, then the older. */
function selected({ role, policies, port }: ChainContext, level: Extension['level']): readonly Selected[] {
  if (policies.extensions.length === 0) return none;
  return policies.extensions
    .map(({ resource, module }) => ({ extension: readExtension(resource), module }))
    .filter(({ extension }) => extension.level === level && selectsTraffic(extension.match, role, port))
    .sort((a, b) => (a.extension.priority === b.extension.priority ? 0 : b.extension.priority - a.extension.priority));
}

/** The HTTP filters of WasmPlugins and TrafficExtensions on one chain: a function from the phase. */
export function httpExtensions(context: ChainContext): (phase: ExtensionPhase) => readonly HttpFilter[] {
  const all = selected(context, 'http');
  return (phase) =>
    all
      .filter(({ extension }) => extension.phase === phase)
      .flatMap(({ extension, module }) => (extension.wasm ? emitHttpWasm(extension, module) : emitLua(extension)));
}

const phases: readonly ExtensionPhase[] = ['AUTHN', 'AUTHZ', 'STATS', 'UNSPECIFIED'];

/** The network filters of extensions on one chain, of any protocol: phase after phase. */
function networkExtensions(context: ChainContext): readonly Filter[] {
  const all = selected(context, 'network');
  return phases.flatMap((phase) =>
    all
      .filter(({ extension }) => extension.phase === phase)
      .flatMap(({ extension, module }) => (extension.wasm ? emitNetworkWasm(extension, module) : [])),
  );
}

/** A Lua script needs no module, and every Envoy runs it. */
function emitLua({ filterName, lua }: Extension): readonly HttpFilter[] {
  if (lua === undefined) return [];
  return [
    create(HttpFilterSchema, {
      name: filterName,
      configType: {
        case: 'typedConfig',
        value: toAny(LuaSchema, { defaultSourceCode: { specifier: { case: 'inlineString', value: lua } } }),
      },
    }),
  ];
}

/** Chains that refuse what should not have come: nothing runs there. */
const blackhole = /-blackhole$/;
const manyPorts = /^virtual(Inbound|Outbound)$/;

/** Puts the network filters of extensions in front of what a listener's chains have, in place. */
export function addNetworkExtensions(listener: Listener, context: ChainContext): Listener {
  const { name, address, defaultFilterChain, filterChains } = listener;
  const socket = address?.address.case === 'socketAddress' ? address.address.value.portSpecifier : undefined;
  // What iptables sends to one listener was meant for many ports.
  const own = socket?.case === 'portValue' && !manyPorts.test(name) ? socket.value : undefined;
  const chains = new Set([...filterChains, ...(defaultFilterChain ? [defaultFilterChain] : [])]);
  for (const chain of chains) {
    if (blackhole.test(chain.name)) continue;
    const port = chain.filterChainMatch?.destinationPort ?? own;
    // Who has no identity is cut off before any extension hears of it.
    const guards = chain.filters.filter(({ name }) => name === singleIdentityName);
    const others = chain.filters.filter(({ name }) => name !== singleIdentityName);
    chain.filters = [...guards, ...networkExtensions({ ...context, port }), ...others];
  }
  return listener;
}

/** Whether a policy has anything for `addNetworkExtensions` to do. */
export function hasNetworkExtensions({ extensions }: ChainPolicies): boolean {
  return extensions.some(({ resource }) => readExtension(resource).level === 'network');
}
