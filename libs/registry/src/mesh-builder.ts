import type { Diagnostic } from '@seine/diagnostics';
import type { ObjectsByKey } from '@seine/gateway-api';
import { type ConfigObject, groupOf, type ObjectKey, objectKey } from '@seine/k8s';
import { deepEqual, deepFreeze, sameEntries, sameItems } from '@seine/memo';
import {
  type Mesh,
  type MeshConfig,
  type MeshService,
  type PrivateService,
  type ServiceEndpoints,
  type Workload,
  workloadKeyAt,
} from '@seine/model';
import { BackendIndex } from './backend-index.js';
import { compareText, type Labels, labelsOf, noLabels } from './fields.js';
import {
  convertPod,
  convertWorkloadEntry,
  convertWorkloadOwner,
  type Instance,
  isWorkloadOwner,
  type WorkloadOwner,
} from './instance.js';
import { rankSources } from './host-conflicts.js';
import { InstanceIndex, SelectorIndex } from './instance-index.js';
import { keepEqual, keepServiceEndpoints } from './keep-identity.js';
import { type Backends, convertBackends, isBackendsKind } from './kubernetes-endpoints.js';
import { convertKubernetesService } from './kubernetes-service.js';
import { type ObjectChange, ObjectSet } from './object-set.js';
import { patchOrderedMap } from './ordered-map.js';
import { isResource, patchResources, type ResourceChange } from './resource-lists.js';
import { convertServiceEntry } from './service-entry.js';
import { endpointsOf, selectedInstances } from './service-endpoints.js';
import { compareSources, type ServiceSource } from './service-source.js';
import { spiffeId } from './spiffe.js';
import { workloadOf } from './workload-inbound.js';

export interface BuiltMesh {
  readonly mesh: Mesh;
  /** All that is wrong with the mesh as it is now: hosts that two objects claim. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What the mesh makes of an object, in the order in which changes are taken in: the later ones read the earlier ones. */
const roles = ['node', 'owner', 'instance', 'backends', 'service', 'resource'] as const;
type Role = (typeof roles)[number];

function roleOf(object: ConfigObject): Role | undefined {
  const group = groupOf(object.apiVersion);
  if (group === '' && object.kind === 'Node') return 'node';
  if (group === '' && object.kind === 'Pod') return 'instance';
  if (group === '' && object.kind === 'Service') return 'service';
  if (group === 'networking.istio.io' && object.kind === 'ServiceEntry') return 'service';
  if (group === 'networking.istio.io' && object.kind === 'WorkloadEntry') return 'instance';
  if (isBackendsKind(group, object.kind)) return 'backends';
  if (isWorkloadOwner(group, object.kind)) return 'owner';
  return isResource(object) ? 'resource' : undefined;
}

/**
 * The indexes behind one line of meshes, each made from the one before. An update takes in the objects that changed,
 * marks the hosts and addresses these concern, and makes only those anew:
 *
 *     objects ─► instances, backends ─► hosts (who wins, endpoints, accounts) ─► workloads (inbound ports)
 */
export class MeshBuilder {
  readonly #objects = new ObjectSet();
  readonly #nodeLabels = new Map<string, Labels>();
  readonly #owners = new Map<string, Map<ObjectKey, WorkloadOwner>>();
  readonly #instances = new InstanceIndex();
  readonly #selectors = new SelectorIndex();
  readonly #backends = new BackendIndex();
  readonly #sources = new Map<ObjectKey, readonly ServiceSource[]>();
  readonly #candidates = new Map<string, readonly ServiceSource[]>();
  /** Those that some namespace sees, by host. */
  readonly #inForce = new Map<string, readonly ServiceSource[]>();
  readonly #conflicts = new Map<string, readonly Diagnostic[]>();
  #resources: ReadonlyMap<string, readonly ConfigObject[]> = new Map();
  #changedHosts = new Set<string>();
  #changedAddresses = new Set<string>();
  /** Under which keys of `Mesh.workloads` the workloads at an address stand. */
  readonly #keysAt = new Map<string, readonly string[]>();
  #changedResources = new Map<ObjectKey, ResourceChange>();
  #fresh = true;

  constructor(readonly config: MeshConfig) {}

