import type { TrafficExtension, TrafficSelector, WasmPlugin } from '@seine/istio';
import type { ChainRole } from '../../inputs.js';

/** A gateway counts as a client, as in Istio. */
const modeOf: Readonly<Record<ChainRole, TrafficSelector['mode']>> = {
  inbound: 'SERVER',
  outbound: 'CLIENT',
  gateway: 'CLIENT',
};

function isMode({ mode = 'UNDEFINED' }: TrafficSelector, role: ChainRole): boolean {
  return mode === 'UNDEFINED' || mode === 'CLIENT_AND_SERVER' || mode === modeOf[role];
}

/** Whether `match` lets an extension run on one side of a proxy, on some port. */
export function concernsRole({ spec }: WasmPlugin | TrafficExtension, role: ChainRole): boolean {
  return !spec.match?.length || spec.match.some((selector) => isMode(selector, role));
}

/**
 * Whether `match` lets an extension run on a filter chain; all when it has no entries.
 * @param port see ChainContext; where a chain has none, extensions for certain ports do not run there
 */
export function selectsTraffic(match: readonly TrafficSelector[], role: ChainRole, port: number | undefined): boolean {
  if (match.length === 0) return true;
  return match.some(
    (selector) =>
      isMode(selector, role) && (!selector.ports?.length || selector.ports.some(({ number }) => number === port)),
  );
}
