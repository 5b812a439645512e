import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { type Endpoint, type EndpointHealth, type Locality, parseLocality } from '@seine/model';
import { fieldsOf, itemsOf, type Labels, labelsOf, noLabels, portOf, textOf } from './fields.js';

/** A running copy of something that services select: a Pod, or a WorkloadEntry. */
export interface Instance {
  readonly key: ObjectKey;
  readonly kind: 'Pod' | 'WorkloadEntry';
  readonly name: string;
  readonly namespace: string;
  readonly ownerName: string;
  /** Where it is reached; empty while a pod has no address yet. */
  readonly address: string;
  /** All IP addresses: what a proxy beside it may connect from. */
  readonly ipAddresses: readonly string[];
  readonly labels: Labels;
  readonly serviceAccount: string;
  readonly locality: Locality;
  readonly network: string;
  readonly weight: number;
  readonly health: EndpointHealth;
  readonly tlsMode: Endpoint['tlsMode'];
  /** Ports by name: a pod's container ports, or WorkloadEntry.ports. */
  readonly ports: Readonly<Record<string, number>>;
  /** The node a pod runs on; empty where that is not known. */
  readonly nodeName: string;
  /** A pod's name within the headless service it belongs to; empty for none. */
  readonly hostname: string;
}

/** What a pod takes from the Deployment (StatefulSet, DaemonSet, …) whose selector matches it. */
export interface WorkloadOwner {
  readonly key: ObjectKey;
  readonly name: string;
  readonly namespace: string;
  readonly selector: Labels;
  readonly labels: Labels;
  readonly serviceAccount: string;
  readonly ports: Readonly<Record<string, number>>;
}

const tlsModeLabel = 'security.istio.io/tlsMode';
const networkLabel = 'topology.istio.io/network';
const localityLabel = 'istio-locality';

/** The locality stated by labels: `istio-locality` (dots for slashes), else Kubernetes' and Istio's topology labels. */
export function localityOf(labels: Labels, stated = ''): Locality {
  const short = labels[localityLabel];
  if (short) return parseLocality(short.includes('/') ? short : short.replaceAll('.', '/'));
  if (stated) return parseLocality(stated);
  return {
    region: labels['topology.kubernetes.io/region'] ?? '',
    zone: labels['topology.kubernetes.io/zone'] ?? '',
    subzone: labels['topology.istio.io/subzone'] ?? '',
  };
}

/** A pod stands where its own labels say, as far as they do, else where its node does. */
function podLocality(labels: Labels, nodeLabels: Labels): Locality {
  const [own, node] = [localityOf(labels), localityOf(nodeLabels)];
  if (own.region && own.region !== node.region) return own;
  return { region: own.region || node.region, zone: own.zone || node.zone, subzone: own.subzone || node.subzone };
}

/** Kubernetes gives a StatefulSet's pods their own names as hostnames; otherwise `spec.hostname` states one. */
function hostnameOf(object: ConfigObject): string {
  const stated = textOf(fieldsOf(object.spec)['hostname']);
  if (stated) return stated;
  const owners = itemsOf(fieldsOf(object.metadata)['ownerReferences']);
  return owners.some((owner) => owner['kind'] === 'StatefulSet') ? object.metadata.name : '';
}

export function networkOf(labels: Labels, stated: string): string {
  return stated || (labels[networkLabel] ?? '');
}

/** Weight of an endpoint: 1 where none, or 0, is stated (Istio, WorkloadEntry.weight). */
export function weightOf(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : 1;
}

/** Ports by name; values that are no port numbers are left out. */
export function namedPorts(value: unknown): Readonly<Record<string, number>> {
  const entries = Object.entries(fieldsOf(value)).filter(([, port]) => portOf(port) !== undefined);
  return Object.fromEntries(entries) as Record<string, number>;
}

function containerPorts(podSpec: unknown): Readonly<Record<string, number>> {
  const ports: Record<string, number> = {};
  for (const container of itemsOf(fieldsOf(podSpec)['containers'])) {
    for (const port of itemsOf(container['ports'])) {
      const number = portOf(port['containerPort']);
      const name = textOf(port['name']);
      if (name && number && !(name in ports)) ports[name] = number;
    }
  }
  return ports;
}

function conditionStatus(status: unknown, type: string): string {
  return textOf(itemsOf(fieldsOf(status)['conditions']).find((c) => c['type'] === type)?.['status']);
}

/** Who carries it gets no new connections, and keeps those it has (Istio's label). */
const drainingLabel = 'istio.io/draining';

function podHealth(object: ConfigObject, labels: Labels): EndpointHealth {
  const status = fieldsOf(object['status']);
  if (fieldsOf(object.metadata)['deletionTimestamp'] !== undefined || labels[drainingLabel]) return 'draining';
  const phase = textOf(status['phase']);
  if (phase && phase !== 'Running') return 'unhealthy';
  return conditionStatus(status, 'Ready') === 'False' ? 'unhealthy' : 'healthy';
}

