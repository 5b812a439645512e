import { create, type JsonObject } from '@bufbuild/protobuf';
import { type Node, NodeSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { formatAppPorts } from './app-ports.js';
import type { ProxySettings } from '@seine/istio';
import { canonicalName } from '@seine/model';
import type { BootstrapNode } from './bootstrap-options.js';
import { metadataInVariables } from './proxy-metadata.js';

/** The xDS node of a proxy; `parseNode` reads it back. */
export function renderNode(node: BootstrapNode, settings: ProxySettings = {}): Node {
  const { type, name, namespace, ipAddresses, locality } = node;
  const domain = node.dnsDomain ?? `${namespace}.svc.cluster.local`;
  return create(NodeSchema, {
    id: [type, ipAddresses[0] ?? '', `${name}.${namespace}`, domain].join('~'),
    cluster: clusterOf(node, settings),
    metadata: { ...metadataOf(node, settings), ...metadataInVariables(settings.proxyMetadata) },
    ...(locality && { locality: { region: locality.region, zone: locality.zone, subZone: locality.subzone } }),
  });
}

/** The version of Istio's API that Seine speaks: what EnvoyFilters with a `proxyVersion` are written for. */
export const istioVersion = '1.31.0';

/** What the proxy is called in traces (Istio: `serviceCluster`, `tracingServiceName`). */
function clusterOf({ labels = {}, name, namespace, workloadName = name }: BootstrapNode, settings: ProxySettings) {
  const { serviceCluster, tracingServiceName } = settings;
  if (serviceCluster) return serviceCluster;
  const canonical = canonicalName(labels, workloadName);
  if (tracingServiceName === 'CANONICAL_NAME_ONLY') return canonical;
  if (tracingServiceName === 'CANONICAL_NAME_AND_NAMESPACE') return `${canonical}.${namespace}`;
  return `${labels['app'] ?? workloadName}.${namespace}`;
}

/** Names as Istio's sidecars send them; what is unset is left out. */
function metadataOf(node: BootstrapNode, { meshId }: ProxySettings): JsonObject {
  const entries: [string, JsonObject[string] | undefined][] = [
    ['NAME', node.name],
    ['NAMESPACE', node.namespace],
    ['WORKLOAD_NAME', node.workloadName],
    ['SERVICE_ACCOUNT', node.serviceAccount],
    ['LABELS', node.labels && { ...node.labels }],
    ['INSTANCE_IPS', node.ipAddresses.join(',')],
    ['CLUSTER_ID', node.clusterId],
    ['MESH_ID', node.meshId ?? meshId],
    ['ISTIO_VERSION', istioVersion],
    ['NETWORK', node.network],
    ['INTERCEPTION_MODE', node.interceptionMode],
    ['SEINE_WORKLOAD_SDS', node.workloadCertificates ? 'true' : undefined],
    ['DNS_CAPTURE', node.dnsCapture ? 'true' : undefined],
    ['HTTP_PROXY_PORT', node.httpProxyPort ? String(node.httpProxyPort) : undefined],
    ['SEINE_APP_PORTS', node.appPorts && formatAppPorts(node.appPorts)],
    ['SEINE_OUTBOUND_CIDR', node.outboundCidr],
  ];
  const metadata: JsonObject = {};
  for (const [key, value] of entries) if (value !== undefined && value !== '') metadata[key] = value;
  return metadata;
}