  /**
   * @param previous the mesh that this builder made last; for its first update, any mesh whose values to keep
   * @param changedKeys the only keys that may differ from the last update; not read in the first one
   */
  update(previous: Mesh, objects: ObjectsByKey, changedKeys: Iterable<ObjectKey> | undefined): BuiltMesh {
    if (this.#fresh) {
      for (const host of previous.services.keys()) this.#changedHosts.add(host);
      for (const key of previous.workloads.keys()) {
        const [address = key] = key.split('/');
        this.#changedAddresses.add(address);
        this.#keysAt.set(address, [...(this.#keysAt.get(address) ?? []), key]);
      }
      this.#takeIn(this.#objects.replace(objects, heldResources(previous)));
    } else if (changedKeys) this.#takeIn(this.#objects.replaceSome(objects, changedKeys));
    else this.#takeIn(this.#objects.replace(objects, new Map()));
    const { services, endpoints, privateServices } = this.#buildServices(previous);
    const workloads = this.#buildWorkloads(previous);
    const resources = this.#buildResources(previous);
    const config = deepEqual(previous.config, this.config) ? previous.config : this.config;
    const mesh = { config, services, endpoints, privateServices, workloads, resources };
    this.#fresh = false;
    const same = Object.entries(mesh).every(([field, value]) => previous[field as keyof Mesh] === value);
    const diagnostics = [...this.#conflicts].sort(([a], [b]) => compareText(a, b)).flatMap(([, list]) => list);
    return { mesh: same ? previous : Object.freeze(mesh), diagnostics };
  }

  #takeIn(allChanges: readonly ObjectChange[]): void {
    const byRole = new Map<Role, ObjectChange[]>(roles.map((role) => [role, []]));
    for (const change of allChanges) {
      const object = change.after ?? change.before;
      const role = object && roleOf(object);
      if (role) byRole.get(role)?.push(change);
    }
    for (const [role, changes] of byRole) {
      for (const change of changes) this.#take(role, change);
      if (role === 'owner') this.#reconvertPods(changes);
      if (role === 'node') this.#reconvertPodsOn(changes);
    }
  }

  #take(role: Role, { key, before, after }: ObjectChange): void {
    switch (role) {
      case 'node':
        this.#setNode(after ?? before, after);
        break;
      case 'owner':
        this.#setOwner(key, (after ?? before)?.metadata.namespace ?? '', after && convertWorkloadOwner(after));
        break;
      case 'instance':
        this.#setInstance(key, after && this.#convertInstance(after));
        break;
      case 'backends':
        this.#setBackends(key, after && convertBackends(after));
        break;
      case 'service':
        this.#setSources(key, after ? this.#convertService(after) : []);
        break;
      case 'resource':
        this.#changedResources.set(key, { before, after });
    }
  }

