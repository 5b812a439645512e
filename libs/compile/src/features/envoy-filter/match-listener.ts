import type { Listener } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import type { FilterChain } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import type { EnvoyPatch, PatchTarget } from './patches.js';

/** One listener for all ports: which port is meant, its filter chains say. */
function isVirtual({ name }: Listener): boolean {
  return name === 'virtualInbound' || name === 'virtualOutbound';
}

function portOf({ address }: Listener): number | undefined {
  const socket = address?.address.case === 'socketAddress' ? address.address.value : undefined;
  return socket?.portSpecifier.case === 'portValue' ? socket.portSpecifier.value : undefined;
}

/** In explicit mode an inbound port has a listener of its own: together they are what `virtualInbound` is. */
export function matchesListenerName({ match }: EnvoyPatch, name: string, { context, explicit }: PatchTarget): boolean {
  const wanted = match.listener?.name;
  if (!wanted || wanted === name) return true;
  return wanted === 'virtualInbound' && explicit && context === 'SIDECAR_INBOUND';
}

export function matchesListener(patch: EnvoyPatch, listener: Listener, target: PatchTarget): boolean {
  const { match, applyTo } = patch;
  const wanted = match.listener;
  if (!wanted) return true;
  if (!matchesListenerName(patch, listener.name, target)) return false;
  if (applyTo !== 'LISTENER' && isVirtual(listener)) return true;
  return !wanted.portNumber || portOf(listener) === wanted.portNumber;
}

/** Whether a chain of a listener that matches is meant. */
export function matchesFilterChain({ match }: EnvoyPatch, listener: Listener, chain: FilterChain): boolean {
  const wanted = match.listener;
  if (!wanted) return true;
  const chainMatch = chain.filterChainMatch;
  if (isVirtual(listener) && wanted.portNumber && chainMatch?.destinationPort !== wanted.portNumber) return false;
  const { filterChain } = wanted;
  return !filterChain || ((!filterChain.name || filterChain.name === chain.name) && asksFor(filterChain, chainMatch));
}

type ChainMatch = NonNullable<NonNullable<EnvoyPatch['match']['listener']>['filterChain']>;

/** Whether a chain is for what the patch names; of what it does not name, it may be for anything. */
function asksFor(wanted: ChainMatch, chainMatch: FilterChain['filterChainMatch']): boolean {
  const { sni, transportProtocol, applicationProtocols, destinationPort } = wanted;
  if (sni && !chainMatch?.serverNames.includes(sni)) return false;
  if (transportProtocol && chainMatch?.transportProtocol !== transportProtocol) return false;
  const protocols = applicationProtocols ? applicationProtocols.split(',') : [];
  if (!protocols.every((protocol) => chainMatch?.applicationProtocols.includes(protocol))) return false;
  return !destinationPort || chainMatch?.destinationPort === destinationPort;
}

type Named = { readonly name: string };

/** By which listener filter a place in the list is meant; undefined where none is named. */
export function listenerFilterMatch({ match }: EnvoyPatch): ((filter: Named) => boolean) | undefined {
  const name = match.listener?.listenerFilter;
  return name ? (filter) => filter.name === name : undefined;
}

export function networkFilterMatch({ match }: EnvoyPatch): ((filter: Named) => boolean) | undefined {
  const wanted = match.listener?.filterChain?.filter;
  return wanted && ((filter) => filter.name === (wanted.name ?? ''));
}

export function httpFilterMatch({ match }: EnvoyPatch): ((filter: Named) => boolean) | undefined {
  const wanted = match.listener?.filterChain?.filter?.subFilter;
  return wanted && ((filter) => filter.name === (wanted.name ?? ''));
}
