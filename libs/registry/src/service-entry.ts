import type { ConfigObject } from '@seine/k8s';
import { objectKey } from '@seine/k8s';
import {
  type Endpoint,
  type MeshConfig,
  type MeshService,
  parseProtocol,
  type Resolution,
  type ServicePort,
} from '@seine/model';
import { fieldsOf, itemsOf, labelsOf, noLabels, portOf, textOf, textsOf } from './fields.js';
import { convertWorkloadSpec, type StatedEndpoint } from './instance.js';
import { sessionOf } from './persistent-session.js';
import { parseExportTo, refOf, type ServiceSource } from './service-source.js';

const resolutions: Readonly<Record<string, Resolution>> = {
  NONE: 'passthrough',
  STATIC: 'static',
  DNS: 'dns',
  DNS_ROUND_ROBIN: 'dns-round-robin',
  DYNAMIC_DNS: 'dynamic-dns',
};

function convertPorts(value: unknown): readonly ServicePort[] {
  const ports: ServicePort[] = [];
  for (const item of itemsOf(value)) {
    const port = portOf(item['number']);
    if (port === undefined) continue;
    const protocol = parseProtocol(textOf(item['protocol'])) ?? 'auto';
    ports.push({ port, name: textOf(item['name']), protocol, targetPort: portOf(item['targetPort']) });
  }
  return ports;
}

/**
 * Where an endpoint of a ServiceEntry listens for a port: its own port of that name, else the port's targetPort, else
 * the port itself; a Unix socket has none.
 */
export function statedPort(endpoint: Pick<StatedEndpoint, 'address' | 'ports'>, port: ServicePort): number {
  if (endpoint.address.startsWith('unix://')) return 0;
  return endpoint.ports[port.name] ?? (typeof port.targetPort === 'number' ? port.targetPort : port.port);
}

function inlineEndpoints(
  stated: readonly StatedEndpoint[],
  ports: readonly ServicePort[],
  namespace: string,
): ReadonlyMap<number, readonly Endpoint[]> {
  if (stated.length === 0) return new Map();
  const endpointOf = (endpoint: StatedEndpoint, port: ServicePort): Endpoint => ({
    address: endpoint.address,
    port: statedPort(endpoint, port),
    labels: endpoint.labels,
    locality: endpoint.locality,
    weight: endpoint.weight,
    network: endpoint.network,
    serviceAccount: endpoint.serviceAccount,
    health: 'healthy',
    tlsMode: endpoint.tlsMode,
    workload: { name: '', namespace },
  });
  return new Map(ports.map((port) => [port.port, stated.map((endpoint) => endpointOf(endpoint, port))]));
}

/** A DNS service that states no endpoint is reached at its own name. */
function ownName(host: string): StatedEndpoint {
  return {
    address: host,
    labels: {},
    serviceAccount: '',
    locality: { region: '', zone: '', subzone: '' },
    network: '',
    weight: 1,
    tlsMode: 'disabled',
    ports: {},
  };
}

const autoAllocateLabel = 'networking.istio.io/enable-autoallocate-ip';

/** Whether and where somebody has given the host an address of its own: Istio's controller writes them into the status. */
function allocationOf(object: ConfigObject, host: string): Pick<MeshService, 'autoAllocate' | 'allocatedAddresses'> {
  if (labelsOf(object.metadata.labels)[autoAllocateLabel] === 'false') return { autoAllocate: false };
  const allocated = itemsOf(fieldsOf(object['status'])['addresses'])
    .filter((item) => item['host'] === undefined || item['host'] === '' || item['host'] === host)
    .flatMap((item) => textOf(item['value']) || []);
  return allocated.length > 0 ? { allocatedAddresses: allocated } : {};
}

/** Reads a ServiceEntry: one source for each of its hosts. Endpoints are apart from what names the service. */
export function convertServiceEntry(
  object: ConfigObject,
  config: Pick<MeshConfig, 'defaultServiceExportTo'>,
): readonly ServiceSource[] {
  const { name, namespace } = object.metadata;
  const spec = fieldsOf(object.spec);
  const ports = convertPorts(spec['ports']);
  const resolution = resolutions[textOf(spec['resolution'])] ?? 'passthrough';
  const selects = spec['workloadSelector'] !== undefined && spec['workloadSelector'] !== null;
  const selector = selects ? labelsOf(fieldsOf(spec['workloadSelector'])['labels']) : undefined;
  const stated = itemsOf(spec['endpoints'])
    .map((endpoint) => convertWorkloadSpec(endpoint, noLabels))
    .filter((endpoint) => endpoint.address !== '');
  const shared: Omit<MeshService, 'host'> = {
    name,
    namespace,
    ports,
    addresses: textsOf(spec['addresses']),
    resolution,
    headless: false,
    external: spec['location'] !== 'MESH_INTERNAL',
    exportTo: parseExportTo(textsOf(spec['exportTo']), namespace, config.defaultServiceExportTo),
    ...sessionOf(labelsOf(object.metadata.labels)),
    externalName: undefined,
    subjectAltNames: textsOf(spec['subjectAltNames']),
    serviceAccounts: [],
    creationTimestamp: textOf(object.metadata.creationTimestamp),
    origin: refOf(object),
    registry: 'external',
  };
  const named = (resolution === 'dns' || resolution === 'dns-round-robin') && stated.length === 0 && !selects;
  return [...new Set(textsOf(spec['hosts']))].map((host) => ({
    objectKey: objectKey(object),
    service: { host, ...shared, ...allocationOf(object, host) },
    selector,
    inline: inlineEndpoints(named && !host.includes('*') ? [ownName(host)] : stated, ports, namespace),
  }));
}
