import { type ChainPolicies, type DestinationFacts, emitEgressListener, type RouteClient } from '@seine/compile';
import type { VirtualService } from '@seine/istio';
import { memo } from '@seine/memo';
import type { MeshConfig } from '@seine/model';
import type { Resource } from '@seine/snapshot';
import type { EgressPort } from './egress.js';
import { listenerEncoder } from './encode-listener.js';
import { l4Scope, withServices } from './l4-scope.js';
import type { Scope } from './scope.js';

const egressListener = memo(
  'egressListener',
  (
    port: EgressPort,
    l4: readonly VirtualService[],
    destinations: readonly DestinationFacts[],
    client: RouteClient,
    policies: ChainPolicies,
    config: MeshConfig,
    explicit: boolean,
    loopback: string,
  ): Resource | undefined => {
    const { bind, listing } = port;
    const services = [...listing.services.values()];
    const scope = { services, l4VirtualServices: l4, destinations, client, policies, config };
    const listener = emitEgressListener({ bind, explicit, loopback, ...scope });
    return listener && listenerEncoder('outbound', policies, config)(listener);
  },
);

/**
 * The listeners of a Sidecar's egress entries that have an address of their own.
 * @param loopback where those stand that state none
 */
export function egressListeners(scope: Scope, policies: ChainPolicies, loopback: string): readonly Resource[] {
  const explicit = scope.kind.withoutOriginalDestination;
  return scope.egress.ports.flatMap((port) => {
    if (port.bind.captured && !explicit) return [];
    const l4Of = l4Scope(port.listing, scope);
    const facts = withServices(l4Of, port.listing.services);
    return egressListener(port, l4Of.l4, facts, l4Of.client, policies, scope.config, explicit, loopback) ?? [];
  });
}
