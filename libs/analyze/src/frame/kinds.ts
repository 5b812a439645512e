import { type ConfigObject, groupOf } from '@seine/k8s';

/** `group/Kind`, whatever the version. */
export type KindName = `${string}/${string}`;

export function kindNameOf({ apiVersion, kind }: Pick<ConfigObject, 'apiVersion' | 'kind'>): KindName {
  return `${groupOf(apiVersion)}/${kind}`;
}

export const kinds = {
  virtualService: 'networking.istio.io/VirtualService',
  destinationRule: 'networking.istio.io/DestinationRule',
  gateway: 'networking.istio.io/Gateway',
  serviceEntry: 'networking.istio.io/ServiceEntry',
  workloadEntry: 'networking.istio.io/WorkloadEntry',
  sidecar: 'networking.istio.io/Sidecar',
  envoyFilter: 'networking.istio.io/EnvoyFilter',
  proxyConfig: 'networking.istio.io/ProxyConfig',
  authorizationPolicy: 'security.istio.io/AuthorizationPolicy',
  requestAuthentication: 'security.istio.io/RequestAuthentication',
  oldPolicy: 'authentication.istio.io/Policy',
  oldMeshPolicy: 'authentication.istio.io/MeshPolicy',
  serviceRole: 'rbac.istio.io/ServiceRole',
  serviceRoleBinding: 'rbac.istio.io/ServiceRoleBinding',
  clusterRbacConfig: 'rbac.istio.io/ClusterRbacConfig',
  rbacConfig: 'rbac.istio.io/RbacConfig',
  telemetry: 'telemetry.istio.io/Telemetry',
  wasmPlugin: 'extensions.istio.io/WasmPlugin',
  kubernetesGateway: 'gateway.networking.k8s.io/Gateway',
  httpRoute: 'gateway.networking.k8s.io/HTTPRoute',
  grpcRoute: 'gateway.networking.k8s.io/GRPCRoute',
  namespace: '/Namespace',
  pod: '/Pod',
  service: '/Service',
  secret: '/Secret',
  configMap: '/ConfigMap',
  node: '/Node',
  deployment: 'apps/Deployment',
  mutatingWebhook: 'admissionregistration.k8s.io/MutatingWebhookConfiguration',
  validatingWebhook: 'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
  customResourceDefinition: 'apiextensions.k8s.io/CustomResourceDefinition',
} as const satisfies Readonly<Record<string, KindName>>;

/** Kinds that make pods of a template, with the path to it. */
export const podOwners: ReadonlyMap<KindName, readonly string[]> = new Map<KindName, readonly string[]>([
  ['apps/Deployment', ['spec', 'template']],
  ['apps/StatefulSet', ['spec', 'template']],
  ['apps/DaemonSet', ['spec', 'template']],
  ['apps/ReplicaSet', ['spec', 'template']],
  ['batch/Job', ['spec', 'template']],
  ['batch/CronJob', ['spec', 'jobTemplate', 'spec', 'template']],
]);
