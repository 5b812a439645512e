import {
  countsTraffic,
  type DestinationRuleIndex,
  failoverKeysOf,
  indexDestinationRules,
  nodeLabel,
  type OutboundFallback,
  type RuleClient,
} from '@seine/compile';
import type { DestinationRule, Gateway, Sidecar, VirtualService } from '@seine/istio';
import type { ConfigObject, Secret } from '@seine/k8s';
import { internByKey, internList, memo } from '@seine/memo';
import type { Mesh, MeshConfig, Proxy } from '@seine/model';
import { withAliases } from './aliases.js';
import { type ClientKind, clientKind } from './client-kind.js';
import { type Egress, egressOf } from './egress.js';
import { type EndpointClient, readsClient } from './outbound-clusters.js';
import type { RouteScope } from './outbound-routes.js';
import { fallbackOf, sidecarOf } from './sidecars.js';
import { visibleVirtualServices } from './virtual-services.js';
import { type RuleTable, ruleTableFor, type Services, visibleServices } from './visibility.js';

/** What all proxies of one namespace, kind and tested labels see. Everything shared is compiled from this and nothing else. */
export interface Scope {
  readonly kind: ClientKind;
  readonly config: MeshConfig;
  readonly routes: RouteScope;
  /** What is listed on listeners and in routes. */
  readonly egress: Egress;
  /** What clusters are made for: all of `egress`. */
  readonly services: Services;
  readonly rules: RuleTable;
  /** All that the namespace sees, oldest first. */
  readonly virtualServices: readonly VirtualService[];
  /** Where traffic goes to what is not listed. */
  readonly fallback: OutboundFallback;
  /** Only where some endpoints depend on where the client stands. */
  readonly endpointClient: EndpointClient | undefined;
}

const noResources: readonly never[] = Object.freeze([]);

interface ResourceKinds {
  readonly DestinationRule: DestinationRule;
  readonly Gateway: Gateway;
  readonly Secret: Secret;
  readonly VirtualService: VirtualService;
}

/** The mesh's resources of one kind; the registry has validated them against that kind. */
export function resourcesOf<K extends keyof ResourceKinds>(mesh: Mesh, kind: K): readonly ResourceKinds[K][] {
  const list = mesh.resources.get(kind) ?? noResources;
  return withDefaultExport(list, defaultExports(mesh.config)[kind]) as readonly ResourceKinds[K][];
}

function defaultExports(config: MeshConfig): Partial<Record<keyof ResourceKinds, readonly string[]>> {
  return {
    DestinationRule: config.defaultDestinationRuleExportTo,
    VirtualService: config.defaultVirtualServiceExportTo,
  };
}

/** `exportTo` of those that state none, as the mesh says; the same list where it says nothing, or `*`. */
function withDefaultExport(list: readonly ConfigObject[], exportTo: readonly string[] | undefined) {
  return !exportTo?.length || exportTo.includes('*') ? list : exportedBy(list, exportTo);
}

const exported = memo('exportedByDefault', (object: ConfigObject, exportTo: readonly string[]): ConfigObject =>
  Object.freeze({ ...object, spec: Object.freeze({ ...(object.spec as object), exportTo }) }),
);
const internExported = internList();
const exportedBy = memo(
  'exportedByDefaultList',
  (list: readonly ConfigObject[], exportTo: readonly string[]): readonly ConfigObject[] =>
    internExported(
      list.map((object) =>
        (object.spec as { readonly exportTo?: readonly string[] }).exportTo?.length
          ? object
          : exported(object, exportTo),
      ),
    ),
);

const internKeys = internByKey<readonly string[]>(256);
/** The same keys, the same list: so an edit that tests no other labels leaves every proxy in its classes. */
function keyList(keys: readonly string[]): readonly string[] {
  return internKeys(keys.join('\0'), () => Object.freeze([...keys]));
}

/** Label keys that some VirtualService's sourceLabels tests. */
const testedBySources = memo('testedBySources', (all: readonly VirtualService[]): readonly string[] => {
  const keys = new Set<string>();
  for (const vs of all) {
    const { http = [], tcp = [], tls = [] } = vs.spec;
    const matches: readonly { readonly sourceLabels?: Readonly<Record<string, string>> | undefined }[] = [
      ...http.flatMap((route) => route.match ?? []),
      ...tcp.flatMap((route) => route.match ?? []),
      ...tls.flatMap((route) => route.match),
    ];
    for (const match of matches) for (const key of Object.keys(match.sourceLabels ?? {})) keys.add(key);
  }
  return keyList([...keys].sort());
});

function project(labels: Readonly<Record<string, string>>, keys: Iterable<string>): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const key of keys) {
    const value = labels[key];
    if (value !== undefined) kept[key] = value;
  }
  return kept;
}

