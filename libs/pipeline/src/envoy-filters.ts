import { fromBinary } from '@bufbuild/protobuf';
import {
  applyToCluster,
  applyToListener,
  applyToRoutes,
  clusterContext,
  clustersAdded,
  type EnvoyPatch,
  groupPatches,
  listenersAdded,
  type PatchContext,
  type PatchProblem,
  type PatchSet,
  type PatchTarget,
  readPatches,
  touchesCluster,
  touchesListener,
  touchesRoutes,
} from '@seine/compile';
import { encodeResource, TypeUrl } from '@seine/envoy';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { TrafficDirection } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import { type EnvoyFilter, re2Matches } from '@seine/istio';
import { internByKey, internList, memo, sameItems } from '@seine/memo';
import { labelsMatch, type Mesh, type Proxy, type Workload } from '@seine/model';
import { type Resource, resource, type ResourceSet, type View, viewHas } from '@seine/snapshot';
import { internSet } from './resource-sets.js';

type Views = ReadonlyMap<string, View>;

/** The label that Gateway API's gateways carry on their workloads (GEP-1762). */
const gatewayNameLabel = 'gateway.networking.k8s.io/gateway-name';

/** Priority, the root namespace before others, age, `name.namespace` (Istio: PushContext.EnvoyFilters). */
function compareFilters(rootNamespace: string) {
  const keys = ({ metadata, spec }: EnvoyFilter): readonly (string | number)[] => [
    spec.priority ?? 0,
    metadata.namespace === rootNamespace ? 0 : 1,
    metadata.creationTimestamp ?? '',
    `${metadata.name}.${metadata.namespace}`,
  ];
  return (a: EnvoyFilter, b: EnvoyFilter): number => {
    const [ours, theirs] = [keys(a), keys(b)];
    const at = ours.findIndex((key, i) => key !== theirs[i]);
    return at < 0 ? 0 : (ours[at] ?? '') < (theirs[at] ?? '') ? -1 : 1;
  };
}

/** All filters in the order in which they apply, by namespace. */
const filtersByNamespace = memo(
  'envoyFiltersByNamespace',
  (all: readonly EnvoyFilter[], rootNamespace: string): ReadonlyMap<string, readonly EnvoyFilter[]> => {
    const found = new Map<string, EnvoyFilter[]>();
    for (const filter of [...all].sort(compareFilters(rootNamespace))) {
      const list = found.get(filter.metadata.namespace);
      if (list) list.push(filter);
      else found.set(filter.metadata.namespace, [filter]);
    }
    return found;
  },
);

/** By `targetRefs`: a gateway of Gateway API in the filter's namespace. Services are targets of waypoints only. */
function selects({ metadata, spec }: EnvoyFilter, { namespace, labels }: Proxy): boolean {
  const targets = spec.targetRefs ?? [];
  if (targets.length === 0) return labelsMatch(spec.workloadSelector?.labels, labels);
  const name = labels[gatewayNameLabel];
  return (
    name !== undefined &&
    metadata.namespace === namespace &&
    targets.some((target) => target.kind === 'Gateway' && target.name === name)
  );
}

/** Istio's limit on the expression; a longer one matches no proxy. */
const longestVersion = 1024;

function isForProxy({ match }: EnvoyPatch, { metadata = {} }: Proxy): boolean {
  const { proxyVersion, metadata: wanted } = match.proxy ?? {};
  if (proxyVersion) {
    const version = metadata['ISTIO_VERSION'];
    if (!version || proxyVersion.length > longestVersion || !re2Matches(proxyVersion, version)) return false;
  }
  return labelsMatch(wanted, metadata);
}

const patchesOfFilter = memo('envoyFilterPatches', (filter: EnvoyFilter) => readPatches(filter));
const internPatches = internList();
const patchSet = memo('patchSet', (patches: readonly EnvoyPatch[]): PatchSet => groupPatches(patches));

/** Looked up once a proxy and change of some EnvoyFilter; the same patches give the same set. */
const selectPatches = memo(
  'selectPatches',
  (proxy: Proxy, all: readonly EnvoyFilter[], rootNamespace: string): PatchSet | undefined => {
    const byNamespace = filtersByNamespace(all, rootNamespace);
    const namespaces = new Set([rootNamespace, proxy.namespace]);
    const selected = [...namespaces]
      .flatMap((namespace) => byNamespace.get(namespace) ?? [])
      .filter((filter) => selects(filter, proxy))
      .sort(compareFilters(rootNamespace));
    const patches = selected.flatMap((filter) => patchesOfFilter(filter)).filter((patch) => isForProxy(patch, proxy));
    return patches.length === 0 ? undefined : patchSet(internPatches(patches));
  },
);

