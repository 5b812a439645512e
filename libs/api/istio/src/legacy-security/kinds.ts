import type { KindInfo } from '@seine/k8s';
import { type Definition, kindsOf } from '../kinds/istio-kinds.js';
import { AuthenticationPolicySchema } from './authentication-policy.js';
import { legacySecurityErrors } from './errors.js';
import { RbacConfigSchema } from './rbac-config.js';
import { ServiceRoleBindingSchema } from './service-role-binding.js';
import { ServiceRoleSchema } from './service-role.js';

/** The groups of Istio's security kinds before `security.istio.io`. */
export const legacySecurityGroups: ReadonlySet<string> = new Set(['authentication.istio.io', 'rbac.istio.io']);

const common = { versions: ['v1alpha1*'], actedOn: true, specRequired: true };

const authentication: readonly Definition[] = [
  { kind: 'Policy', plural: 'policies', spec: AuthenticationPolicySchema, ...common },
  { kind: 'MeshPolicy', plural: 'meshpolicies', spec: AuthenticationPolicySchema, ...common },
];

const rbac: readonly Definition[] = [
  { kind: 'ClusterRbacConfig', spec: RbacConfigSchema, ...common },
  { kind: 'RbacConfig', spec: RbacConfigSchema, ...common },
  { kind: 'ServiceRole', spec: ServiceRoleSchema, ...common },
  { kind: 'ServiceRoleBinding', spec: ServiceRoleBindingSchema, ...common },
];

const clusterScoped: ReadonlySet<string> = new Set(['MeshPolicy', 'ClusterRbacConfig']);

/** What Istio 1.0 to 1.5 had in the place of PeerAuthentication, RequestAuthentication and AuthorizationPolicy. */
export const legacySecurityKinds: readonly KindInfo[] = [
  ...kindsOf('authentication.istio.io', authentication),
  ...kindsOf('rbac.istio.io', rbac),
].map((info) => ({ ...info, namespaced: !clusterScoped.has(info.kind), validateSpec: legacySecurityErrors }));
