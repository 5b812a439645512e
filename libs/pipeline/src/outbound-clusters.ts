import {
  clientLabelsForFailover,
  dependsOnClientLocality,
  emitLoadAssignments,
  emitOutboundClusters,
  emitStaticClusters,
  mayUseOriginalDestination,
} from '@seine/compile';
import { encodeResource } from '@seine/envoy';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { DestinationRule } from '@seine/istio';
import { internByKey, internList, memo } from '@seine/memo';
import type { Locality, MeshConfig, MeshService, ServiceEndpoints } from '@seine/model';
import { contentHash, type Resource, resource, ResourceSet } from '@seine/snapshot';
import type { ClientKind } from './client-kind.js';
import { mutualPorts } from './peer-authentication.js';
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
    clientLocality: Locality | undefined,
    clientLabels: Labels | undefined,
    ofAllEndpoints: readonly number[] | undefined,
  ): readonly Resource[] =>
    emitOutboundClusters({
      service,
      rule,
      config,
      inlineEndpoints,
      clientLocality,
      clientLabels,
      mutualPorts: ofAllEndpoints,
      ...kind,
    }).map((cluster) => resource(cluster.name, encodeResource(ClusterSchema, cluster))),
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
    client: EndpointClient | undefined,
    mutual: readonly (readonly number[])[],
  ): ResourceSet => {
    const all: Resource[] = kind.proxyless ? [] : [...staticClusters(config)];
    let i = 0;
    let j = 0;
    for (const service of services.values()) {
      const own = hasInlineEndpoints(service) ? inline[i++] : undefined;
      const rule = rules.get(service.host);
      const reads = own && client && dependsOnClient(service, rule, config) ? client : undefined;
      const labels = reads && failoverLabels(service, rule, reads, config);
      const stated = own === none ? undefined : (own as ServiceEndpoints | undefined);
      const ofAll = mutual.length > 0 && mayUseOriginalDestination(service, rule) ? mutual[j++] : undefined;
      all.push(...clustersOf(service, rule, stated, config, kind, reads?.locality, labels, ofAll));
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
  client: EndpointClient | undefined,
): ResourceSet {
  const reader = client && inlineReadsClient(rules, services, config) ? client : undefined;
  const mutual = kind.workloadCertificates && readsKind(services, rules) ? byPort(services, rules, endpoints) : noPorts;
  return clusterSet(services, rules, inlineEndpoints(services, endpoints), config, kind, reader, mutual);
}

const noPorts: readonly never[] = Object.freeze([]);
const internMutual = internList();

/** The ports that take mutual TLS at every endpoint, of services that are reached by their original destination. */
function byPort(services: Services, rules: RuleTable, endpoints: Endpoints): readonly (readonly number[])[] {
  const found = [...services.values()].filter((service) => mayUseOriginalDestination(service, rules.get(service.host)));
  return internMutual(
    found.map(({ host }) => {
      const known = endpoints.get(host);
      return known ? mutualPorts(known) : noPorts;
    }),
  );
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
    config: MeshConfig,
    kind: ClientKind | undefined,
  ): readonly Resource[] =>
    emitLoadAssignments({
      service,
      endpoints: endpoints === noEndpoints ? undefined : (endpoints as ServiceEndpoints),
      rule,
      clientLocality,
      clientLabels,
      config,
      client: kind,
    }).map(({ name, bytes }) => resource(name, bytes)),
);

/** Where a client stands, for services whose endpoints depend on it. */
export interface EndpointClient {
  readonly locality: Locality;
  readonly labels: Labels;
  readonly network: string;
  /** Only where some service prefers endpoints of the client's own node. */
  readonly nodeName?: string | undefined;
}

const ruleDependsOnClient = memo(
  'dependsOnClient',
  (service: MeshService, rule: DestinationRule, config: MeshConfig): boolean =>
    dependsOnClientLocality(service, rule, config),
);

function dependsOnClient(service: MeshService, rule: DestinationRule | undefined, config: MeshConfig): boolean {
  return rule ? ruleDependsOnClient(service, rule, config) : dependsOnClientLocality(service, undefined, config);
}

/** Whether some service's endpoints depend on where the client stands. */
export const readsClient = memo('readsClient', (rules: RuleTable, services: Services, config: MeshConfig): boolean =>
  [...services.values()].some((service) => dependsOnClient(service, rules.get(service.host), config)),
);

const inlineReadsClient = memo(
  'inlineReadsClient',
  (rules: RuleTable, services: Services, config: MeshConfig): boolean =>
    [...services.values()].some(
      (service) => hasInlineEndpoints(service) && dependsOnClient(service, rules.get(service.host), config),
    ),
);

const failoverLabels = memo(
  'failoverLabels',
  (
    service: MeshService,
    rule: DestinationRule | undefined,
    client: EndpointClient,
    config: MeshConfig,
  ): Labels | undefined => {
    const labels = clientLabelsForFailover(service, rule, client, config);
    return labels && internLabels(JSON.stringify(labels), () => labels);
  },
);

/**
 * Load assignments whose version says for which version of their cluster they are. A cluster that changes warms until
 * its endpoints come again, and a delta client that lost its stream in between tells only versions: by this one the
 * next stream's server sees that they did not come (envoy#33607, conformance D-14).
 */
const endpointsOfClusters = memo(
  'endpointsOfClusters',
  (assignments: readonly Resource[], clusters: ResourceSet): readonly Resource[] =>
    assignments.map((item) => {
      const cluster = clusters.get(item.name);
      return cluster ? forCluster(item, cluster) : item;
    }),
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
  config: MeshConfig,
  kind: ClientKind,
  clusters: ResourceSet,
): ResourceSet {
  const reader = readsKind(services, rules) ? kind : undefined;
  return endpointSet(services, endpoints, rules, client, config, reader, clusters);
}

/** Whether some service is found by its original destination by one kind of client, and by EDS by another. */
const readsKind = memo('readsKind', (services: Services, rules: RuleTable): boolean =>
  [...services.values()].some((service) => mayUseOriginalDestination(service, rules.get(service.host))),
);

const endpointSet = memo(
  'endpointSet',
  (
    services: Services,
    endpoints: Endpoints,
    rules: RuleTable,
    client: EndpointClient | undefined,
    config: MeshConfig,
    kind: ClientKind | undefined,
    clusters: ResourceSet,
  ): ResourceSet => {
    const all: Resource[] = [];
    for (const service of services.values()) {
      const rule = rules.get(service.host);
      const reads = client && dependsOnClient(service, rule, config);
      const labels = reads ? failoverLabels(service, rule, client, config) : undefined;
      const items = assignmentsOf(
        service,
        endpoints.get(service.host) ?? noEndpoints,
        rule,
        reads ? client.locality : undefined,
        labels,
        config,
        kind && mayUseOriginalDestination(service, rule) ? kind : undefined,
      );
      for (const item of endpointsOfClusters(items, clusters)) all.push(item);
    }
    return ResourceSet.of(all);
  },
);
