import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import type { EndpointHealth } from '@seine/model';
import { fieldsOf, itemsOf, labelsOf, portOf, textOf, textsOf } from './fields.js';

/** One address of an Endpoints or EndpointSlice object. */
export interface BackendAddress {
  readonly address: string;
  readonly health: EndpointHealth;
  /** `namespace/name` of the pod behind it; empty where the object names none. */
  readonly pod: string;
  readonly zone: string;
  readonly nodeName: string;
  /** Its name within a headless service; empty for none. */
  readonly hostname: string;
}

/** Addresses that share a list of ports: one subset of an Endpoints object, or one EndpointSlice. */
export interface BackendSet {
  readonly addresses: readonly BackendAddress[];
  /** By name; an unnamed single port has the empty name. */
  readonly ports: ReadonlyMap<string, number>;
}

/** The addresses that an object lists for a Service. */
export interface Backends {
  readonly objectKey: ObjectKey;
  readonly kind: 'Endpoints' | 'EndpointSlice';
  /** `namespace/name` of the Service; empty for a slice that belongs to none. */
  readonly service: string;
  readonly sets: readonly BackendSet[];
}

export function isBackendsKind(group: string, kind: string): boolean {
  return (group === '' && kind === 'Endpoints') || (group === 'discovery.k8s.io' && kind === 'EndpointSlice');
}

function convertPorts(value: unknown): ReadonlyMap<string, number> {
  const ports = new Map<string, number>();
  for (const item of itemsOf(value)) {
    const port = portOf(item['port']);
    if (port !== undefined) ports.set(textOf(item['name']), port);
  }
  return ports;
}

function podOf(targetRef: unknown, namespace: string): string {
  const ref = fieldsOf(targetRef);
  return ref['kind'] === 'Pod' && textOf(ref['name'])
    ? `${textOf(ref['namespace']) || namespace}/${textOf(ref['name'])}`
    : '';
}

function placeOf(item: Readonly<Record<string, unknown>>): Pick<BackendAddress, 'nodeName' | 'hostname'> {
  return { nodeName: textOf(item['nodeName']), hostname: textOf(item['hostname']) };
}

function convertSubset(subset: Readonly<Record<string, unknown>>, namespace: string): BackendSet {
  const addresses = (field: string, health: EndpointHealth): BackendAddress[] =>
    itemsOf(subset[field])
      .map((item) => ({
        address: textOf(item['ip']),
        health,
        pod: podOf(item['targetRef'], namespace),
        zone: '',
        ...placeOf(item),
      }))
      .filter((item) => item.address !== '');
  return {
    addresses: [...addresses('addresses', 'healthy'), ...addresses('notReadyAddresses', 'unhealthy')],
    ports: convertPorts(subset['ports']),
  };
}

/** Kubernetes API, EndpointConditions: no `ready` counts as ready; serving while terminating is draining. */
function sliceHealth(value: unknown): EndpointHealth {
  const conditions = fieldsOf(value);
  if (conditions['ready'] !== false) return 'healthy';
  return conditions['serving'] === true && conditions['terminating'] === true ? 'draining' : 'unhealthy';
}

function convertSlice(object: ConfigObject): BackendSet {
  const addresses = itemsOf(object['endpoints']).flatMap((endpoint) =>
    textsOf(endpoint['addresses']).map((address) => ({
      address,
      health: sliceHealth(endpoint['conditions']),
      pod: podOf(endpoint['targetRef'], object.metadata.namespace),
      zone: textOf(endpoint['zone']),
      ...placeOf(endpoint),
    })),
  );
  return { addresses, ports: convertPorts(object['ports']) };
}

export function convertBackends(object: ConfigObject): Backends {
  const { name, namespace } = object.metadata;
  if (object.kind === 'EndpointSlice') {
    const service = labelsOf(object.metadata.labels)['kubernetes.io/service-name'] ?? '';
    return {
      objectKey: objectKey(object),
      kind: 'EndpointSlice',
      service: service && `${namespace}/${service}`,
      sets: [convertSlice(object)],
    };
  }
  return {
    objectKey: objectKey(object),
    kind: 'Endpoints',
    service: `${namespace}/${name}`,
    sets: itemsOf(object['subsets']).map((subset) => convertSubset(subset, namespace)),
  };
}
