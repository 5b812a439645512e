import {
  clientLabelsForFailover,
  dependsOnClientLocality,
  emitLoadAssignments,
  emitOutboundClusters,
  emitStaticClusters,
} from '@seine/compile';
import { encodeResource } from '@seine/envoy';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { DestinationRule } from '@seine/istio';
import { internByKey, internList, memo } from '@seine/memo';
import type { Locality, MeshConfig, MeshService, ServiceEndpoints } from '@seine/model';
import { contentHash, type Resource, resource, ResourceSet } from '@seine/snapshot';
import type { ClientKind } from './client-kind.js';
import type { RuleTable, Services } from './visibility.js';

export type Endpoints = ReadonlyMap<string, ServiceEndpoints>;

const clustersOf = memo(
  'outboundClusters',
  (
    service: MeshService,
    rule: DestinationRule | undefined,
    inlineEndpoints: ServiceEndpoints | undefined,
    config: MeshConfig,
    kind: ClientKind,
  ): readonly Resource[] =>
    emitOutboundClusters({ service, rule, config, inlineEndpoints, ...kind }).map((cluster) =>
      resource(cluster.name, encodeResource(ClusterSchema, cluster)),
    ),
);

const staticClusters = memo('staticClusters', (config: MeshConfig): readonly Resource[] =>
  emitStaticClusters(config).map((cluster) => resource(cluster.name, encodeResource(ClusterSchema, cluster))),
);

/** Resolutions whose endpoints stand in the cluster itself. */
function hasInlineEndpoints(service: MeshService): boolean {
  return service.resolution === 'dns' || service.resolution === 'dns-round-robin';
}

const none = Object.freeze({});
const internInline = internList();

/** The endpoints that clusters read: those of DNS services only, so that EDS changes leave the clusters alone. */
const inlineEndpoints = (services: Services, endpoints: Endpoints): readonly object[] =>
  internInline([...services.values()].filter(hasInlineEndpoints).map((service) => endpoints.get(service.host) ?? none));

const clusterSet = memo(
  'clusterSet',
  (
    services: Services,
    rules: RuleTable,
    inline: readonly object[],
    config: MeshConfig,
    kind: ClientKind,
  ): ResourceSet => {
    const all: Resource[] = kind.proxyless ? [] : [...staticClusters(config)];
    let i = 0;
    for (const service of services.values()) {
      const own = hasInlineEndpoints(service) ? inline[i++] : undefined;
      all.push(
        ...clustersOf(
          service,
          rules.get(service.host),
          own === none ? undefined : (own as ServiceEndpoints | undefined),
          config,
          kind,
        ),
      );
    }
    return ResourceSet.of(all);
  },
);

/** All outbound clusters of one kind of client. */
export function outboundClusters(
  services: Services,
  rules: RuleTable,
  endpoints: Endpoints,
  config: MeshConfig,
  kind: ClientKind,
): ResourceSet {
  return clusterSet(services, rules, inlineEndpoints(services, endpoints), config, kind);
}

const noEndpoints = Object.freeze({});
type Labels = Readonly<Record<string, string>>;
const internLabels = internByKey<Labels>(1024);

const assignmentsOf = memo(
  'loadAssignments',
  (
    service: MeshService,
    endpoints: object,
    rule: DestinationRule | undefined,
    clientLocality: Locality | undefined,
    clientLabels: Labels | undefined,
  ): readonly Resource[] =>
    emitLoadAssignments({
      service,
      endpoints: endpoints === noEndpoints ? undefined : (endpoints as ServiceEndpoints),
      rule,
      clientLocality,
      clientLabels,
    }).map(({ name, bytes }) => resource(name, bytes)),
);

/** Where a client stands, for services whose endpoints depend on it. */
export interface EndpointClient {
  readonly locality: Locality;
  readonly labels: Labels;
  readonly network: string;
}

const dependsOnClient = memo('dependsOnClient', (service: MeshService, rule: DestinationRule): boolean =>
  dependsOnClientLocality(service, rule),
);

/** Whether some service's endpoints depend on where the client stands. */
export const readsClient = memo('readsClient', (rules: RuleTable, services: Services): boolean =>
  [...rules.entries()].some(([host, rule]) => {
    const service = services.get(host);
    return service !== undefined && dependsOnClient(service, rule);
  }),
);

const failoverLabels = memo(
  'failoverLabels',
  (service: MeshService, rule: DestinationRule, client: EndpointClient): Labels | undefined => {
    const labels = clientLabelsForFailover(service, rule, client);
    return labels && internLabels(JSON.stringify(labels), () => labels);
  },
);

/**
 * Load assignments whose version says for which version of their cluster they are. A cluster that changes warms until
 * its endpoints come again, and a delta client that lost its stream in between tells only versions: by this one the
 * next stream's server sees that they did not come (envoy#33607, conformance D-14).
 */
const endpointsOfClusters = memo('endpointsOfClusters', (endpoints: ResourceSet, clusters: ResourceSet): ResourceSet =>
  ResourceSet.of(
    [...endpoints].map((item) => {
      const cluster = clusters.get(item.name);
      return cluster ? forCluster(item, cluster) : item;
    }),
  ),
);

const forCluster = memo('endpointsOfCluster', ({ name, bytes, version }: Resource, cluster: Resource): Resource =>
  resource(name, bytes, contentHash(version, cluster.version)),
);

/** All endpoints of one kind of client, for its clusters. */
export function outboundEndpoints(
  services: Services,
  endpoints: Endpoints,
  rules: RuleTable,
  client: EndpointClient | undefined,
  clusters: ResourceSet,
): ResourceSet {
  return endpointsOfClusters(endpointSet(services, endpoints, rules, client), clusters);
}

const endpointSet = memo(
  'endpointSet',
  (services: Services, endpoints: Endpoints, rules: RuleTable, client: EndpointClient | undefined): ResourceSet => {
    const all: Resource[] = [];
    for (const service of services.values()) {
      const rule = rules.get(service.host);
      const reads = client && rule && dependsOnClient(service, rule);
      const labels = reads ? failoverLabels(service, rule, client) : undefined;
      const items = assignmentsOf(
        service,
        endpoints.get(service.host) ?? noEndpoints,
        rule,
        reads ? client.locality : undefined,
        labels,
      );
      for (const item of items) all.push(item);
    }
    return ResourceSet.of(all);
  },
);
