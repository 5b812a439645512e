import type { Gateway } from '@seine/istio';
import { derivedAnnotations, type InboundPort } from '@seine/model';
import type { GatewayServer } from '../../inputs.js';
import { readServer } from './gateway-servers.js';

/**
 * The ports a gateway workload binds, each with its servers in the order of the Gateways given (oldest first). A
 * Gateway names the port of the gateway's Service; the workload listens on that Service's target port, on several if
 * several Services have the port, and on the number itself if none has; a Gateway that names its Services has only the
 * ports of these.
 * @param inbound the gateway workload's own inbound ports
 */
export function gatewayPorts(
  gateways: readonly Gateway[],
  inbound: readonly Pick<InboundPort, 'servicePort' | 'targetPort'>[],
): ReadonlyMap<number, readonly GatewayServer[]> {
  const ports = new Map<number, GatewayServer[]>();
  for (const gateway of gateways)
    for (const index of (gateway.spec.servers ?? []).keys()) {
      const server = readServer({ gateway, index });
      if (!server) continue;
      for (const bindPort of bindPorts(server.port, gateway, inbound))
        ports.set(bindPort, [...(ports.get(bindPort) ?? []), { gateway, index }]);
    }
  return new Map([...ports].sort(([a], [b]) => a - b));
}

function bindPorts(
  port: number,
  { metadata }: Gateway,
  inbound: readonly Pick<InboundPort, 'servicePort' | 'targetPort'>[],
): readonly number[] {
  const targets = inbound.filter(({ servicePort }) => servicePort === port).map(({ targetPort }) => targetPort);
  if (targets.length > 0) return [...new Set(targets)];
  return metadata.annotations?.[derivedAnnotations.gatewayService] === undefined ? [port] : [];
}
