import type { ConfigObject } from '@seine/k8s';
import type { MeshSettings } from '../lookup/mesh-settings.js';

/** Namespaces of Kubernetes itself, in which nobody can follow an advice. */
export const ignoredNamespaces: ReadonlySet<string> = new Set([
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'local-path-storage',
]);

const labels = { istio: 'ingressgateway' };
const ports = [
  { name: 'http2', port: 80, protocol: 'TCP', targetPort: 8080 },
  { name: 'https', port: 443, protocol: 'TCP', targetPort: 8443 },
  { name: 'tcp', port: 31400, protocol: 'TCP', targetPort: 31400 },
  { name: 'tls', port: 15443, protocol: 'TCP', targetPort: 15443 },
];

/** The ingress gateway that an installation brings: nothing, where the mesh has none (ingressControllerMode OFF). */
export function assumedIngressGateway(settings: MeshSettings): readonly ConfigObject[] {
  if (settings.ingressControllerMode === 'OFF') return [];
  const { rootNamespace: namespace, ingressService: name } = settings;
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: `${name}-assumed`, namespace, labels }, spec: {} };
  const metadata = { name, namespace, labels };
  return [pod, { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports, selector: labels } }];
}
