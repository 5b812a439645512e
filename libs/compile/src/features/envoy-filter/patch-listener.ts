import type { Listener } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { type FilterChain, FilterChainSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import type { TransportSocket } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { matchesFilterChain, matchesListener } from './match-listener.js';
import { mergeAny } from './merge-message.js';
import { patchFilters, patchInlineRoutes, patchListenerFilters } from './patch-filters.js';
import { listsOf, mergeValue, valueOf } from './patch-lists.js';
import { type EnvoyPatch, isMerge, patchesFor, type PatchInput } from './patches.js';

/**
 * Merges a patch's transport socket into one of the same name, config into config.
 * @returns whether that was the case; else the patch is merged as any other
 */
export function mergeTransportSocket(
  ours: TransportSocket | undefined,
  theirs: TransportSocket | undefined,
  patch: EnvoyPatch,
  refuse: PatchInput['refuse'],
): boolean {
  if (!ours || !theirs || ours.name !== theirs.name) return false;
  const [to, from] = [ours.configType, theirs.configType];
  if (to.case !== 'typedConfig' || from.case !== 'typedConfig') return true;
  const merged = mergeAny(to.value, from.value, listsOf(patch));
  if (merged) ours.configType = { case: 'typedConfig', value: merged };
  else refuse(patch, `the transport socket ${ours.name} has a ${to.value.typeUrl}, not a ${from.value.typeUrl}`);
  return true;
}

/** @returns whether the chain stays */
function patchChain(listener: Listener, chain: FilterChain, input: PatchInput): boolean {
  for (const patch of patchesFor(input, 'FILTER_CHAIN')) {
    if (!matchesListener(patch, listener, input) || !matchesFilterChain(patch, listener, chain)) continue;
    if (patch.operation === 'REMOVE') return false;
    if (!isMerge(patch.operation)) continue;
    const theirs = valueOf(FilterChainSchema, patch).transportSocket;
    if (!mergeTransportSocket(chain.transportSocket, theirs, patch, input.refuse))
      mergeValue(FilterChainSchema, chain, patch);
  }
  patchFilters(listener, chain, input);
  return true;
}

function patchChains(listener: Listener, input: PatchInput): void {
  listener.filterChains = listener.filterChains.filter((chain) => patchChain(listener, chain, input));
  if (listener.defaultFilterChain && !patchChain(listener, listener.defaultFilterChain, input))
    listener.defaultFilterChain = undefined;
  for (const patch of patchesFor(input, 'FILTER_CHAIN'))
    if (patch.operation === 'ADD' && matchesListener(patch, listener, input))
      listener.filterChains.push(valueOf(FilterChainSchema, patch));
}

/**
 * Applies patches to a listener, in place, in Istio's order: its routes, itself, its listener filters, its chains, and
 * in each its network filters and their HTTP filters.
 * @returns undefined where a patch removes it
 */
export function patchListener(listener: Listener, input: PatchInput): Listener | undefined {
  for (const chain of [...listener.filterChains, ...(listener.defaultFilterChain ? [listener.defaultFilterChain] : [])])
    patchInlineRoutes(chain, input);
  for (const patch of patchesFor(input, 'LISTENER')) {
    if (!matchesListener(patch, listener, input)) continue;
    if (patch.operation === 'REMOVE') return undefined;
    if (isMerge(patch.operation)) mergeValue(ListenerSchema, listener, patch);
  }
  patchListenerFilters(listener, input);
  patchChains(listener, input);
  return listener;
}

/** The listeners that patches add. Without a context they are outbound ones, as in Istio. */
export function addedListeners(input: PatchInput): readonly (readonly [EnvoyPatch, Listener])[] {
  return patchesFor(input, 'LISTENER').flatMap((patch) =>
    patch.operation === 'ADD' && !isInboundByChance(patch, input) ? [[patch, valueOf(ListenerSchema, patch)]] : [],
  );
}

/** What is added to a sidecar without a context is added once: to its outbound side. */
export function isInboundByChance({ match }: EnvoyPatch, { context }: PatchInput): boolean {
  return context === 'SIDECAR_INBOUND' && (match.context === undefined || match.context === 'ANY');
}
