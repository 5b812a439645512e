import type { IstioIngressListener } from '@seine/istio';
import type { InboundPort } from '@seine/model';
import type { InboundInput } from '../../inputs.js';
import { ingressProtocol } from '../sidecar/ingress-listener.js';

type PortsInput = Pick<InboundInput, 'workload' | 'sidecar' | 'config'>;

/** One port on which a workload is served, and what its Sidecar says of it. */
export interface InboundEntry {
  readonly port: InboundPort;
  readonly ingress: IstioIngressListener | undefined;
}

/**
 * The ports on which a workload is served, one entry a port: those of a Sidecar's `ingress` where it has any, else
 * those of the services that select the workload. Where two services name one target port, the first (by host)
 * decides the protocol. UDP ports and
 * ports that the proxy itself listens on are left out.
 */
export function inboundEntries(input: PortsInput): readonly InboundEntry[] {
  const reserved = new Set([input.config.proxyListenPort, input.config.proxyInboundListenPort]);
  const byPort = new Map<number, InboundEntry>();
  for (const entry of sidecarEntries(input) ?? workloadEntries(input)) {
    const { protocol, targetPort } = entry.port;
    if (protocol !== 'UDP' && !reserved.has(targetPort) && !byPort.has(targetPort)) byPort.set(targetPort, entry);
  }
  return [...byPort.values()].sort((a, b) => a.port.targetPort - b.port.targetPort);
}

export function inboundPorts(input: PortsInput): readonly InboundPort[] {
  return inboundEntries(input).map(({ port }) => port);
}

function workloadEntries({ workload }: PortsInput): readonly InboundEntry[] {
  return (workload?.inbound ?? []).map((port) => ({ port, ingress: undefined }));
}

function sidecarEntries({ sidecar, workload }: PortsInput): readonly InboundEntry[] | undefined {
  const listeners = sidecar?.spec.ingress;
  if (!listeners || listeners.length === 0) return undefined;
  return listeners.flatMap((ingress) => {
    const number = ingress.port.number;
    if (number === undefined) return [];
    const service = workload?.inbound.find((declared) => declared.targetPort === number);
    const port: InboundPort = {
      targetPort: number,
      servicePort: service?.servicePort ?? number,
      serviceHost: service?.serviceHost ?? '',
      portName: ingress.port.name ?? '',
      protocol: ingressProtocol(ingress),
    };
    return [{ port, ingress }];
  });
}
