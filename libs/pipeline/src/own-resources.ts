import {
  chainContext,
  type ChainPolicies,
  effectiveTrafficPolicy,
  emitBoundInboundListeners,
  emitHttpProxyListener,
  emitInboundClusters,
  emitLoopbackListeners,
  emitVirtualInbound,
  type InboundMtls,
  type InboundInput,
  type InboundPools,
  usesLoopback,
} from '@seine/compile';
import { encodeResource } from '@seine/envoy';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { ConnectionPoolSettings, Sidecar } from '@seine/istio';
import { internByKey, memo } from '@seine/memo';
import { isHttp, type MeshConfig, type Proxy, type ServicePort, type Workload } from '@seine/model';
import { type Resource, resource, ResourceSet } from '@seine/snapshot';
import { blankProxy, blankWorkload } from './blank-proxy.js';
import { egressListeners } from './egress-listeners.js';
import { listenerEncoder } from './encode-listener.js';
import { type L4Scope, l4Scope, withServices } from './l4-scope.js';
import { type HostPort, listedPorts } from './host-plans.js';
import { egressPortRoutes, egressRoutes, hostRoutes, httpProxyRoutes } from './outbound-routes.js';
import { internSet } from './resource-sets.js';
import type { Scope } from './scope.js';
import type { RuleTable, Services } from './visibility.js';

/** What only this workload's proxy gets. */
export interface OwnResources {
  readonly clusters: ResourceSet;
  readonly listeners: ResourceSet;
}

/** One table a config, as the keys in it say nothing of the config. */
const inputTables = new WeakMap<MeshConfig, ReturnType<typeof internByKey<InboundInput>>>();

function inputTable(config: MeshConfig): ReturnType<typeof internByKey<InboundInput>> {
  let table = inputTables.get(config);
  if (!table) inputTables.set(config, (table = internByKey<InboundInput>(20_000)));
  return table;
}

/**
 * The part of a proxy and its workload that inbound resources read, and nothing else of it, so that a thousand
 * replicas of one Deployment share them. Addresses matter only where listeners bind them.
 */
function inboundInput(
  proxy: Proxy,
  workload: Workload | undefined,
  sidecar: Sidecar | undefined,
  pools: InboundPools | undefined,
  mtls: InboundMtls | undefined,
  config: MeshConfig,
): InboundInput {
  const { ingress, inboundConnectionPool } = sidecar?.spec ?? {};
  const ofSidecar =
    sidecar && (ingress?.length || inboundConnectionPool) ? { ingress, inboundConnectionPool } : undefined;
  // An ingress listener may lead to the workload's own address.
  const binds = proxy.interceptionMode === 'NONE' || ofSidecar?.ingress?.length;
  const read = {
    namespace: proxy.namespace,
    interceptionMode: proxy.interceptionMode,
    ipAddresses: binds ? proxy.ipAddresses : [],
    appPorts: [...proxy.appPorts],
    inbound: workload?.inbound,
    workloadCertificates: proxy.workloadCertificates,
  };
  const modes = mtls && [mtls.mode, [...mtls.byPort]];
  return inputTable(config)(
    JSON.stringify(ofSidecar || pools || modes ? [read, ofSidecar, pools, modes] : read),
    () => ({
      proxy: Object.freeze({ ...blankProxy, ...read, appPorts: proxy.appPorts }),
      workload: workload && Object.freeze({ ...blankWorkload, inbound: workload.inbound }),
      sidecar: sidecar && ofSidecar && Object.freeze({ ...sidecar, spec: ofSidecar }),
      pools,
      mtls,
      config,
    }),
  );
}

/** Inbound clusters and listeners of a sidecar. */
const inbound = memo('inbound', (read: InboundInput, policies: ChainPolicies): OwnResources => {
  const input = { ...read, policies };
  const captured = input.proxy.interceptionMode === 'NONE' ? [] : [emitVirtualInbound(input)];
  const listeners = [...captured, ...emitBoundInboundListeners(input)];
  return Object.freeze({
    clusters: ResourceSet.of(emitInboundClusters(input).map((c) => resource(c.name, encodeResource(ClusterSchema, c)))),
    listeners: ResourceSet.of(listeners.map(listenerEncoder('inbound', policies, input.config))),
  });
});

const inputOf = memo('inboundInput', inboundInput);