  #setOwner(key: ObjectKey, namespace: string, owner: WorkloadOwner | undefined): void {
    let owners = this.#owners.get(namespace);
    if (!owners) this.#owners.set(namespace, (owners = new Map<ObjectKey, WorkloadOwner>()));
    if (owner) owners.set(key, owner);
    else owners.delete(key);
  }

  #setNode(node: ConfigObject | undefined, after: ConfigObject | undefined): void {
    if (after) this.#nodeLabels.set(after.metadata.name, labelsOf(after.metadata.labels));
    else if (node) this.#nodeLabels.delete(node.metadata.name);
  }

  /** A pod stands where its node does. */
  #reconvertPodsOn(changes: readonly ObjectChange[]): void {
    for (const { before, after } of changes)
      for (const { key } of this.#instances.onNode((after ?? before)?.metadata.name ?? '')) {
        const object = this.#objects.get(key);
        if (object) this.#setInstance(key, this.#convertInstance(object));
      }
  }

  /** A pod may take its account and its owner's name from a Deployment that came, went or changed. */
  #reconvertPods(changes: readonly ObjectChange[]): void {
    const namespaces = new Set(changes.map(({ before, after }) => (after ?? before)?.metadata.namespace ?? ''));
    for (const namespace of namespaces) {
      for (const instance of this.#instances.inNamespace(namespace)) {
        const object = instance.kind === 'Pod' ? this.#objects.get(instance.key) : undefined;
        if (object) this.#setInstance(instance.key, this.#convertInstance(object));
      }
    }
  }

  #convertInstance(object: ConfigObject): Instance {
    if (object.kind === 'WorkloadEntry') return convertWorkloadEntry(object);
    const owners = [...(this.#owners.get(object.metadata.namespace)?.values() ?? [])];
    return convertPod(
      object,
      owners.sort((a, b) => compareText(a.key, b.key)),
      (node) => this.#nodeLabels.get(node) ?? noLabels,
    );
  }

  #convertService(object: ConfigObject): readonly ServiceSource[] {
    return object.kind === 'Service'
      ? [convertKubernetesService(object, this.config)]
      : convertServiceEntry(object, this.config);
  }

  #setInstance(key: ObjectKey, converted: Instance | undefined): void {
    const before = this.#instances.get(key);
    const after = converted && keepEqual(before, converted);
    if (after === before) return;
    if (before) this.#instances.remove(before);
    if (after) this.#instances.add(after);
    for (const instance of [before, after]) {
      if (!instance) continue;
      for (const source of this.#selectors.selecting(instance.namespace, instance.labels))
        this.#changedHosts.add(source.service.host);
      for (const service of this.#backends.servicesNaming(instance)) this.#changedHosts.add(this.#hostOf(service));
      for (const address of instance.ipAddresses) this.#changedAddresses.add(address);
    }
  }

  #setBackends(key: ObjectKey, converted: Backends | undefined): void {
    const before = this.#backends.get(key);
    const after = converted && keepEqual(before, converted);
    if (after === before) return;
    if (before) this.#backends.remove(before);
    if (after) this.#backends.add(after);
    for (const backends of [before, after]) {
      if (backends?.service) this.#changedHosts.add(this.#hostOf(backends.service));
    }
  }

  #hostOf(service: string): string {
    const [namespace = '', name = ''] = service.split('/');
    return `${name}.${namespace}.svc.${this.config.clusterDomain}`;
  }

  #setSources(key: ObjectKey, converted: readonly ServiceSource[]): void {
    const before = this.#sources.get(key) ?? [];
    const byHost = new Map(before.map((source) => [source.service.host, source]));
    const after = converted.map((source) => {
      const known = byHost.get(source.service.host);
      return { ...source, service: keepEqual(known?.service, source.service) };
    });
    for (const source of before) this.#selectors.remove(source);
    for (const source of after) this.#selectors.add(source);
    if (after.length > 0) this.#sources.set(key, after);
    else this.#sources.delete(key);
    for (const source of before) this.#setCandidate(source.service.host, key, undefined);
    for (const source of after) this.#setCandidate(source.service.host, key, source);
  }

  #setCandidate(host: string, key: ObjectKey, source: ServiceSource | undefined): void {
    const others = (this.#candidates.get(host) ?? []).filter((candidate) => candidate.objectKey !== key);
    const candidates = source ? [...others, source].sort(compareSources) : others;
    if (candidates.length > 0) this.#candidates.set(host, candidates);
    else this.#candidates.delete(host);
    this.#changedHosts.add(host);
  }

  #buildServices(previous: Mesh): Pick<Mesh, 'services' | 'endpoints' | 'privateServices'> {
    const services = new Map<string, MeshService | undefined>();
    const endpoints = new Map<string, ServiceEndpoints | undefined>();
    const privateServices = new Map<string, readonly PrivateService[] | undefined>();
    for (const host of this.#changedHosts) {
      const { common, others, conflicts } = rankSources(host, this.#candidates.get(host) ?? []);
      this.#setInForce(host, common ? [common, ...others] : []);
      if (conflicts.length > 0) this.#conflicts.set(host, conflicts);
      else this.#conflicts.delete(host);
      const built = this.#endpointsOf(common, host, previous.endpoints.get(host));
      endpoints.set(host, built);
      services.set(host, common && keepEqual(previous.services.get(host), this.#withAccounts(common.service, built)));
      const known = previous.privateServices.get(host) ?? [];
      const beside = others.map((source) => this.#privateService(source, known));
      privateServices.set(host, beside.length === 0 ? undefined : keepList(known, beside));
    }
    this.#changedHosts = new Set();
    return {
      services: patchOrderedMap(previous.services, services),
      endpoints: patchOrderedMap(previous.endpoints, endpoints),
      privateServices: patchOrderedMap(previous.privateServices, privateServices),
    };
  }

  #endpointsOf(
    source: ServiceSource | undefined,
    host: string,
    before: ServiceEndpoints | undefined,
  ): ServiceEndpoints | undefined {
    const byPort = source ? endpointsOf(source, this.#instances, this.#backends) : new Map<number, never[]>();
    return keepServiceEndpoints(before, host, byPort);
  }

  #privateService(source: ServiceSource, known: readonly PrivateService[]): PrivateService {
    const before = known.find(({ service }) => deepEqual(service.origin, source.service.origin));
    const endpoints = this.#endpointsOf(source, source.service.host, before?.endpoints);
    const service = keepEqual(before?.service, this.#withAccounts(source.service, endpoints));
    return before?.service === service && before.endpoints === endpoints
      ? before
      : Object.freeze({ service, endpoints });
  }

  /** Marks the workloads whose inbound ports may change when other sources speak for a host, or speak otherwise. */
  #setInForce(host: string, after: readonly ServiceSource[]): void {
    const before = this.#inForce.get(host) ?? [];
    if (after.length > 0) this.#inForce.set(host, after);
    else this.#inForce.delete(host);
    const isIn = (source: ServiceSource, list: readonly ServiceSource[]): boolean =>
      list.some(
        (item) => item === source || (item.service === source.service && deepEqual(item.selector, source.selector)),
      );
    const changed = [
      ...before.filter((source) => !isIn(source, after)),
      ...after.filter((source) => !isIn(source, before)),
    ];
    for (const source of changed) {
      for (const instance of selectedInstances(source, this.#instances))
        for (const address of instance.ipAddresses) this.#changedAddresses.add(address);
    }
  }

  #withAccounts(service: MeshService, endpoints: ServiceEndpoints | undefined): MeshService {
    const accounts = new Set(service.serviceAccounts);
    for (const list of endpoints?.byPort.values() ?? []) {
      for (const { serviceAccount, workload } of list)
        if (serviceAccount) accounts.add(spiffeId(this.config.trustDomain, workload.namespace, serviceAccount));
    }
    return accounts.size === service.serviceAccounts.length
      ? service
      : { ...service, serviceAccounts: [...accounts].sort() };
  }

  #buildWorkloads(previous: Mesh): Mesh['workloads'] {
    const changes = new Map<string, Workload | undefined>();
    const built = new Map<Instance, Workload>();
    for (const address of this.#changedAddresses) {
      for (const key of this.#keysAt.get(address) ?? []) changes.set(key, undefined);
      // Of several instances at one address (host network), a pod goes before a WorkloadEntry, then the lower name.
      const instances = [...this.#instances.atAddress(address)].sort(
        (a, b) => compareText(a.kind, b.kind) || compareText(a.key, b.key),
      );
      const keys = instances.map(({ namespace, name }, index) =>
        index === 0 ? address : workloadKeyAt(address, namespace, name),
      );
      for (const [index, instance] of instances.entries()) {
        const key = keys[index] ?? address;
        const workload = built.get(instance) ?? this.#buildWorkload(instance, previous);
        built.set(instance, workload);
        // A WorkloadEntry may have the name of a pod, which then counts.
        if (changes.get(key) === undefined) changes.set(key, workload);
      }
      if (keys.length > 0) this.#keysAt.set(address, keys);
      else this.#keysAt.delete(address);
    }
    this.#changedAddresses = new Set();
    return patchOrderedMap(previous.workloads, changes);
  }

  #buildWorkload(instance: Instance, previous: Mesh): Workload {
    const sources = this.#selectors
      .selecting(instance.namespace, instance.labels)
      .filter((source) => this.#inForce.get(source.service.host)?.includes(source));
    const next = workloadOf(instance, sources);
    const { namespace, name } = next;
    const known = instance.ipAddresses
      .flatMap((ip) => [previous.workloads.get(ip), previous.workloads.get(workloadKeyAt(ip, namespace, name))])
      .find((w) => deepEqual(w, next));
    return known ?? deepFreeze(next);
  }

  #buildResources(previous: Mesh): Mesh['resources'] {
    const next = patchResources(this.#resources, this.#changedResources);
    this.#changedResources = new Map();
    if (this.#fresh) {
      const kept = new Map([...next].map(([kind, list]) => [kind, keepList(previous.resources.get(kind), list)]));
      this.#resources = sameEntries(previous.resources, kept) ? previous.resources : kept;
    } else this.#resources = next;
    return this.#resources;
  }
}

function keepList<T>(before: readonly T[] | undefined, after: readonly T[]): readonly T[] {
  return before && sameItems(before, after) ? before : after;
}

function heldResources(mesh: Mesh): ReadonlyMap<ObjectKey, ConfigObject> {
  return new Map([...mesh.resources.values()].flat().map((object) => [objectKey(object), object]));
}
