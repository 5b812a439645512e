import type { ConfigObject } from '@seine/k8s';
import { formatIpv4, parseIpv4 } from '@seine/model';
import { describePod, podsOf, servicesOf } from '../plan/describe-pod.js';
import { firstPort, ingressPort, prometheusPort, readyPort } from '../plan/ports.js';
import type { Plan, PlannedWorkload } from '../plan/planned-workload.js';
import { containerPorts, isGateway, movePod, podIp, statedAppPort } from '../plan/pod-fields.js';
import { PortAllocator } from '../plan/port-allocator.js';

export interface MachineLayout {
  /** Whether all of 127.0.0.0/8 can be bound (Linux), or 127.0.0.1 alone (macOS). */
  readonly wholeLoopback: boolean;
  /** Whether nobody listens on that port of 127.0.0.1. */
  readonly isFree: (port: number) => boolean;
}

const thisMachine = '127.0.0.1';
const httpProxyPort = 15_007;
/**
 * Gives each pod its place on this machine. With the whole of 127.0.0.0/8, a pod keeps its own address and ports, and
 * its application listens on a port of 127.0.0.1 nobody else knows; with 127.0.0.1 alone, all pods are there, each with
 * ports of its own (Services find them by the port's name).
 */
export function planLoopback(objects: readonly ConfigObject[], layout: MachineLayout): Plan {
  const notes: string[] = [];
  const pods = podsOf(objects).filter((pod) => {
    const problem = layout.wholeLoopback || isGateway(pod) ? addressProblem(pod) : undefined;
    if (problem) notes.push(problem);
    return !problem;
  });
  const services = servicesOf(objects);
  const ports = new PortAllocator(layout.isFree);
  const blocks = blockOwners(pods);
  const workloads = pods.map((pod) => {
    if (isGateway(pod)) return gateway(pod, services, ports);
    return layout.wholeLoopback ? ownAddress(pod, services, ports, blocks) : ownPorts(pod, services, ports);
  });
  return { workloads, notes };
}

function addressProblem(pod: ConfigObject): string | undefined {
  const address = podIp(pod);
  const loopback = parseIpv4(address) !== undefined && address.startsWith('127.');
  if (loopback && (address !== thisMachine || isGateway(pod))) return undefined;
  const { namespace, name } = pod.metadata;
  const what = address === '' ? 'has no status.podIP' : `has the address ${address}`;
  return `Pod ${namespace}/${name} ${what}: it gets no Envoy here; a loopback address such as 127.30.1.1 would give it one`;
}

function gateway(pod: ConfigObject, services: readonly ConfigObject[], ports: PortAllocator): PlannedWorkload {
  return {
    ...describePod(pod, services),
    pod,
    type: 'router',
    interceptionMode: 'NONE',
    address: podIp(pod),
    inboundPort: ingressPort,
    appPorts: new Map(),
    adminPort: ports.next(firstPort.admin),
    httpProxyPort: 0,
    outboundCidr: '',
    prometheusPort,
    readyPort,
  };
}

function ownAddress(
  pod: ConfigObject,
  services: readonly ConfigObject[],
  ports: PortAllocator,
  blocks: ReadonlyMap<number, readonly ConfigObject[]>,
): PlannedWorkload {
  const address = podIp(pod);
  const block = blockOf(address);
  const alone = (blocks.get(block) ?? []).length === 1;
  const inbound = containerPorts(pod);
  return {
    ...describePod(pod, services),
    pod,
    type: 'sidecar',
    interceptionMode: 'NONE',
    address,
    inboundPort: inbound[0] ?? 0,
    appPorts: appPorts(pod, inbound, ports),
    adminPort: ports.next(firstPort.admin),
    httpProxyPort,
    // Services get addresses from .10 on; two Envoys cannot have the same.
    outboundCidr: alone && lastOctet(address) < 10 ? `${formatIpv4(block)}/24` : '',
    prometheusPort,
    readyPort,
  };
}

function ownPorts(pod: ConfigObject, services: readonly ConfigObject[], ports: PortAllocator): PlannedWorkload {
  const moved = new Map(containerPorts(pod).map((port) => [port, ports.next(firstPort.inbound)]));
  const inbound = [...moved.values()];
  return {
    ...describePod(pod, services),
    pod: movePod(pod, thisMachine, moved),
    type: 'sidecar',
    interceptionMode: 'NONE',
    address: thisMachine,
    inboundPort: inbound[0] ?? 0,
    appPorts: appPorts(pod, inbound, ports),
    adminPort: ports.next(firstPort.admin),
    httpProxyPort: ports.next(firstPort.httpProxy),
    outboundCidr: '',
    prometheusPort: 0,
    readyPort: 0,
  };
}

function appPorts(pod: ConfigObject, inbound: readonly number[], ports: PortAllocator): ReadonlyMap<number, number> {
  const stated = statedAppPort(pod);
  return new Map(
    inbound.map((port, index) => [port, index === 0 && stated !== undefined ? stated : ports.next(firstPort.app)]),
  );
}

function blockOwners(pods: readonly ConfigObject[]): ReadonlyMap<number, readonly ConfigObject[]> {
  const owners = new Map<number, ConfigObject[]>();
  for (const pod of pods) {
    const block = blockOf(podIp(pod));
    owners.set(block, [...(owners.get(block) ?? []), pod]);
  }
  return owners;
}

function blockOf(address: string): number {
  return Math.floor((parseIpv4(address) ?? 0) / 256) * 256;
}

function lastOctet(address: string): number {
  return (parseIpv4(address) ?? 0) % 256;
}
