import { type ChainPolicies, listenerConflicts, resolvesAnyHost } from '@seine/compile';
import type { Diagnostic } from '@seine/diagnostics';
import { TypeUrl } from '@seine/envoy';
import { internList, memo } from '@seine/memo';
import {
  type Mesh,
  type MeshConfig,
  type Proxy,
  type ServiceEndpoints,
  type Workload,
  workloadKeyAt,
} from '@seine/model';
import type { ResourceSet, Snapshot, View } from '@seine/snapshot';
import { authorizationDiagnostics } from './authorization-problems.js';
import { extensionProblems, withExtensions } from './extension-resources.js';
import { envoyFilterProblems, patchesOf, withEnvoyFilters } from './envoy-filters.js';
import { gatewayDiagnostics, gatewayResources, hasAutoPassthrough, selectedGateways } from './gateway-resources.js';
import { anyHostClusters } from './any-host-clusters.js';
import { outboundClusters, outboundEndpoints } from './outbound-clusters.js';
import { headlessEndpoints, outboundListeners, withAddresses } from './outbound-listeners.js';
import { portRoutes } from './outbound-routes.js';
import { withClientFilters } from './client-filters.js';
import { boundListeners, boundRoutes, inboundResources, type OwnResources } from './own-resources.js';
import { patchDiagnostics } from './patch-diagnostics.js';
import { withMixerPolicy } from './mixer-policy.js';
import { mixerProblems } from './mixer-problems.js';
import { endpointsInForce, mtlsProblems, peerAuthenticationOf } from './peer-authentication.js';
import { policiesOf } from './policies.js';
import { proxylessListeners, proxylessRoutes } from './proxyless.js';
import { internSet } from './resource-sets.js';
import { resourcesOf, type Scope, scopeOf, withoutEndpoints } from './scope.js';
import { grantsOf, proxySecrets } from './secrets.js';
import { sidecarOf } from './sidecars.js';
import { sniClusters, sniEndpoints } from './sni-clusters.js';
import { endpointsSeen, type Services } from './visibility.js';

const internView = internList();

/** Layers as a view: the same layers give the same object. */
function view(...layers: readonly ResourceSet[]): View {
  return internView(layers);
}

export type Views = Snapshot['views'];

const viewsOf = memo(
  'views',
  (clusters: View, endpoints: View, listeners: View, routes: View, secrets: View): Views =>
    new Map([
      [TypeUrl.cluster, clusters],
      [TypeUrl.endpoint, endpoints],
      [TypeUrl.listener, listeners],
      [TypeUrl.route, routes],
      [TypeUrl.secret, secrets],
    ]),
);

/** What all proxies of a scope share, looked up once a scope and not once a proxy. */
interface SharedSets {
  readonly clusters: ResourceSet;
  readonly endpoints: ResourceSet;
}

// The mesh first: what is remembered goes with it, while scopes live on.
const sharedSets = memo('sharedSets', (mesh: Mesh, scope: Scope): SharedSets => {
  const { services, rules, config, kind, endpointClient } = scope;
  const endpoints = endpointsInForce(endpointsSeen(services, mesh), mesh);
  const clusters = outboundClusters(services, rules, endpoints, config, kind, endpointClient);
  return { clusters, endpoints: outboundEndpoints(services, endpoints, rules, endpointClient, config, kind, clusters) };
});

const iptablesListeners = memo(
  'iptablesListeners',
  (scope: Scope, policies: ChainPolicies, headless: readonly ServiceEndpoints[] | undefined): ResourceSet =>
    outboundListeners(scope, policies, headless),
);
const iptablesRoutes = memo('iptablesRoutes', (scope: Scope): ResourceSet => internSet(portRoutes(scope)));
const explicitRoutes = memo('explicitRoutes', (scope: Scope): ResourceSet => internSet(boundRoutes(scope)));

function dnsEndpoints({ endpoints }: Mesh, { services }: Scope, { dnsCapture }: Proxy) {
  return dnsCapture ? headlessEndpoints(services, endpoints) : undefined;
}

/** Outbound listeners beside inbound ones. Where a Sidecar puts both at one address, the inbound one stands. */
function besideInbound(outbound: ResourceSet, inbound: ResourceSet, { egress }: Scope): ResourceSet {
  return egress.ports.length > 0 && inbound.size > 1 ? without(outbound, inbound) : outbound;
}

const without = memo('withoutInbound', (outbound: ResourceSet, inbound: ResourceSet): ResourceSet =>
  internSet([...outbound].filter(({ name }) => !inbound.get(name))),
);