export function inboundResources(
  proxy: Proxy,
  workload: Workload | undefined,
  sidecar: Sidecar | undefined,
  policies: ChainPolicies,
  mtls: InboundMtls | undefined,
  { rules, config }: Scope,
): OwnResources {
  return inbound(inputOf(proxy, workload, sidecar, poolsOf(workload, rules, config), mtls, config), policies);
}

const internPools = internByKey<InboundPools>(4096);

/** Connection pools for what a workload serves: as its services' rules, or else the mesh, state them. Of several services at a port the first counts. */
function poolsOf(workload: Workload | undefined, rules: RuleTable, config: MeshConfig): InboundPools | undefined {
  let pools: Record<number, ConnectionPoolSettings> | undefined;
  for (const { targetPort, servicePort, serviceHost } of workload?.inbound ?? []) {
    const rule = rules.get(serviceHost);
    if ((!rule && !config.defaultTrafficPolicy) || pools?.[targetPort]) continue;
    const { connectionPool } = effectiveTrafficPolicy(rule, undefined, servicePort, config);
    if (connectionPool) (pools ??= {})[targetPort] = connectionPool;
  }
  return pools && internPools(JSON.stringify(pools), () => Object.freeze(pools));
}

interface Binding {
  readonly ipAddresses: readonly string[];
  readonly httpProxyPort: number;
  readonly outboundCidr: string;
}

const internBinding = internByKey<Binding>(20_000);

const boundOutbound = memo(
  'boundOutbound',
  (
    binding: Binding,
    services: Services,
    l4: L4Scope['l4'],
    facts: L4Scope['facts'],
    client: L4Scope['client'],
    policies: ChainPolicies,
    config: MeshConfig,
  ): readonly Resource[] => {
    const proxyListener = emitHttpProxyListener(binding, chainContext('outbound', { policies, config }));
    const loopback = emitLoopbackListeners({
      proxy: binding,
      services: [...services.values()],
      l4VirtualServices: l4,
      destinations: facts,
      client,
      policies,
      config,
    });
    return [...(proxyListener ? [proxyListener] : []), ...loopback].map(listenerEncoder('outbound', policies, config));
  },
);

/** Workloads that share a machine have a loopback address each; others have 127.0.0.1 for themselves. */
function loopbackOf(ipAddresses: readonly string[]): string {
  return ipAddresses.find((address) => address.startsWith('127.')) ?? '127.0.0.1';
}

/** All listeners of explicit proxying (INTERCEPTION_MODE NONE): bound on the workload's own addresses, hence its own. */
export function boundListeners(proxy: Proxy, scope: Scope, policies: ChainPolicies, own: OwnResources): ResourceSet {
  const { ipAddresses, httpProxyPort, outboundCidr } = proxy;
  const binding = internBinding(JSON.stringify([ipAddresses, httpProxyPort, outboundCidr]), () =>
    Object.freeze({ ipAddresses, httpProxyPort, outboundCidr }),
  );
  const { egress, config } = scope;
  const l4Of = l4Scope(egress.common, scope);
  const { l4, client } = l4Of;
  const facts = withServices(l4Of, egress.common.services);
  return internSet([
    ...own.listeners,
    ...boundOutbound(binding, egress.common.services, l4, facts, client, policies, config),
    ...(egress.ports.length > 0 ? egressListeners(scope, policies, loopbackOf(ipAddresses)) : []),
  ]);
}

/** TCP needs no routes. */
function mayBeHttp({ protocol }: ServicePort): boolean {
  return isHttp(protocol) || protocol === 'auto';
}

/** HTTP ports that explicit proxying reaches by a loopback address and their own routes. */
const loopbackPorts = memo('loopbackPorts', (services: Services): readonly HostPort[] =>
  [...services.values()].flatMap((service) =>
    service.ports
      .filter((port) => usesLoopback(port) && mayBeHttp(port))
      .map(({ port }) => [service.host, port] as const),
  ),
);

/** The routes of explicit proxying: `http_proxy`, and `host:port` for HTTP on a loopback address. */
export function boundRoutes(scope: Scope): readonly Resource[] {
  const own = listedPorts(scope.egress, loopbackPorts).flatMap(
    ({ listing, host, port }) => hostRoutes(listing, scope, host, port) ?? [],
  );
  return [httpProxyRoutes(scope), ...own, ...egressPortRoutes(scope), ...egressRoutes(scope)];
}
