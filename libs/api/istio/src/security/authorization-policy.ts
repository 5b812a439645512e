import type { ConfigObject } from '@seine/k8s';
import { oneTarget, policyTarget } from '../networking/policy-target.js';
import { choice, list, message, type Of, text, texts } from '../schema.js';

const accounts = { maxItems: 16, of: { maxLength: 320 } } as const;

export const SourceSchema = message(
  'Who calls; all fields that are set must hold. Values may begin or end with `*`.',
  {
    principals: texts('Identities by mutual TLS, `trust-domain/ns/NAMESPACE/sa/ACCOUNT`.'),
    notPrincipals: texts('Identities that are excluded.'),
    requestPrincipals: texts('End users by token, `ISSUER/SUBJECT`.'),
    notRequestPrincipals: texts('End users that are excluded.'),
    namespaces: texts('Namespaces of the identity.'),
    notNamespaces: texts('Namespaces that are excluded.'),
    ipBlocks: texts('Addresses that the connection comes from, IP or CIDR.'),
    notIpBlocks: texts('Addresses that are excluded.'),
    remoteIpBlocks: texts('Addresses of the original client (X-Forwarded-For or PROXY protocol), IP or CIDR.'),
    notRemoteIpBlocks: texts('Addresses that are excluded.'),
    serviceAccounts: texts('Service accounts, `NAMESPACE/ACCOUNT`, or `ACCOUNT` of the same namespace.', accounts),
    notServiceAccounts: texts('Service accounts that are excluded.', accounts),
    trustDomains: texts('Trust domains of the identity.'),
    notTrustDomains: texts('Trust domains that are excluded.'),
  },
  {
    rules: [
      {
        rule: 'has(self.serviceAccounts) || has(self.notServiceAccounts) ? !(has(self.principals) || has(self.notPrincipals) || has(self.namespaces) || has(self.notNamespaces)) : true',
        message: 'Cannot set serviceAccounts with namespaces or principals',
      },
    ],
  },
);

export const OperationSchema = message('What is asked for; all fields that are set must hold.', {
  hosts: texts('Hosts of the request; HTTP only.'),
  notHosts: texts('Hosts that are excluded.'),
  ports: texts('Ports of the connection.'),
  notPorts: texts('Ports that are excluded.'),
  methods: texts('Methods of the request; HTTP only.'),
  notMethods: texts('Methods that are excluded.'),
  paths: texts('Paths, with `*` at an end, or templates as `/a/{*}/b` and `/{**}/c`; HTTP only.'),
  notPaths: texts('Paths that are excluded.'),
});

export const ConditionSchema = message(
  'A further condition on an attribute.',
  {
    key: text('Attribute, as `request.headers[User-Agent]` or `source.ip`.'),
    values: texts('Values of which the attribute must have one.'),
    notValues: texts('Values that the attribute must not have.'),
  },
  { required: ['key'] },
);

export const RuleSchema = message('A rule; it holds when one of from, one of to, and all of when do.', {
  from: list(message('A source.', { source: SourceSchema }), 'Sources, any of which; all when absent.', {
    maxItems: 512,
  }),
  to: list(message('An operation.', { operation: OperationSchema }), 'Operations, any of which; all when absent.'),
  when: list(ConditionSchema, 'Conditions, all of them.'),
});

export const AuthorizationPolicySchema = message(
  'Who may do what with workloads. Without rules an ALLOW policy allows nothing.',
  {
    ...policyTarget,
    rules: list(RuleSchema, 'Rules, any of which.', { maxItems: 512 }),
    action: choice(
      ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'],
      'What happens when a rule holds: CUSTOM asks the provider, then DENY, then ALLOW decide.',
      { fallback: 'ALLOW' },
    ),
    provider: message('Who is asked by a CUSTOM policy.', {
      name: text('Name of an extension provider of the mesh config.'),
    }),
  },
  { rules: [oneTarget] },
);
export type Source = Of<typeof SourceSchema>;
export type Operation = Of<typeof OperationSchema>;
export type Condition = Of<typeof ConditionSchema>;
export type Rule = Of<typeof RuleSchema>;
export type AuthorizationPolicySpec = Of<typeof AuthorizationPolicySchema>;
export type AuthorizationPolicy = ConfigObject<AuthorizationPolicySpec> & {
  readonly kind: 'AuthorizationPolicy';
  readonly spec: AuthorizationPolicySpec;
};
