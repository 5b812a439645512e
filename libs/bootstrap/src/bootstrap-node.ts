import { create, type JsonObject } from '@bufbuild/protobuf';
import { type Node, NodeSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { formatAppPorts } from './app-ports.js';
import type { BootstrapNode } from './bootstrap-options.js';

/** The xDS node of a proxy; `parseNode` reads it back. */
export function renderNode(node: BootstrapNode): Node {
  const { type, name, namespace, ipAddresses, locality } = node;
  const domain = node.dnsDomain ?? `${namespace}.svc.cluster.local`;
  const app = node.labels?.['app'] ?? node.workloadName ?? name;
  return create(NodeSchema, {
    id: [type, ipAddresses[0] ?? '', `${name}.${namespace}`, domain].join('~'),
    cluster: `${app}.${namespace}`,
    metadata: metadataOf(node),
    ...(locality && { locality: { region: locality.region, zone: locality.zone, subZone: locality.subzone } }),
  });
}

/** The version of Istio's API that Seine speaks: what EnvoyFilters with a `proxyVersion` are written for. */
export const istioVersion = '1.31.0';

/** Names as Istio's sidecars send them; what is unset is left out. */
function metadataOf(node: BootstrapNode): JsonObject {
  const entries: [string, JsonObject[string] | undefined][] = [
    ['NAME', node.name],
    ['NAMESPACE', node.namespace],
    ['WORKLOAD_NAME', node.workloadName],
    ['SERVICE_ACCOUNT', node.serviceAccount],
    ['LABELS', node.labels && { ...node.labels }],
    ['INSTANCE_IPS', node.ipAddresses.join(',')],
    ['CLUSTER_ID', node.clusterId],
    ['MESH_ID', node.meshId],
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