interface Client {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

const internClient = internByKey<Client>(8192);
const internEndpointClient = internByKey<EndpointClient>(8192);

function client(namespace: string, labels: Readonly<Record<string, string>>): Client {
  return internClient(JSON.stringify([namespace, labels]), () => Object.freeze({ namespace, labels }));
}

/** Label keys that some DestinationRule's failoverPriority names (`key` or `key=value`). */
const failoverKeys = memo('failoverKeys', (all: readonly DestinationRule[]): readonly string[] => {
  const policies = all.flatMap(({ spec }) => [
    spec.trafficPolicy,
    ...(spec.subsets ?? []).map((subset) => subset.trafficPolicy),
  ]);
  const settings = policies.flatMap((policy) => [
    policy?.loadBalancer,
    ...(policy?.portLevelSettings ?? []).map((port) => port.loadBalancer),
  ]);
  const keys = settings
    .flatMap((lb) => lb?.localityLbSetting?.failoverPriority ?? [])
    .map((entry) => entry.split('=')[0] ?? '');
  return keyList([...new Set(keys)].sort());
});

/** Label keys that rules, Services and the mesh test together. */
const endpointKeys = memo(
  'endpointKeys',
  (ofRules: readonly string[], services: Mesh['services'], config: MeshConfig): readonly string[] => {
    const more = failoverKeysOf(services.values(), config);
    return more.length === 0 ? ofRules : keyList([...new Set([...ofRules, ...more])].sort());
  },
);

function endpointClient(proxy: Proxy, keys: readonly string[]): EndpointClient {
  const labels = project(proxy.labels, keys);
  const { locality, network } = proxy;
  const nodeName = keys.includes(nodeLabel) ? (proxy.nodeName ?? '') : undefined;
  const key = JSON.stringify([locality.region, locality.zone, locality.subzone, labels, network, nodeName]);
  return internEndpointClient(key, () => Object.freeze({ locality, labels, network, nodeName }));
}

/** The classes that a proxy belongs to. Worked out again only when the labels that somebody tests change. */
interface ProxyClasses {
  readonly kind: ClientKind;
  readonly sources: Client;
  readonly selectors: Client;
  readonly stands: EndpointClient;
}

const classesOf = memo(
  'proxyClasses',
  (
    proxy: Proxy,
    sources: readonly string[],
    rules: DestinationRuleIndex,
    failover: readonly string[],
  ): ProxyClasses => ({
    kind: clientKind(proxy),
    sources: client(proxy.namespace, project(proxy.labels, sources)),
    selectors: client(proxy.namespace, project(proxy.labels, rules.selectorKeys)),
    stands: endpointClient(proxy, failover),
  }),
);

/** A client that says who it is. */
const withName = memo('namedClient', (routes: RouteScope): RouteScope =>
  Object.freeze({ ...routes, namesItself: true }),
);

const makeScope = memo(
  'scope',
  (
    mesh: Mesh,
    kind: ClientKind,
    routes: RouteScope,
    rulesFor: RuleClient,
    stands: EndpointClient,
    sidecar: Sidecar | undefined,
  ): Scope => {
    const { namespace } = routes;
    const { clusterDomain } = mesh.config;
    const visible = withAliases(visibleServices(mesh.services, mesh.privateServices, namespace));
    const virtualServices = visibleVirtualServices(resourcesOf(mesh, 'VirtualService'), namespace, clusterDomain);
    const egress = egressOf(visible, virtualServices, sidecar, namespace, clusterDomain);
    const { services } = egress;
    const rules = ruleTableFor(services, resourcesOf(mesh, 'DestinationRule'), rulesFor, mesh.config);
    return Object.freeze({
      kind,
      config: mesh.config,
      routes: kind.workloadCertificates && countsTraffic(mesh.config) ? withName(routes) : routes,
      egress,
      services,
      rules,
      virtualServices,
      fallback: fallbackOf(sidecar, visible, kind, mesh.config),
      endpointClient: readsClient(rules, services, mesh.config) ? stands : undefined,
    });
  },
);

/**
 * A mesh without its endpoints and workloads, the same object while nothing else in it changes: what is compiled from it
 * is looked up once, however often endpoints come and go.
 */
const shapeOf = memo(
  'meshShape',
  (
    services: Mesh['services'],
    config: MeshConfig,
    privateServices: Mesh['privateServices'],
    resources: Mesh['resources'],
    wasmModules: Mesh['wasmModules'],
    keySets: Mesh['keySets'],
  ): Mesh =>
    Object.freeze({
      services,
      config,
      privateServices,
      resources,
      wasmModules,
      keySets,
      endpoints: new Map(),
      workloads: new Map(),
    }),
);

/** What all that no endpoint changes is compiled from. */
export function withoutEndpoints(mesh: Mesh): Mesh {
  return shapeOf(mesh.services, mesh.config, mesh.privateServices, mesh.resources, mesh.wasmModules, mesh.keySets);
}

/** What scopes are made from: no scope reads what pilot fetches. */
function withoutFetched({ services, config, privateServices, resources }: Mesh): Mesh {
  return shapeOf(services, config, privateServices, resources, undefined, undefined);
}

/** The scope of a proxy: one object for all proxies that see the same. */
export function scopeOf(mesh: Mesh, proxy: Proxy): Scope {
  const rules = resourcesOf(mesh, 'DestinationRule');
  const { kind, sources, selectors, stands } = classesOf(
    proxy,
    testedBySources(resourcesOf(mesh, 'VirtualService')),
    indexDestinationRules(rules, mesh.config.clusterDomain),
    endpointKeys(failoverKeys(rules), mesh.services, mesh.config),
  );
  return makeScope(withoutFetched(mesh), kind, sources, selectors, stands, sidecarOf(mesh, proxy));
}
