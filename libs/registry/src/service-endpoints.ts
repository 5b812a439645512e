import type { Endpoint, ServicePort } from '@seine/model';
import { objectKeyOf } from '@seine/k8s';
import type { BackendIndex } from './backend-index.js';
import { compareText, noLabels } from './fields.js';
import type { Instance } from './instance.js';
import type { InstanceIndex } from './instance-index.js';
import type { BackendAddress, Backends } from './kubernetes-endpoints.js';
import { statedPort } from './service-entry.js';
import type { ServiceSource } from './service-source.js';

/**
 * Where an instance listens for a port of a service that selects it; undefined = it serves no such port. A pod has a
 * named target port only if a container declares it; otherwise numbers count (Kubernetes, Service `targetPort`).
 */
export function targetPortOf(source: ServiceSource, port: ServicePort, instance: Instance): number | undefined {
  if (typeof port.targetPort === 'string') return instance.ports[port.targetPort];
  if (source.service.registry === 'kubernetes' && instance.kind === 'Pod') return port.targetPort ?? port.port;
  return statedPort(instance, port);
}

function instanceEndpoint(instance: Instance, port: number): Endpoint {
  return {
    address: instance.address,
    port,
    labels: instance.labels,
    locality: instance.locality,
    weight: instance.weight,
    network: instance.network,
    serviceAccount: instance.serviceAccount,
    health: instance.health,
    tlsMode: instance.tlsMode,
    workload: { name: instance.ownerName, namespace: instance.namespace },
    ...(instance.nodeName && { nodeName: instance.nodeName }),
    ...(instance.hostname && { hostname: instance.hostname }),
  };
}

function published(endpoint: Endpoint, { publishNotReady }: ServiceSource): Endpoint {
  return publishNotReady && endpoint.health === 'unhealthy' ? { ...endpoint, health: 'healthy' } : endpoint;
}

function podBehind(backend: BackendAddress, instances: InstanceIndex): Instance | undefined {
  if (backend.pod) {
    const [namespace = '', name = ''] = backend.pod.split('/');
    return instances.get(objectKeyOf('', 'Pod', namespace, name));
  }
  const pods = instances.atAddress(backend.address).filter((instance) => instance.kind === 'Pod');
  return pods.sort((a, b) => compareText(a.key, b.key))[0];
}

const nowhere = Object.freeze({ region: '', zone: '', subzone: '' });

/** An address of which nothing is known but that it is listed. */
function bareEndpoint({ address, health }: BackendAddress, port: number, namespace: string): Endpoint {
  return {
    address,
    port,
    labels: noLabels,
    locality: nowhere,
    weight: 1,
    network: '',
    serviceAccount: '',
    health,
    tlsMode: 'disabled',
    workload: { name: '', namespace },
  };
}

/** An address listed for a Service, with what is known of the pod behind it. */
function backendEndpoint(
  backend: BackendAddress,
  port: number,
  pod: Instance | undefined,
  namespace: string,
): Endpoint {
  const known = pod ? instanceEndpoint(pod, port) : bareEndpoint(backend, port, namespace);
  const { address, health, zone } = backend;
  const nodeName = known.nodeName ?? backend.nodeName;
  const hostname = backend.hostname || known.hostname;
  return {
    ...known,
    address,
    health,
    weight: 1,
    locality: known.locality.zone ? known.locality : { ...known.locality, zone },
    ...(nodeName && { nodeName }),
    ...(hostname && { hostname }),
  };
}

function listedEndpoints(
  source: ServiceSource,
  port: ServicePort,
  listed: readonly Backends[],
  instances: InstanceIndex,
): readonly Endpoint[] {
  return listed.flatMap(({ sets }) =>
    sets.flatMap((set) => {
      // An Endpoints object names its ports as the Service does; a single unnamed one serves a single port.
      const only = set.ports.size === 1 && source.service.ports.length === 1 ? [...set.ports.values()][0] : undefined;
      const number = set.ports.get(port.name) ?? only;
      if (number === undefined) return [];
      return set.addresses.map((backend) =>
        backendEndpoint(backend, number, podBehind(backend, instances), source.service.namespace),
      );
    }),
  );
}

function ordered(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const sorted = [...endpoints].sort((a, b) => compareText(a.address, b.address) || a.port - b.port);
  // Two slices may list one address while it moves from one to the other; a Unix socket has port 0.
  return sorted.filter((e, i) => i === 0 || e.address !== sorted[i - 1]?.address || e.port !== sorted[i - 1]?.port);
}

/** The instances that a source picks and that have an address, without the pods when a list of addresses names those. */
export function selectedInstances(source: ServiceSource, instances: InstanceIndex): readonly Instance[] {
  if (!source.selector) return [];
  return instances
    .select(source.service.namespace, source.selector)
    .filter((instance) => instance.address !== '')
    .sort((a, b) => compareText(a.key, b.key));
}

/** All endpoints of a source by port; ports without endpoints are left out. */
export function endpointsOf(
  source: ServiceSource,
  instances: InstanceIndex,
  backends: BackendIndex,
): ReadonlyMap<number, readonly Endpoint[]> {
  const { service } = source;
  const isKubernetes = service.registry === 'kubernetes' && !service.externalName;
  const listed = isKubernetes ? backends.ofService(`${service.namespace}/${service.name}`) : undefined;
  const selected = selectedInstances(source, instances).filter((i) => !listed || i.kind !== 'Pod');
  const byPort = new Map<number, readonly Endpoint[]>();
  for (const port of service.ports) {
    const endpoints = [...(source.inline.get(port.port) ?? [])];
    for (const instance of selected) {
      const number = targetPortOf(source, port, instance);
      if (number !== undefined) endpoints.push(published(instanceEndpoint(instance, number), source));
    }
    if (listed) endpoints.push(...listedEndpoints(source, port, listed, instances));
    if (endpoints.length > 0) byPort.set(port.port, ordered(endpoints));
  }
  return byPort;
}