const noGateways: readonly never[] = Object.freeze([]);

/** What a sidecar gets that no endpoint changes. */
interface SidecarParts {
  readonly scope: Scope;
  readonly policies: ChainPolicies;
  readonly own: OwnResources;
  /** Only without redirection: else listeners may hold names of headless pods. */
  readonly boundListeners: ResourceSet | undefined;
  readonly routes: ResourceSet;
  readonly secrets: ResourceSet;
}

const sidecarParts = memo('sidecarParts', (mesh: Mesh, proxy: Proxy, workload: Workload | undefined): SidecarParts => {
  const scope = scopeOf(mesh, proxy);
  const policies = withClientFilters(policiesOf(mesh, proxy, 'outbound', scope.services), scope);
  const sidecar = sidecarOf(mesh, proxy);
  const taken = policiesOf(mesh, proxy, 'inbound', scope.services);
  const inboundPolicies = withMixerPolicy(taken, mesh, proxy, workload, sidecar);
  const mtls = peerAuthenticationOf(mesh, proxy);
  const own = inboundResources(proxy, workload, sidecar, inboundPolicies, mtls, scope);
  const explicit = proxy.interceptionMode === 'NONE';
  return Object.freeze({
    scope,
    policies,
    own,
    boundListeners: explicit ? boundListeners(proxy, scope, policies, own) : undefined,
    routes: explicit ? explicitRoutes(scope) : iptablesRoutes(scope),
    secrets: proxySecrets(proxy, noGateways, scope.rules, resourcesOf(mesh, 'Secret')),
  });
});

function sidecarViews(mesh: Mesh, proxy: Proxy, workload: Workload | undefined): Views {
  const { scope, policies, own, ...parts } = sidecarParts(withoutEndpoints(mesh), proxy, workload);
  const { clusters, endpoints } = sharedSets(mesh, scope);
  return viewsOf(
    resolvesAnyHost(scope.fallback)
      ? view(clusters, anyHostClusters(mesh.config), own.clusters)
      : view(clusters, own.clusters),
    view(endpoints),
    parts.boundListeners
      ? view(parts.boundListeners)
      : view(
          besideInbound(iptablesListeners(scope, policies, dnsEndpoints(mesh, scope, proxy)), own.listeners, scope),
          own.listeners,
        ),
    view(parts.routes),
    view(parts.secrets),
  );
}

function gatewayViews(mesh: Mesh, proxy: Proxy, workload: Workload | undefined): Views {
  const scope = scopeOf(mesh, proxy);
  const gateways = selectedGateways(resourcesOf(mesh, 'Gateway'), proxy, workload);
  const { listeners, routes } = gatewayResources(
    proxy,
    workload,
    gateways,
    scope,
    withClientFilters(policiesOf(mesh, proxy, 'gateway', scope.services), scope),
  );
  const { clusters, endpoints } = sharedSets(mesh, scope);
  const secrets = proxySecrets(proxy, gateways, scope.rules, resourcesOf(mesh, 'Secret'), grantsOf(gateways));
  const bySni = hasAutoPassthrough(gateways);
  return viewsOf(
    bySni ? view(clusters, sniClusters(clusters, scope.services)) : view(clusters),
    bySni ? view(endpoints, sniEndpoints(endpoints, scope.services)) : view(endpoints),
    view(listeners),
    view(routes),
    view(secrets),
  );
}

function proxylessViews(mesh: Mesh, proxy: Proxy): Views {
  const scope = scopeOf(mesh, proxy);
  const { clusters, endpoints } = sharedSets(mesh, scope);
  return viewsOf(
    view(clusters),
    view(endpoints),
    view(proxylessListeners(scope)),
    view(proxylessRoutes(scope)),
    view(),
  );
}

/** The workload a proxy stands beside: by its address, and by its name where several share the address. */
function workloadOf(mesh: Mesh, { ipAddresses, namespace, name }: Proxy): Workload | undefined {
  for (const address of ipAddresses) {
    const workload = mesh.workloads.get(workloadKeyAt(address, namespace, name)) ?? mesh.workloads.get(address);
    if (workload && workload.namespace === namespace) return workload;
  }
  return undefined;
}

/** What a proxy would get without EnvoyFilters. */
function unpatchedViews(mesh: Mesh, proxy: Proxy, workload: Workload | undefined): Views {
  const views = proxy.type === 'router' ? gatewayViews(mesh, proxy, workload) : sidecarViews(mesh, proxy, workload);
  return withExtensions(views, mesh, proxy);
}

