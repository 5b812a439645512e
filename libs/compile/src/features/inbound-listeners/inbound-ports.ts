import { type InboundPort, parseProtocol } from '@seine/model';
import type { InboundInput } from '../../inputs.js';

/**
 * The ports on which a workload is served, one entry a port: those of a Sidecar's `ingress` where it has any, else
 * those of the services that select the workload. Where two services name one target port, the first (by host)
 * decides the protocol. UDP ports and
 * ports that the proxy itself listens on are left out.
 */
export function inboundPorts(input: Pick<InboundInput, 'workload' | 'sidecar' | 'config'>): readonly InboundPort[] {
  const reserved = new Set([input.config.proxyListenPort, input.config.proxyInboundListenPort]);
  const byPort = new Map<number, InboundPort>();
  for (const port of sidecarPorts(input) ?? input.workload?.inbound ?? [])
    if (port.protocol !== 'UDP' && !reserved.has(port.targetPort) && !byPort.has(port.targetPort))
      byPort.set(port.targetPort, port);
  return [...byPort.values()].sort((a, b) => a.targetPort - b.targetPort);
}

function sidecarPorts({ sidecar, workload }: Pick<InboundInput, 'workload' | 'sidecar'>): InboundPort[] | undefined {
  const ingress = sidecar?.spec.ingress;
  if (!ingress || ingress.length === 0) return undefined;
  return ingress.flatMap(({ port }) => {
    const number = port.number;
    if (number === undefined) return [];
    const service = workload?.inbound.find((declared) => declared.targetPort === number);
    return [
      {
        targetPort: number,
        servicePort: service?.servicePort ?? number,
        serviceHost: service?.serviceHost ?? '',
        portName: port.name ?? '',
        protocol: parseProtocol(port.protocol ?? '') ?? 'TCP',
      },
    ];
  });
}
