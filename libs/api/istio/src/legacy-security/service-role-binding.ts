import type { ConfigObject } from '@seine/k8s';
import { choice, list, message, type Of, text, textMap, texts } from '../schema.js';

/** `rbac.istio.io/v1alpha1` ServiceRoleBinding. */

export const SubjectSchema = message('Who has the role; all fields that are set must hold.', {
  user: text('Identity by mutual TLS, `trust-domain/ns/NAMESPACE/sa/ACCOUNT`; `*` is everybody.'),
  names: texts('Identities; `allUsers` is everybody, `allAuthenticatedUsers` everybody with an identity.'),
  notNames: texts('Identities that are excluded.'),
  group: text('Group that the token names (claim `groups`).'),
  groups: texts('Groups of which the token names one.'),
  notGroups: texts('Groups that are excluded.'),
  namespaces: texts('Namespaces of the identity.'),
  notNamespaces: texts('Namespaces that are excluded.'),
  ips: texts('Addresses that the connection comes from, IP or CIDR.'),
  notIps: texts('Addresses that are excluded.'),
  properties: textMap('Attributes and the value that each must have, as `source.namespace: default`.'),
});

export const RoleRefSchema = message('A role.', {
  kind: text('`ServiceRole`.'),
  name: text('Name of a ServiceRole of the same namespace.'),
});

export const ServiceRoleBindingSchema = message('Who has a ServiceRole, as Istio 1.0 to 1.5 had it.', {
  subjects: list(SubjectSchema, 'Who has the role, any of them.'),
  roleRef: RoleRefSchema,
  mode: choice(['ENFORCED', 'PERMISSIVE'], 'Whether it is only counted and logged what the binding would allow.', {
    fallback: 'ENFORCED',
  }),
});

export type Subject = Of<typeof SubjectSchema>;
export type ServiceRoleBindingSpec = Of<typeof ServiceRoleBindingSchema>;
export type ServiceRoleBinding = ConfigObject<ServiceRoleBindingSpec> & {
  readonly kind: 'ServiceRoleBinding';
  readonly spec: ServiceRoleBindingSpec;
};