/** The patches of the EnvoyFilters that select a proxy; undefined where none does. */
export function patchesOf(mesh: Pick<Mesh, 'config' | 'resources'>, proxy: Proxy): PatchSet | undefined {
  const all = mesh.resources.get('EnvoyFilter') as readonly EnvoyFilter[] | undefined;
  return all && all.length > 0 ? selectPatches(proxy, all, mesh.config.rootNamespace) : undefined;
}

/** What of a proxy patching reads. */
interface PatchedProxy {
  readonly type: Proxy['type'];
  readonly targets: Readonly<Record<PatchContext, PatchTarget>>;
}

const internPatchedProxy = internByKey<PatchedProxy>(4096);

function patchedProxy({ type, interceptionMode }: Proxy, workload: Workload | undefined): PatchedProxy {
  const explicit = interceptionMode === 'NONE';
  const ports = type === 'router' ? (workload?.inbound ?? []) : [];
  const pairs = ports.map(({ targetPort, servicePort }) => [targetPort, servicePort] as const);
  return internPatchedProxy(JSON.stringify([type, explicit, pairs]), () => {
    const servicePorts = new Map<number, number[]>();
    for (const [target, port] of pairs) servicePorts.set(target, [...(servicePorts.get(target) ?? []), port]);
    const target = (context: PatchContext): PatchTarget => ({ context, explicit, servicePorts });
    return Object.freeze({
      type,
      targets: {
        SIDECAR_INBOUND: target('SIDECAR_INBOUND'),
        SIDECAR_OUTBOUND: target('SIDECAR_OUTBOUND'),
        GATEWAY: target('GATEWAY'),
      },
    });
  });
}

/** A resource after patching; none where it was removed. */
interface PatchedResource {
  readonly resource: Resource | undefined;
  readonly problems: readonly PatchProblem[];
}

const noProblems: readonly never[] = Object.freeze([]);

/** The same resource where nothing changed. */
function patched(original: Resource, bytes: Buffer | undefined, problems: readonly PatchProblem[]): PatchedResource {
  if (!bytes) return { resource: undefined, problems };
  return { resource: bytes.equals(original.bytes) ? original : resource(original.name, bytes), problems };
}

const listenerDirection = memo(
  'listenerDirection',
  (item: Resource): TrafficDirection => fromBinary(ListenerSchema, item.bytes).trafficDirection,
);

function listenerTarget(item: Resource, { type, targets }: PatchedProxy): PatchTarget {
  if (type === 'router') return targets.GATEWAY;
  return listenerDirection(item) === TrafficDirection.INBOUND ? targets.SIDECAR_INBOUND : targets.SIDECAR_OUTBOUND;
}

const patchedListener = memo(
  'patchedListener',
  (item: Resource, patches: PatchSet, proxy: PatchedProxy): PatchedResource => {
    const target = listenerTarget(item, proxy);
    if (!touchesListener(item.name, patches, target)) return { resource: item, problems: noProblems };
    const { message, problems } = applyToListener(item.bytes, patches, target);
    return patched(item, message && encodeResource(ListenerSchema, message), problems);
  },
);

const patchedRoutes = memo(
  'patchedRoutes',
  (item: Resource, patches: PatchSet, { type, targets }: PatchedProxy): PatchedResource => {
    const target = type === 'router' ? targets.GATEWAY : targets.SIDECAR_OUTBOUND;
    if (!touchesRoutes(item.name, patches, target)) return { resource: item, problems: noProblems };
    const { message, problems } = applyToRoutes(item.bytes, patches, target);
    return patched(item, message && encodeResource(RouteConfigurationSchema, message), problems);
  },
);

const patchedCluster = memo(
  'patchedCluster',
  (item: Resource, patches: PatchSet, { type, targets }: PatchedProxy): PatchedResource => {
    const target = targets[clusterContext(item.name, type)];
    if (!touchesCluster(item.name, patches, target)) return { resource: item, problems: noProblems };
    const { message, problems } = applyToCluster(item.bytes, patches, target);
    return patched(item, message && encodeResource(ClusterSchema, message), problems);
  },
);

