import type { AuthenticationPolicy, RbacConfig, ServiceRole, ServiceRoleBinding } from '@seine/istio';
import { compareText, type ConfigObject, fieldsOf, groupOf, type Labels, labelsOf } from '@seine/k8s';
import { readService, type Service, type WorkloadPorts } from './service.js';

export interface LegacySecurityOptions {
  /** Namespace whose policies are for the whole mesh. */
  readonly rootNamespace: string;
  /** `cluster.local` */
  readonly clusterDomain: string;
}

const groups: ReadonlySet<string> = new Set(['authentication.istio.io', 'rbac.istio.io']);

/** Kinds that the translation reads beside its own. */
const helperKinds: ReadonlySet<string> = new Set([
  '/Service',
  'apps/Deployment',
  'apps/StatefulSet',
  'apps/DaemonSet',
  'networking.istio.io/Gateway',
  // What users wrote today has its names, and may decide already who may call a gateway.
  'security.istio.io/AuthorizationPolicy',
  'security.istio.io/PeerAuthentication',
  'security.istio.io/RequestAuthentication',
]);

type KindOf = Pick<ConfigObject, 'apiVersion' | 'kind'>;

/** Whether an object is of an old security kind. */
export function isLegacySecurity({ apiVersion }: KindOf): boolean {
  return groups.has(groupOf(apiVersion));
}

/** Whether the translation reads an object. */
export function isReadWithLegacySecurity(object: KindOf): boolean {
  return isLegacySecurity(object) || helperKinds.has(`${groupOf(object.apiVersion)}/${object.kind}`);
}

/** Older objects first, then by namespace and name: the order of precedence. */
function compareAge(a: ConfigObject, b: ConfigObject): number {
  return (
    compareText(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
    compareText(a.metadata.namespace, b.metadata.namespace) ||
    compareText(a.metadata.name, b.metadata.name)
  );
}

function compareName(a: ConfigObject, b: ConfigObject): number {
  return compareText(a.metadata.namespace, b.metadata.namespace) || compareText(a.metadata.name, b.metadata.name);
}

function isAllow(policy: ConfigObject): boolean {
  return (fieldsOf(policy.spec)['action'] ?? 'ALLOW') === 'ALLOW';
}

/** The objects of one translation, by what they are. */
export class Inputs {
  readonly #byKind = new Map<string, ConfigObject[]>();
  readonly #services = new Map<string, Map<string, Service>>();

  constructor(
    objects: Iterable<ConfigObject>,
    readonly options: LegacySecurityOptions,
  ) {
    for (const object of objects) {
      if (!isReadWithLegacySecurity(object)) continue;
      const list = this.#byKind.get(object.kind);
      if (list) list.push(object);
      else this.#byKind.set(object.kind, [object]);
    }
    const workloads = ['Deployment', 'StatefulSet', 'DaemonSet'].flatMap((kind) => this.#all(kind).map(portsOf));
    for (const object of [...this.#all('Service')].sort(compareName)) {
      const service = readService(object, workloads, options.clusterDomain);
      const list = this.#services.get(service.namespace) ?? new Map<string, Service>();
      this.#services.set(service.namespace, list.set(service.name, service));
    }
  }

  #all(kind: string): readonly ConfigObject[] {
    return this.#byKind.get(kind) ?? [];
  }

  /** Policies of services and namespaces, oldest first. */
  policies(): readonly AuthenticationPolicy[] {
    return [...this.#all('Policy')].sort(compareAge) as unknown as readonly AuthenticationPolicy[];
  }

  meshPolicy(): AuthenticationPolicy | undefined {
    return this.#all('MeshPolicy')[0] as unknown as AuthenticationPolicy | undefined;
  }

  /** The settings in force first: those of the mesh, then those of the root namespace, then the oldest. */
  rbacConfigs(): readonly RbacConfig[] {
    const { rootNamespace } = this.options;
    const rank = ({ kind, metadata }: ConfigObject): number =>
      kind === 'ClusterRbacConfig' ? 0 : metadata.namespace === rootNamespace ? 1 : 2;
    const all = [...this.#all('ClusterRbacConfig'), ...this.#all('RbacConfig')];
    return all.sort((a, b) => rank(a) - rank(b) || compareAge(a, b)) as unknown as readonly RbacConfig[];
  }

  roles(): readonly ServiceRole[] {
    return [...this.#all('ServiceRole')].sort(compareName) as unknown as readonly ServiceRole[];
  }

  bindings(): readonly ServiceRoleBinding[] {
    return [...this.#all('ServiceRoleBinding')].sort(compareName) as unknown as readonly ServiceRoleBinding[];
  }

  /** Namespaces that have Services, in order. */
  namespaces(): readonly string[] {
    return [...this.#services.keys()];
  }

  /** Services of a namespace by name. */
  services(namespace: string): readonly Service[] {
    return [...(this.#services.get(namespace)?.values() ?? [])];
  }

  service(namespace: string, name: string): Service | undefined {
    return this.#services.get(namespace)?.get(name);
  }

  /** What the gateways of the mesh select their workloads by. */
  gatewaySelectors(): readonly Labels[] {
    const selectors = this.#all('Gateway').map(({ spec }) => labelsOf(fieldsOf(spec)['selector']));
    const distinct = new Map(selectors.map((labels) => [JSON.stringify(Object.entries(labels).sort()), labels]));
    return [...distinct]
      .sort(([a], [b]) => compareText(a, b))
      .flatMap(([, l]) => (Object.keys(l).length > 0 ? [l] : []));
  }

  /** Today's ALLOW policies that users wrote. */
  allowPolicies(): readonly ConfigObject[] {
    return this.#all('AuthorizationPolicy').filter(isAllow);
  }
}

/** The labels and named ports of what a Deployment (and its like) runs. */
function portsOf({ metadata, spec }: ConfigObject): WorkloadPorts {
  const template = fieldsOf(fieldsOf(spec)['template']);
  return {
    namespace: metadata.namespace,
    labels: labelsOf(fieldsOf(template['metadata'])['labels']),
    podSpec: fieldsOf(template['spec']),
  };
}
