import type { JsonSchema } from './json-schema.js';
import type { KindInfo } from './kind-info.js';
import { secretErrors } from './secret-errors.js';
import {
  configMapSchema,
  endpointSliceSchema,
  endpointsSchema,
  ingressClassSchema,
  ingressSchema,
  namespaceSchema,
  nodeSchema,
  podControllerSchema,
  podSchema,
  secretSchema,
  serviceAccountSchema,
  serviceSchema,
} from './schemas.js';

interface Row {
  readonly kind: string;
  readonly plural?: string;
  readonly short?: readonly string[];
  readonly schema?: JsonSchema;
  readonly clusterScoped?: true;
  readonly validate?: KindInfo['validateSpec'];
}

const read = (kind: string, schema: JsonSchema, ...short: readonly string[]): Row => ({ kind, schema, short });
/** A kind that the mesh does not read. */
const other = (kind: string, ...short: readonly string[]): Row => ({ kind, short });
const cluster = (row: Row): Row => ({ ...row, clusterScoped: true });

function pluralOf(kind: string): string {
  const word = kind.toLowerCase();
  if (word.endsWith('endpoints')) return word;
  if (/(s|x|ch)$/.test(word)) return `${word}es`;
  return /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`;
}

function kindsOf(group: string, versions: readonly string[], rows: readonly Row[]): readonly KindInfo[] {
  return rows.map(({ kind, plural, short, schema, clusterScoped, validate }) => ({
    group,
    kind,
    plural: plural ?? pluralOf(kind),
    singular: kind.toLowerCase(),
    shortNames: short ?? [],
    categories: [],
    versions: versions.map((name, i) => ({ name, served: true, storage: i === 0 })),
    namespaced: !clusterScoped,
    schema,
    actedOn: schema !== undefined,
    validateSpec: validate,
  }));
}

/** The kinds of Kubernetes itself: those that the mesh reads have a schema. */
export const k8sKinds: readonly KindInfo[] = [
  ...kindsOf(
    '',
    ['v1'],
    [
      read('Service', serviceSchema, 'svc'),
      read('Endpoints', endpointsSchema, 'ep'),
      read('Pod', podSchema, 'po'),
      cluster(read('Namespace', namespaceSchema, 'ns')),
      cluster(read('Node', nodeSchema, 'no')),
      read('ServiceAccount', serviceAccountSchema, 'sa'),
      { ...read('Secret', secretSchema), validate: secretErrors },
      read('ConfigMap', configMapSchema, 'cm'),
      other('Event', 'ev'),
      other('LimitRange', 'limits'),
      cluster(other('PersistentVolume', 'pv')),
      other('PersistentVolumeClaim', 'pvc'),
      other('PodTemplate'),
      other('ReplicationController', 'rc'),
      other('ResourceQuota', 'quota'),
      other('Binding'),
      cluster(other('ComponentStatus', 'cs')),
    ],
  ),
  ...kindsOf('discovery.k8s.io', ['v1', 'v1beta1'], [read('EndpointSlice', endpointSliceSchema)]),
  ...kindsOf(
    'apps',
    ['v1', 'v1beta2', 'v1beta1'],
    [
      read('Deployment', podControllerSchema, 'deploy'),
      read('StatefulSet', podControllerSchema, 'sts'),
      read('DaemonSet', podControllerSchema, 'ds'),
      read('ReplicaSet', podControllerSchema, 'rs'),
      other('ControllerRevision'),
    ],
  ),
  ...kindsOf(
    'networking.k8s.io',
    ['v1', 'v1beta1'],
    [
      read('Ingress', ingressSchema, 'ing'),
      cluster(read('IngressClass', ingressClassSchema)),
      other('NetworkPolicy', 'netpol'),
      cluster(other('IPAddress')),
      cluster(other('ServiceCIDR')),
    ],
  ),
];

/** Groups of Kubernetes whose kinds are all left alone, whatever they are. */
const leftAlone: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'events.k8s.io',
  'extensions',
  'flowcontrol.apiserver.k8s.io',
  'metrics.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);

const clusterScopedElsewhere: ReadonlySet<string> = new Set([
  'APIService',
  'CertificateSigningRequest',
  'ClusterRole',
  'ClusterRoleBinding',
  'ClusterTrustBundle',
  'CustomResourceDefinition',
  'FlowSchema',
  'MutatingWebhookConfiguration',
  'PodSecurityPolicy',
  'PriorityClass',
  'PriorityLevelConfiguration',
  'RuntimeClass',
  'StorageClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
  'VolumeAttachment',
]);

/** Whether a group belongs to Kubernetes and holds nothing that a mesh would read. */
export function isLeftAlone(group: string): boolean {
  return leftAlone.has(group);
}

/** Whether a kind of a group that is left alone stands outside namespaces. */
export function isClusterScopedElsewhere(kind: string): boolean {
  return clusterScopedElsewhere.has(kind);
}