const http10Config = memo('http10Config', (config: MeshConfig): MeshConfig =>
  Object.freeze({ ...config, http10: true }),
);

/** The mesh as proxies see it that ask for HTTP/1.0 (metadata HTTP10, as in Istio). */
const takingHttp10 = memo('takingHttp10', (mesh: Mesh): Mesh =>
  mesh.config.http10 ? mesh : Object.freeze({ ...mesh, config: http10Config(mesh.config) }),
);

function seenBy(proxy: Proxy, mesh: Mesh): Mesh {
  return proxy.metadata?.['HTTP10'] === '1' ? takingHttp10(mesh) : mesh;
}

/**
 * Everything one proxy should have, as references to shared resources. Pure: the same mesh and proxy give the same
 * bytes, and whatever did not change since an earlier mesh is the same object.
 * @param workload what to compile for where the mesh has no workload at the proxy's address (offline tools)
 */
export function compileViews(mesh: Mesh, proxy: Proxy, workload = workloadOf(mesh, proxy)): Views {
  if (proxy.proxyless) return proxylessViews(mesh, proxy);
  const own = seenBy(proxy, mesh);
  return withEnvoyFilters(unpatchedViews(own, proxy, workload), own, proxy, workload);
}

const conflicts = memo('listenerConflicts', (services: Services): readonly Diagnostic[] =>
  listenerConflicts(services.values()),
);

/** Without redirection each TCP service has a loopback address to itself, so that nothing contends. */
function conflictsOf(mesh: Mesh, proxy: Proxy): readonly Diagnostic[] {
  if (proxy.interceptionMode === 'NONE') return [];
  const { services } = scopeOf(mesh, proxy).egress.common;
  return conflicts(proxy.dnsCapture ? withAddresses(services) : services);
}

/** How many ports of services have no outbound listener of their own at some proxy, as an older service has it. */
export function countListenerConflicts(mesh: Mesh, proxies: readonly Proxy[]): number {
  const sidecars = proxies.filter(({ type, proxyless }) => type !== 'router' && !proxyless);
  // Proxies that see the same services have the same findings; of others, those that say the same are one.
  const found = new Set(sidecars.map((proxy) => conflictsOf(mesh, proxy)));
  return new Set([...found].flatMap((of) => of.map(({ message }) => message))).size;
}

function listenerDiagnostics(mesh: Mesh, proxy: Proxy, workload: Workload | undefined): readonly Diagnostic[] {
  if (proxy.type !== 'router') return conflictsOf(mesh, proxy);
  return gatewayDiagnostics(proxy, workload, selectedGateways(resourcesOf(mesh, 'Gateway'), proxy, workload));
}

/**
 * What is wrong with the compiled config of proxies: servers of Gateways and patches of EnvoyFilters that they do not get,
 * services that others keep from having a listener, PeerAuthentications that do not hold, and AuthorizationPolicies that
 * say something else than it seems.
 * @param workload as in compileViews
 */
export function diagnosticsOfProxies(
  mesh: Mesh,
  proxies: readonly Proxy[],
  workload: (proxy: Proxy) => Workload | undefined = (proxy) => workloadOf(mesh, proxy),
): readonly Diagnostic[] {
  const envoys = proxies.filter((proxy) => !proxy.proxyless);
  const patched = envoys.filter((proxy) => patchesOf(mesh, proxy));
  return [
    ...envoys.flatMap((proxy) => listenerDiagnostics(mesh, proxy, workload(proxy))),
    ...envoys.flatMap((proxy) => extensionProblems(mesh, proxy)),
    ...mtlsProblems(mesh, envoys, workload),
    ...authorizationDiagnostics(mesh, envoys, workload),
    ...mixerProblems(mesh, envoys, workload),
    ...patchDiagnostics(
      patched.map((proxy) => {
        const [own, beside] = [seenBy(proxy, mesh), workload(proxy)];
        return [proxy.id, envoyFilterProblems(unpatchedViews(own, proxy, beside), own, proxy, beside)] as const;
      }),
    ),
  ];
}

/** What is wrong with the compiled config of one proxy (see diagnosticsOfProxies). */
export function proxyDiagnostics(mesh: Mesh, proxy: Proxy, workload = workloadOf(mesh, proxy)): readonly Diagnostic[] {
  return diagnosticsOfProxies(mesh, [proxy], () => workload);
}
