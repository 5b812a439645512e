import type { InboundPort, Workload } from '@seine/model';
import { compareText } from './fields.js';
import type { Instance } from './instance.js';
import { targetPortOf } from './service-endpoints.js';
import type { ServiceSource } from './service-source.js';

/**
 * The ports an instance serves for the services that select it, sorted by target port, then host. One entry a target
 * port and service: the lowest service port of several. UDP never passes a sidecar, so its ports are left out.
 */
export function inboundPorts(instance: Instance, sources: readonly ServiceSource[]): readonly InboundPort[] {
  const found = new Map<string, InboundPort>();
  for (const source of sources) {
    for (const port of source.service.ports) {
      const targetPort = port.protocol === 'UDP' ? undefined : targetPortOf(source, port, instance);
      if (targetPort === undefined || targetPort === 0) continue;
      const key = `${targetPort}/${source.service.host}`;
      const known = found.get(key);
      if (known && known.servicePort <= port.port) continue;
      found.set(key, {
        targetPort,
        servicePort: port.port,
        serviceHost: source.service.host,
        portName: port.name,
        protocol: port.protocol,
      });
    }
  }
  return [...found.values()].sort((a, b) => a.targetPort - b.targetPort || compareText(a.serviceHost, b.serviceHost));
}

export function workloadOf(instance: Instance, sources: readonly ServiceSource[]): Workload {
  return {
    name: instance.name,
    namespace: instance.namespace,
    ownerName: instance.ownerName,
    addresses: instance.ipAddresses,
    labels: instance.labels,
    serviceAccount: instance.serviceAccount,
    locality: instance.locality,
    network: instance.network,
    inbound: inboundPorts(instance, sources),
  };
}
