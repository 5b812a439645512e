import { fromBinary } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { toAny, typeNameOf } from '@seine/envoy';
import type { Listener } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import {
  type Filter,
  type FilterChain,
  FilterSchema,
  ListenerFilterSchema,
} from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import {
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
  HttpFilterSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { isTerminal, placeToAdd } from './filter-order.js';
import { inlineDiscovered } from './extension-config.js';
import {
  httpFilterMatch,
  listenerFilterMatch,
  matchesFilterChain,
  matchesListener,
  networkFilterMatch,
} from './match-listener.js';
import { mergeAny } from './merge-message.js';
import { editList, listsOf, valueOf } from './patch-lists.js';
import { patchRouteConfiguration } from './patch-route.js';
import { type EnvoyPatch, isMerge, patchesFor, type PatchInput } from './patches.js';

interface Configured {
  name: string;
  configType: { readonly case: string | undefined; readonly value?: unknown };
}

/** Merges into a filter: its name, and its config where both are of one type. */
function mergeFilter(target: Configured, source: Configured, patch: EnvoyPatch, refuse: PatchInput['refuse']): void {
  const [ours, theirs] = [target.configType, source.configType];
  // Filters whose config is elsewhere have nothing to merge into.
  if (ours.case !== 'typedConfig') return;
  if (theirs.case === 'typedConfig') {
    const [to, from] = [ours.value as Any, theirs.value as Any];
    const merged = mergeAny(to, from, listsOf(patch));
    if (!merged) {
      refuse(patch, `the filter ${target.name} has a ${typeNameOf(to.typeUrl)}, not a ${typeNameOf(from.typeUrl)}`);
      return;
    }
    target.configType = { case: 'typedConfig', value: merged };
  }
  if (source.name) target.name = source.name;
}

/** A manager unpacked, and the way back. */
function editManager(filter: Filter, edit: (manager: HttpConnectionManager) => void): void {
  if (filter.configType.case !== 'typedConfig') return;
  const any = filter.configType.value;
  if (typeNameOf(any.typeUrl) !== HttpConnectionManagerSchema.typeName) return;
  const manager = fromBinary(HttpConnectionManagerSchema, any.value);
  edit(manager);
  filter.configType = { case: 'typedConfig', value: toAny(HttpConnectionManagerSchema, manager) };
}

const managerName = 'envoy.filters.network.http_connection_manager';

function patchManager(
  filter: Filter,
  input: PatchInput,
  isMeant: (patch: EnvoyPatch, filter: Filter) => boolean,
): void {
  const patches = patchesFor(input, 'HTTP_FILTER').filter((patch) => isMeant(patch, filter));
  if (patches.length === 0 && !input.patches.has('EXTENSION_CONFIG')) return;
  editManager(filter, (manager) => {
    for (const patch of patches) {
      const place = { matches: httpFilterMatch(patch), addAt: placeToAdd(manager.httpFilters, patch.filterClass) };
      const value = () => valueOf(HttpFilterSchema, patch);
      manager.httpFilters = editList(manager.httpFilters, patch.operation, value, place);
    }
    for (const item of manager.httpFilters)
      for (const patch of patches)
        if (isMerge(patch.operation) && (httpFilterMatch(patch)?.(item) ?? true))
          mergeFilter(item, valueOf(HttpFilterSchema, patch), patch, input.refuse);
    inlineDiscovered(manager.httpFilters, input);
  });
}

/** Network filters of a chain, and the HTTP filters in them. */
export function patchFilters(listener: Listener, chain: FilterChain, input: PatchInput): void {
  const isInChain = (patch: EnvoyPatch): boolean =>
    matchesListener(patch, listener, input) && matchesFilterChain(patch, listener, chain);
  const isMeant = (patch: EnvoyPatch, filter: Filter): boolean =>
    isInChain(patch) && (networkFilterMatch(patch)?.(filter) ?? true);
  const patches = patchesFor(input, 'NETWORK_FILTER').filter(isInChain);
  for (const patch of patches) {
    const place = { matches: networkFilterMatch(patch), addAt: placeToAdd(chain.filters, patch.filterClass) };
    chain.filters = editList(chain.filters, patch.operation, () => valueOf(FilterSchema, patch), place);
  }
  for (const filter of chain.filters) {
    for (const patch of patches)
      if (isMerge(patch.operation) && isMeant(patch, filter))
        mergeFilter(filter, valueOf(FilterSchema, patch), patch, input.refuse);
    if (filter.name === managerName) patchManager(filter, input, isMeant);
  }
  inlineDiscovered(chain.filters, input);
}

export function patchListenerFilters(listener: Listener, input: PatchInput): void {
  for (const patch of patchesFor(input, 'LISTENER_FILTER')) {
    if (!matchesListener(patch, listener, input)) continue;
    const matches = listenerFilterMatch(patch);
    if (isMerge(patch.operation)) {
      if (matches)
        for (const filter of listener.listenerFilters.filter(matches))
          mergeFilter(filter, valueOf(ListenerFilterSchema, patch), patch, input.refuse);
    } else {
      const value = () => valueOf(ListenerFilterSchema, patch);
      listener.listenerFilters = editList(listener.listenerFilters, patch.operation, value, { matches });
    }
  }
  inlineDiscovered(listener.listenerFilters, input);
}

/** Routes that stand in the listener itself, as those of inbound ports do. */
export function patchInlineRoutes(chain: FilterChain, input: PatchInput): void {
  for (const filter of chain.filters.filter(isTerminal))
    editManager(filter, ({ routeSpecifier }) => {
      if (routeSpecifier.case === 'routeConfig') patchRouteConfiguration(routeSpecifier.value, input);
    });
}
