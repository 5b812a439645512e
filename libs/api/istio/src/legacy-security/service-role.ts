import type { ConfigObject } from '@seine/k8s';
import { boundPort, list, message, type Of, text, texts } from '../schema.js';
import { Type } from '@sinclair/typebox';

/** `rbac.istio.io/v1alpha1` ServiceRole. */

const ports = (description: string) => Type.Array(boundPort('A port.'), { description });

export const AccessRuleSchema = message('What a role allows; all fields that are set must hold.', {
  services: texts('Services of the namespace, by name; `*` at an end stands for the rest, alone for all.'),
  hosts: texts('Hosts of the request.'),
  notHosts: texts('Hosts that are excluded.'),
  paths: texts('Paths; values may begin or end with `*`.'),
  notPaths: texts('Paths that are excluded.'),
  methods: texts('Methods.'),
  notMethods: texts('Methods that are excluded.'),
  ports: ports('Ports of the connection.'),
  notPorts: ports('Ports that are excluded.'),
  constraints: list(
    message('A further condition.', {
      key: text('Attribute, as `destination.labels[version]` or `request.headers[x-id]`.'),
      values: texts('Values of which the attribute must have one.'),
    }),
    'Further conditions, all of them.',
  ),
});

export const ServiceRoleSchema = message(
  'What may be done with which services, as Istio 1.0 to 1.5 had it. A ServiceRoleBinding says who may.',
  { rules: list(AccessRuleSchema, 'What the role allows, any of them.') },
);

export type AccessRule = Of<typeof AccessRuleSchema>;
export type ServiceRoleSpec = Of<typeof ServiceRoleSchema>;
export type ServiceRole = ConfigObject<ServiceRoleSpec> & {
  readonly kind: 'ServiceRole';
  readonly spec: ServiceRoleSpec;
};
