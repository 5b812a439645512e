import type { ConfigObject } from '@seine/k8s';

/** The parts of a Pod that the plan reads (core/v1). The source has checked their types. */
interface PodFields {
  readonly spec?: { readonly serviceAccountName?: string; readonly containers?: readonly Container[] };
  readonly status?: { readonly podIP?: string };
}

interface Container {
  readonly ports?: readonly { readonly name?: string; readonly containerPort?: number; readonly protocol?: string }[];
}

const templatesAnnotation = 'inject.istio.io/templates';
const appPortAnnotation = 'seine.io/app-port';

export function isPod(object: ConfigObject): boolean {
  return object.apiVersion === 'v1' && object.kind === 'Pod';
}

export function podIp(pod: ConfigObject): string {
  return (pod as PodFields).status?.podIP ?? '';
}

export function serviceAccountOf(pod: ConfigObject): string {
  return (pod as PodFields).spec?.serviceAccountName ?? 'default';
}

/** TCP ports of its containers, in their order. */
export function containerPorts(pod: ConfigObject): number[] {
  const ports = ((pod as PodFields).spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  const numbers = ports
    .filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP')
    .map(({ containerPort }) => containerPort);
  return [...new Set(numbers.filter((port) => port !== undefined))];
}

/** Gateways are pods for which the gateway template was asked (Istio's annotation). */
export function isGateway(pod: ConfigObject): boolean {
  return pod.metadata.annotations?.[templatesAnnotation] === 'gateway';
}

/** Where the application listens, if its pod says so. */
export function statedAppPort(pod: ConfigObject): number | undefined {
  const port = Number(pod.metadata.annotations?.[appPortAnnotation]);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

/** The pod's name without the hashes that a Deployment appends. */
export function ownerOf(pod: ConfigObject): string {
  const { name, labels } = pod.metadata;
  const hash = labels?.['pod-template-hash'];
  const at = hash ? name.indexOf(`-${hash}`) : -1;
  return at > 0 ? name.slice(0, at) : name;
}

/** The pod at another address, and with other ports where the map has them. */
export function movePod(pod: ConfigObject, address: string, ports: ReadonlyMap<number, number>): ConfigObject {
  const { spec, status } = pod as PodFields;
  const containers = (spec?.containers ?? []).map((container) => ({
    ...container,
    ...(container.ports && {
      ports: container.ports.map((port) => ({
        ...port,
        ...(port.containerPort !== undefined && { containerPort: ports.get(port.containerPort) ?? port.containerPort }),
      })),
    }),
  }));
  return { ...pod, spec: { ...spec, containers }, status: { ...status, podIP: address } };
}
