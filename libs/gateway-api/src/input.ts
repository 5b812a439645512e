import type { gatewayApi, ServiceEntry } from '@seine/istio';
import { compareText, type ConfigObject, groupOf } from '@seine/k8s';
import type { Mesh } from '@seine/model';

/** An object of some spec, which its schema has validated. */
export type Typed<Spec> = ConfigObject<Spec> & { readonly spec: Spec };

export type GatewayClass = Typed<gatewayApi.GatewayClassSpec>;
export type Gateway = Typed<gatewayApi.GatewaySpec>;
export type ListenerSet = Typed<gatewayApi.ListenerSetSpec>;
export type HTTPRoute = Typed<gatewayApi.HTTPRouteSpec>;
export type GRPCRoute = Typed<gatewayApi.GRPCRouteSpec>;
export type TLSRoute = Typed<gatewayApi.TLSRouteSpec>;
export type TCPRoute = Typed<gatewayApi.TCPRouteSpec>;
export type ReferenceGrantObject = Typed<gatewayApi.ReferenceGrantSpec>;
export type BackendTLSPolicy = Typed<gatewayApi.BackendTLSPolicySpec>;
export type BackendTrafficPolicy = Typed<gatewayApi.BackendTrafficPolicySpec>;
export type Backend = Typed<gatewayApi.BackendSpec>;

export interface TranslateOptions {
  /** `cluster.local` */
  readonly clusterDomain: string;
  /**
   * The labels of a gateway that serves Gateways for which none of their own is deployed: without them such a Gateway
   * waits for its Service. For places where nobody deploys gateways, as a laptop.
   */
  readonly sharedGateway?: Readonly<Record<string, string>> | undefined;
  /** Whether classes of ambient mode (waypoints, east-west gateways over HBONE) are ours too. Default false. */
  readonly ambient?: boolean | undefined;
  /** RFC 3339: `lastTransitionTime` of what changes. */
  readonly now: string;
  /** What the mesh knows of endpoints, for statuses; left out, nothing is known and only config is of interest. */
  readonly endpoints?: Mesh['endpoints'] | undefined;
}

/** Kinds that the translation reads beside those of the Gateway API. */
const helperKinds: ReadonlySet<string> = new Set([
  '/Service',
  '/Namespace',
  '/Secret',
  '/ConfigMap',
  'networking.istio.io/ServiceEntry',
]);

export function isGatewayApiGroup(group: string): boolean {
  return group === 'gateway.networking.k8s.io' || group === 'gateway.networking.x-k8s.io';
}

/** Whether an object is of the Gateway API itself. */
export function isGatewayApiObject({ apiVersion }: Pick<ConfigObject, 'apiVersion'>): boolean {
  return isGatewayApiGroup(groupOf(apiVersion));
}

/** Whether the translation of Gateway API objects reads an object: its own kinds, and what these refer to. */
export function isReadWithGatewayApi({ apiVersion, kind }: Pick<ConfigObject, 'apiVersion' | 'kind'>): boolean {
  const group = groupOf(apiVersion);
  return isGatewayApiGroup(group) || helperKinds.has(`${group}/${kind}`);
}

/** Older objects first, then by namespace and name: the order of precedence. */
export function compareAge(a: ConfigObject, b: ConfigObject): number {
  return (
    compareText(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
    compareText(a.metadata.namespace, b.metadata.namespace) ||
    compareText(a.metadata.name, b.metadata.name)
  );
}

/** The objects of one translation, by kind. */
export class Inputs {
  readonly #byKind = new Map<string, ConfigObject[]>();
  readonly #sorted = new Set<string>();
  readonly #byName = new Map<string, ConfigObject>();

  constructor(objects: Iterable<ConfigObject>) {
    for (const object of objects) {
      if (!isReadWithGatewayApi(object)) continue;
      const kind = `${groupOf(object.apiVersion)}/${object.kind}`;
      const list = this.#byKind.get(kind);
      if (list) list.push(object);
      else this.#byKind.set(kind, [object]);
      this.#byName.set(`${kind}/${object.metadata.namespace}/${object.metadata.name}`, object);
    }
  }

  /** Oldest first. @param kind `group/Kind` */
  all<Spec>(kind: string): readonly Typed<Spec>[] {
    const list = this.#byKind.get(kind) ?? [];
    if (!this.#sorted.has(kind)) list.sort(compareAge);
    this.#sorted.add(kind);
    return list as unknown as readonly Typed<Spec>[];
  }

  find(kind: string, namespace: string, name: string): ConfigObject | undefined {
    return this.#byName.get(`${kind}/${namespace}/${name}`);
  }

  gateways(): readonly Gateway[] {
    return this.all('gateway.networking.k8s.io/Gateway');
  }

  listenerSets(): readonly ListenerSet[] {
    const old = this.all<gatewayApi.ListenerSetSpec>('gateway.networking.x-k8s.io/XListenerSet');
    const now = this.all<gatewayApi.ListenerSetSpec>('gateway.networking.k8s.io/ListenerSet');
    return old.length === 0 ? now : [...now, ...old].sort(compareAge);
  }

  serviceEntry(namespace: string, name: string): ServiceEntry | undefined {
    return this.find('networking.istio.io/ServiceEntry', namespace, name) as ServiceEntry | undefined;
  }

  namespaces(): readonly ConfigObject[] {
    return this.all('/Namespace');
  }
}
