import type { ConfigObject } from '@seine/k8s';
import { describePod, podsOf, servicesOf } from '../plan/describe-pod.js';
import type { Plan } from '../plan/planned-workload.js';
import { containerPorts, isGateway, movePod } from '../plan/pod-fields.js';
import { PortAllocator } from '../plan/port-allocator.js';
import { firstPort, ingressPort, prometheusPort, readyPort } from '../plan/ports.js';

/** The network of the namespaces: this machine is its first address. */
export const network = { prefix: '10.203.0', length: 24, machine: '10.203.0.1' } as const;
const firstHost = 10;
const lastHost = 254;

/** Gives each pod a network namespace, with an address of its own and its own ports, as in a cluster. */
export function planIntercept(objects: readonly ConfigObject[], isFree: (port: number) => boolean): Plan {
  const pods = podsOf(objects);
  const room = lastHost - firstHost + 1;
  const services = servicesOf(objects);
  const ports = new PortAllocator(isFree);
  const notes = pods.slice(room).map(({ metadata: { namespace, name } }) => {
    return `Pod ${namespace}/${name} gets no Envoy here: there is room for ${room} pods`;
  });
  const workloads = pods.slice(0, room).map((pod, index) => {
    const address = `${network.prefix}.${firstHost + index}`;
    const router = isGateway(pod);
    return {
      ...describePod(pod, services),
      pod: movePod(pod, address, new Map()),
      type: router ? ('router' as const) : ('sidecar' as const),
      interceptionMode: 'REDIRECT' as const,
      address,
      inboundPort: router ? ingressPort : (containerPorts(pod)[0] ?? 0),
      appPorts: new Map(),
      adminPort: ports.next(firstPort.admin),
      httpProxyPort: 0,
      outboundCidr: '',
      prometheusPort,
      readyPort,
    };
  });
  return { workloads, notes };
}