/** The controller's name; a ReplicaSet counts as its Deployment (its name without the template hash), as in Istio. */
function controllerName(object: ConfigObject, labels: Labels): string | undefined {
  const owners = itemsOf(fieldsOf(object.metadata)['ownerReferences']);
  const owner = owners.find((o) => o['controller'] === true) ?? owners[0];
  const name = textOf(owner?.['name']);
  if (!name) return undefined;
  if (owner?.['kind'] !== 'ReplicaSet') return name;
  const hash = labels['pod-template-hash'];
  return hash && name.endsWith(`-${hash}`) ? name.slice(0, -hash.length - 1) : name.replace(/-[^-]*$/, '');
}

/** @param nodeLabels of a node by its name */
export function convertPod(
  object: ConfigObject,
  owners: readonly WorkloadOwner[],
  nodeLabels: (nodeName: string) => Labels = () => noLabels,
): Instance {
  const { name, namespace } = object.metadata;
  const spec = fieldsOf(object.spec);
  const status = fieldsOf(object['status']);
  const labels = labelsOf(object.metadata.labels);
  const controller = controllerName(object, labels);
  const owner = owners.find((o) =>
    controller === undefined
      ? Object.entries(o.selector).every(([key, value]) => labels[key] === value)
      : o.name === controller,
  );
  const podIPs = itemsOf(status['podIPs']).map((item) => textOf(item['ip']));
  const address = textOf(status['podIP']) || (podIPs[0] ?? '');
  const stated = textOf(spec['serviceAccountName']) || textOf(spec['serviceAccount']);
  return {
    key: objectKey(object),
    kind: 'Pod',
    name,
    namespace,
    ownerName: controller ?? owner?.name ?? name,
    address,
    ipAddresses: [...new Set([address, ...podIPs])].filter((ip) => ip !== ''),
    labels,
    serviceAccount: stated || owner?.serviceAccount || 'default',
    locality: podLocality(labels, nodeLabels(textOf(spec['nodeName']))),
    network: networkOf(labels, ''),
    weight: 1,
    health: podHealth(object, labels),
    tlsMode: labels[tlsModeLabel] === 'istio' ? 'istio' : 'disabled',
    ports: containerPorts(spec),
    nodeName: textOf(spec['nodeName']),
    hostname: hostnameOf(object),
  };
}

const ipAddress = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$/;

/** What WorkloadEntry and the endpoints written in a ServiceEntry have in common. */
export type StatedEndpoint = Pick<
  Instance,
  'address' | 'labels' | 'serviceAccount' | 'locality' | 'network' | 'weight' | 'tlsMode' | 'ports'
>;

export function convertWorkloadSpec(spec: unknown, objectLabels: Labels): StatedEndpoint {
  const fields = fieldsOf(spec);
  const labels = { ...objectLabels, ...labelsOf(fields['labels']) };
  const serviceAccount = textOf(fields['serviceAccount']);
  // The label decides; without it, who states an account has a sidecar (Istio, WorkloadEntry).
  const tlsMode = labels[tlsModeLabel] ?? (serviceAccount ? 'istio' : 'disabled');
  return {
    address: textOf(fields['address']),
    labels,
    serviceAccount,
    locality: localityOf(labels, textOf(fields['locality'])),
    network: networkOf(labels, textOf(fields['network'])),
    weight: weightOf(fields['weight']),
    tlsMode: tlsMode === 'istio' ? 'istio' : 'disabled',
    ports: namedPorts(fields['ports']),
  };
}

function entryHealth(object: ConfigObject, labels: Labels): EndpointHealth {
  if (conditionStatus(object['status'], 'Healthy') === 'False') return 'unhealthy';
  return labels[drainingLabel] ? 'draining' : 'healthy';
}

export function convertWorkloadEntry(object: ConfigObject): Instance {
  const { name, namespace } = object.metadata;
  const stated = convertWorkloadSpec(object.spec, labelsOf(object.metadata.labels));
  return {
    ...stated,
    key: objectKey(object),
    kind: 'WorkloadEntry',
    nodeName: '',
    hostname: '',
    name,
    namespace,
    ownerName: stated.labels['service.istio.io/workload-name'] ?? name,
    ipAddresses: ipAddress.test(stated.address) ? [stated.address] : [],
    health: entryHealth(object, stated.labels),
  };
}

const ownerKinds = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job']);

export function isWorkloadOwner(group: string, kind: string): boolean {
  return (group === 'apps' || group === 'batch') && ownerKinds.has(kind);
}

/** Reads a Deployment and its like; undefined when it states no selector and no template labels. */
export function convertWorkloadOwner(object: ConfigObject): WorkloadOwner | undefined {
  const spec = fieldsOf(object.spec);
  const template = fieldsOf(spec['template']);
  const podSpec = fieldsOf(template['spec']);
  const labels = labelsOf(fieldsOf(template['metadata'])['labels']);
  const selector = labelsOf(fieldsOf(spec['selector'])['matchLabels']);
  const effective = Object.keys(selector).length > 0 ? selector : labels;
  if (Object.keys(effective).length === 0) return undefined;
  return {
    key: objectKey(object),
    name: object.metadata.name,
    namespace: object.metadata.namespace,
    selector: effective,
    labels,
    serviceAccount: textOf(podSpec['serviceAccountName']) || textOf(podSpec['serviceAccount']) || 'default',
    ports: containerPorts(podSpec),
  };
}