type Patcher = typeof patchedListener;

const patchers = new Map<string, Patcher>([
  [TypeUrl.cluster, patchedCluster],
  [TypeUrl.listener, patchedListener],
  [TypeUrl.route, patchedRoutes],
]);

interface PatchedSet {
  readonly set: ResourceSet;
  readonly problems: readonly PatchProblem[];
}

/** The same set where nothing in it changed. */
const patchedSet = memo(
  'patchedSet',
  (set: ResourceSet, patch: Patcher, patches: PatchSet, proxy: PatchedProxy): PatchedSet => {
    const members = [...set].map((item) => [item, patch(item, patches, proxy)] as const);
    const problems = members.flatMap(([, result]) => result.problems);
    if (members.every(([item, result]) => result.resource === item)) return { set, problems };
    return { set: internSet(members.flatMap(([, result]) => result.resource ?? [])), problems };
  },
);

interface AddedResources {
  readonly resources: readonly Resource[];
  readonly problems: readonly PatchProblem[];
}

/** In the order in which Istio adds: to the outbound side first. */
function targetsOf({ type, targets }: PatchedProxy): readonly PatchTarget[] {
  return type === 'router' ? [targets.GATEWAY] : [targets.SIDECAR_OUTBOUND, targets.SIDECAR_INBOUND];
}

const addedResources = memo('patchesAdd', (patches: PatchSet, proxy: PatchedProxy, typeUrl: string): AddedResources => {
  if (typeUrl === TypeUrl.cluster) {
    const { messages, problems } = clustersAdded(patches, targetsOf(proxy));
    return { resources: messages.map((c) => resource(c.name, encodeResource(ClusterSchema, c))), problems };
  }
  if (typeUrl === TypeUrl.listener) {
    const { messages, problems } = listenersAdded(patches, targetsOf(proxy));
    return { resources: messages.map((l) => resource(l.name, encodeResource(ListenerSchema, l))), problems };
  }
  return { resources: noProblems, problems: noProblems };
});

const internView = internList();

interface PatchedViews {
  readonly views: Views;
  readonly problems: readonly PatchProblem[];
}

function patchView(
  typeUrl: string,
  view: View,
  patches: PatchSet,
  proxy: PatchedProxy,
): { readonly view: View; readonly problems: readonly PatchProblem[] } {
  const patcher = patchers.get(typeUrl);
  if (!patcher) return { view, problems: noProblems };
  const layers = view.map((set) => patchedSet(set, patcher, patches, proxy));
  const { resources, problems } = addedResources(patches, proxy, typeUrl);
  const existing = layers.map(({ set }) => set);
  // What the mesh itself calls so stays: two resources of one name cannot be told apart.
  const news = resources.filter(({ name }) => !viewHas(existing, name));
  const all = news.length === 0 ? existing : [...existing, internSet(news)];
  return {
    view: sameItems(all, view) ? view : internView(all),
    problems: [...layers.flatMap((layer) => layer.problems), ...problems],
  };
}

const patchViews = memo('patchViews', (views: Views, patches: PatchSet, proxy: PatchedProxy): PatchedViews => {
  const found: PatchProblem[] = [];
  const entries = [...views].map(([typeUrl, view]) => {
    const result = patchView(typeUrl, view, patches, proxy);
    found.push(...result.problems);
    return [typeUrl, result.view] as const;
  });
  const isSame = entries.every(([typeUrl, view]) => view === views.get(typeUrl));
  return Object.freeze({ views: isSame ? views : new Map(entries), problems: Object.freeze(found) });
});

/**
 * Applies the EnvoyFilters that select a proxy to what it would get without them. Views of proxies that none selects
 * stay the very same; proxies of one class that the same patches select share what comes of it.
 */
export function withEnvoyFilters(views: Views, mesh: Mesh, proxy: Proxy, workload: Workload | undefined): Views {
  const patches = patchesOf(mesh, proxy);
  return patches ? patchViews(views, patches, patchedProxy(proxy, workload)).views : views;
}

/** The patches that a proxy does not get, resource by resource; equal proxies have the same list. */
export function envoyFilterProblems(
  views: Views,
  mesh: Mesh,
  proxy: Proxy,
  workload: Workload | undefined,
): readonly PatchProblem[] {
  const patches = patchesOf(mesh, proxy);
  return patches ? patchViews(views, patches, patchedProxy(proxy, workload)).problems : noProblems;
}
