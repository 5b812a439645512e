import { create } from '@bufbuild/protobuf';
import { type Cluster, ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { DestinationRule, Subset, TrafficPolicy } from '@seine/istio';
import { type Endpoint, isHttp, type MeshService, type ServicePort } from '@seine/model';
import { emitHttpAlpn } from '../features/auto-mtls/alpn.js';
import { emitTransport, isAutomatic, peerIdentities } from '../features/auto-mtls/auto-mtls.js';
import { type MeshTlsContext, type TransportContext, usablePolicy } from '../features/client-tls/client-tls.js';
import { emitConnectionPool } from '../features/connection-pool/connection-pool.js';
import {
  emitHttpProtocol,
  type UpstreamProtocol,
  upstreamProtocol,
} from '../features/connection-pool/http-protocol.js';
import { type Discovery, discoveryOf, emitDiscovery, isInline } from '../features/discovery-type/discovery-type.js';
import { emitLoadBalancing } from '../features/load-balancing/load-balancing.js';
import { assignLocalities, weighsLocalities } from '../features/locality/locality-load-balancing.js';
import { type LocalityPolicy, localityPolicy } from '../features/locality/locality-setting.js';
import { emitOutlierDetection, panicThreshold } from '../features/outlier-detection/outlier-detection.js';
import { emitSessionHosts } from '../features/stateful-session/stateful-session.js';
import { effectiveTrafficPolicy, subsetsOf } from '../features/subsets/traffic-policy.js';
import type { OutboundClustersInput } from '../inputs.js';
import type { Fragment } from './clusters-fragment.js';
import { outboundClusterName, sniClusterName } from './cluster-names.js';
import { countsTraffic, peerNamespace, serviceLabels } from '../telemetry/peer-metadata.js';
import { emitLoadAssignment } from './endpoints-message.js';
import { selectEndpoints } from './endpoints.js';

type Init = Fragment<typeof ClusterSchema>;

/**
 * The clusters through which a client reaches one service: for each port (UDP left out) the service's own and one per
 * subset of the rule. Clusters that resolve names but have none to resolve are left out, as Envoy would refuse them.
 */
export function emitOutboundClusters(input: OutboundClustersInput): Cluster[] {
  const subsets = subsetsOf(input.rule);
  return input.service.ports
    .filter((port) => port.protocol !== 'UDP')
    .flatMap((port) => [undefined, ...subsets].map((subset) => emitOutboundCluster(input, port, subset)))
    .filter((cluster) => cluster !== undefined);
}

function emitOutboundCluster(
  input: OutboundClustersInput,
  port: ServicePort,
  subset: Subset | undefined,
): Cluster | undefined {
  const { service, rule, config } = input;
  const name = outboundClusterName(port.port, subset?.name, service.host);
  const stated = effectiveTrafficPolicy(rule, subset?.name, port.port, config);
  const policy = usablePolicy(stated, rule, input.proxyType);
  const locality = localityPolicy(policy, service, config);
  const client = { locality: input.clientLocality, labels: input.clientLabels ?? {} };
  const discovery = discoveryOf(service, policy.loadBalancer, input);
  if (!discovery) return undefined;
  const endpoints = isInline(discovery) ? inlineEndpoints(input, port, subset, discovery) : undefined;
  if (endpoints?.length === 0) return undefined;
  const mesh = input.workloadCertificates ? meshTls(input, port, subset, stated) : undefined;
  const protocol = upstreamProtocol(port.protocol, policy.connectionPool, config);
  return create(ClusterSchema, {
    name,
    altStatName: `${name};`,
    ...emitConnectionPool(policy.connectionPool, policy.retryBudget, config),
    ...emitLoadBalancing(policy.loadBalancer, input.proxyless ?? false),
    ...emitDiscovery(discovery, name, input),
    ...(endpoints && {
      loadAssignment: emitLoadAssignment(name, assignLocalities(endpoints, locality, client), countsTraffic(config)),
    }),
    outlierDetection: emitOutlierDetection(policy.outlierDetection),
    commonLbConfig: emitCommonLbConfig(policy, locality, service),
    typedExtensionProtocolOptions: emitHttpProtocol(port.protocol, policy, config),
    ...(!input.proxyless && emitTransport(policy, transportContext(input, protocol, mesh), discovery)),
    metadata: emitMetadata(input, subset, isHttpOrSniffed(port) && isMutual(policy, mesh) ? protocol : undefined),
  });
}

/** What mutual TLS to the service is made with. */
function meshTls(
  { service, config, mutualPorts = [] }: OutboundClustersInput,
  { port }: ServicePort,
  subset: Subset | undefined,
  stated: TrafficPolicy,
): MeshTlsContext {
  return {
    sni: sniClusterName(port, subset?.name, service.host),
    serviceAccounts: peerIdentities(service, config),
    automatic: isAutomatic(stated, service, config),
    everyEndpoint: mutualPorts.includes(port),
  };
}

function transportContext(
  { service, config }: OutboundClustersInput,
  protocol: UpstreamProtocol,
  mesh: MeshTlsContext | undefined,
): TransportContext {
  return {
    http2: protocol === 'http2',
    subjectAltNames: service.external ? service.subjectAltNames : [],
    defaults: config.tlsDefaults,
    mesh,
  };
}

function isMutual({ tls }: TrafficPolicy, mesh: MeshTlsContext | undefined): boolean {
  return mesh !== undefined && (mesh.automatic === true || tls?.mode === 'ISTIO_MUTUAL');
}

function isHttpOrSniffed({ protocol }: ServicePort): boolean {
  return isHttp(protocol) || protocol === 'auto';
}

/** The names to resolve; LOGICAL_DNS takes one only. */
function inlineEndpoints(
  input: OutboundClustersInput,
  port: ServicePort,
  subset: Subset | undefined,
  discovery: Discovery,
): readonly Endpoint[] {
  const all = input.inlineEndpoints?.byPort.get(port.port) ?? [];
  const chosen = subset ? selectEndpoints(all, subset) : all;
  return discovery === 'logical-dns' ? chosen.slice(0, 1) : chosen;
}

function emitCommonLbConfig(
  policy: TrafficPolicy,
  locality: LocalityPolicy,
  service: MeshService,
): Init['commonLbConfig'] {
  const panic = panicThreshold(policy.outlierDetection);
  const localityConfigSpecifier = localityConfig(locality);
  const sessions = emitSessionHosts(service);
  if (panic === undefined && !localityConfigSpecifier && !sessions) return undefined;
  return {
    ...sessions,
    ...(panic !== undefined && { healthyPanicThreshold: { value: panic } }),
    ...(localityConfigSpecifier && { localityConfigSpecifier }),
  };
}

function localityConfig(locality: LocalityPolicy): NonNullable<Init['commonLbConfig']>['localityConfigSpecifier'] {
  if (weighsLocalities(locality)) return { case: 'localityWeightedLbConfig', value: {} };
  if (locality.kind !== 'zone-aware') return undefined;
  const { enabled, minClusterSize } = locality.setting;
  return {
    case: 'zoneAwareLbConfig',
    value: {
      ...(enabled === false && { routingEnabled: { value: 0 } }),
      ...(minClusterSize !== undefined && { minClusterSize: BigInt(minClusterSize) }),
    },
  };
}

/** Where the cluster comes from, for `explain`, telemetry and people who read config dumps. */
function emitMetadata(
  { service, rule, config }: OutboundClustersInput,
  subset: Subset | undefined,
  mutualHttp: UpstreamProtocol | undefined,
): Init['metadata'] {
  return {
    filterMetadata: {
      istio: {
        ...(rule && { config: ruleReference(rule) }),
        ...(subset && { subset: subset.name }),
        services: [{ host: service.host, name: service.name, namespace: service.namespace }],
      },
      ...(countsTraffic(config) && { [peerNamespace]: serviceLabels(service) }),
      ...(mutualHttp && emitHttpAlpn(mutualHttp)),
    },
  };
}

function ruleReference({ metadata }: DestinationRule): string {
  return `/apis/networking.istio.io/v1/namespaces/${metadata.namespace}/destination-rule/${metadata.name}`;
}
