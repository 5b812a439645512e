import type { Duration } from '@bufbuild/protobuf/wkt';
import { durationOf, toAny } from '@seine/envoy';
import {
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  Cluster_LbPolicy,
  type ClusterSchema,
} from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { ApiVersion } from '@seine/envoy/envoy/config/core/v3/config_source_pb.js';
import { DnsLookupFamily } from '@seine/envoy/envoy/extensions/clusters/common/dns/v3/dns_pb.js';
import { DnsClusterSchema } from '@seine/envoy/envoy/extensions/clusters/dns/v3/dns_cluster_pb.js';
import { ClusterConfigSchema } from '@seine/envoy/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.js';
import type { DnsCacheConfigSchema } from '@seine/envoy/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache_pb.js';
import type { LoadBalancerSettings } from '@seine/istio';
import type { MeshConfig, MeshService, ProxyType } from '@seine/model';
import type { Fragment } from '../../frame/clusters-fragment.js';

/** How a cluster learns its endpoints (Envoy docs, "Service discovery"). */
export type Discovery = 'eds' | 'strict-dns' | 'logical-dns' | 'original-dst' | 'dynamic-forward-proxy';

/** What of the client decides on discovery. */
export interface DiscoveryClient {
  readonly proxyType: ProxyType;
  /** A gRPC library: it knows EDS and LOGICAL_DNS only. */
  readonly proxyless?: boolean | undefined;
  /** Nothing redirects connections to this client, so none has an original destination (interceptionMode NONE). */
  readonly withoutOriginalDestination?: boolean | undefined;
}

type DiscoveryFragment = Pick<
  Fragment<typeof ClusterSchema>,
  'clusterDiscoveryType' | 'edsClusterConfig' | 'lbPolicy' | 'lbConfig'
>;

/**
 * The discovery of one cluster. Gateways, gRPC libraries and clients without redirection have no original destination
 * to go to, so what would be ORIGINAL_DST is EDS for them. Undefined: this client has no way to find the endpoints.
 */
export function discoveryOf(
  service: MeshService,
  loadBalancer: LoadBalancerSettings | undefined,
  client: DiscoveryClient,
): Discovery | undefined {
  const redirected = client.proxyType === 'sidecar' && !client.proxyless && !client.withoutOriginalDestination;
  const dns = client.proxyless ? 'logical-dns' : 'strict-dns';
  if (redirected && loadBalancer?.simple === 'PASSTHROUGH') return 'original-dst';
  switch (service.resolution) {
    case 'static':
      return 'eds';
    case 'dns':
      return dns;
    case 'dns-round-robin':
      return 'logical-dns';
    case 'dynamic-dns':
      return client.proxyless ? undefined : 'dynamic-forward-proxy';
    case 'passthrough':
      return redirected ? 'original-dst' : 'eds';
  }
}

/** Whether clusters of the service take their endpoints from EDS for some client: then load assignments are made. */
export function usesEds(service: MeshService): boolean {
  return service.resolution === 'static' || service.resolution === 'passthrough';
}

/** Whether the endpoints stand in the cluster itself. */
export function isInline(discovery: Discovery): boolean {
  return discovery === 'strict-dns' || discovery === 'logical-dns';
}

/** The cluster's own way to find a host leaves nothing to balance. */
const chosenByCluster: DiscoveryFragment = {
  lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
  lbConfig: { case: undefined },
};

/**
 * The cluster's fields for its discovery. Those for load balancing are set where the discovery dictates them, and then
 * overrule the settings.
 * @param name the cluster's name, which is its EDS name too
 */
export function emitDiscovery(
  discovery: Discovery,
  name: string,
  { service, proxyless, config }: DiscoveryInput,
): DiscoveryFragment {
  switch (discovery) {
    case 'eds':
      return {
        clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.EDS },
        edsClusterConfig: {
          serviceName: name,
          edsConfig: {
            configSourceSpecifier: { case: 'ads', value: {} },
            // 0 = wait for the endpoints however long they take, rather than go on with none.
            initialFetchTimeout: durationOf(0),
            resourceApiVersion: ApiVersion.V3,
          },
        },
      };
    case 'strict-dns':
      return emitDns(false, config);
    case 'logical-dns':
      // gRPC libraries read the plain `type` only; Envoy wants its DNS settings in a cluster extension.
      return proxyless
        ? { clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.LOGICAL_DNS } }
        : emitDns(true, config);
    case 'original-dst':
      return {
        clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST },
        ...chosenByCluster,
      };
    case 'dynamic-forward-proxy':
      return emitDynamicForwardProxy(service?.host ?? name, config);
  }
}

interface DiscoveryInput {
  /** Whose wildcard host is resolved; a cluster of no service has its own name for it. */
  readonly service?: Pick<MeshService, 'host'> | undefined;
  readonly proxyless?: boolean | undefined;
  readonly config: DnsDefaults;
}

type DnsDefaults = Pick<MeshConfig, 'dnsRefreshRate'>;

function refreshRate({ dnsRefreshRate = 60_000 }: DnsDefaults): Duration {
  return durationOf(dnsRefreshRate);
}

/** Istio's DNS settings: the record's TTL rules; `dnsRefreshRate` where there is none. */
function emitDns(allAddressesInSingleEndpoint: boolean, config: DnsDefaults): DiscoveryFragment {
  const typedConfig = toAny(DnsClusterSchema, {
    dnsRefreshRate: refreshRate(config),
    respectDnsTtl: true,
    dnsJitter: durationOf(100),
    dnsLookupFamily: DnsLookupFamily.V4_PREFERRED,
    allAddressesInSingleEndpoint,
  });
  return { clusterDiscoveryType: { case: 'clusterType', value: { name: 'envoy.cluster.dns', typedConfig } } };
}

/**
 * The cache of the names that clients of a wildcard service asked for. All its ports share it, and whoever reads it must
 * write the very same.
 * @param host the service's
 */
export function emitDnsCache(host: string, config: DnsDefaults): Fragment<typeof DnsCacheConfigSchema> {
  return {
    name: host,
    dnsRefreshRate: refreshRate(config),
    dnsLookupFamily: Cluster_DnsLookupFamily.V4_PREFERRED,
  };
}

/** Resolves whatever host the request names; the service's host is a wildcard. */
function emitDynamicForwardProxy(host: string, config: DnsDefaults): DiscoveryFragment {
  const typedConfig = toAny(ClusterConfigSchema, {
    clusterImplementationSpecifier: { case: 'dnsCacheConfig', value: emitDnsCache(host, config) },
    // Envoy would insist on SNI and names from the request even where the cluster speaks plain text; client-tls sets both
    // wherever the policy opens TLS without naming its own.
    allowInsecureClusterOptions: true,
  });
  return {
    clusterDiscoveryType: {
      case: 'clusterType',
      value: { name: 'envoy.clusters.dynamic_forward_proxy', typedConfig },
    },
    ...chosenByCluster,
  };
}
