import type { VirtualService } from '@seine/istio';
import type { Listener } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import type { MeshConfig, MeshService, Proxy } from '@seine/model';
import type { ChainPolicies, DestinationFacts, RouteClient } from '../../inputs.js';
import { emitServiceListener } from '../outbound-listeners/outbound-listeners.js';
import { loopbackAddresses, usesLoopback } from './loopback-addresses.js';

export interface LoopbackListenersInput {
  readonly proxy: Pick<Proxy, 'outboundCidr'>;
  /** Services the client sees. */
  readonly services: readonly MeshService[];
  /** As in OutboundListenerInput. */
  readonly l4VirtualServices: readonly VirtualService[];
  readonly destinations: readonly DestinationFacts[];
  readonly client: RouteClient;
  readonly policies?: ChainPolicies | undefined;
  readonly config: MeshConfig;
}

/**
 * INTERCEPTION_MODE NONE: a bound listener `<address>_<port>` for each port that no HTTP proxy serves, on the service's
 * loopback address. HTTP/2 and sniffed ports use the RDS resource `<host>:<port>`.
 */
export function emitLoopbackListeners(input: LoopbackListenersInput): Listener[] {
  const { proxy, services, ...scope } = input;
  const addresses = loopbackAddresses(proxy, services);
  return services.flatMap((service) => {
    const address = addresses.get(service.host);
    if (address === undefined) return [];
    const ports = service.ports.filter(usesLoopback);
    return ports.map((port) =>
      emitServiceListener(address, [{ service, port }], { ...scope, port: port.port }, { bindToPort: true }),
    );
  });
}
