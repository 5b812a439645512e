import type { ConfigObject } from '@seine/k8s';
import { atMostOne, boundPort, choice, list, message, type Of, text, texts } from '../schema.js';
import { WorkloadSelectorSchema } from './selector.js';
import { WorkloadEntrySchema } from './workload-entry.js';

export const ServiceEntryPortSchema = message(
  'A port of the service.',
  {
    number: boundPort('Number that clients call.'),
    protocol: text('HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS.', { maxLength: 256, fallback: 'TCP' }),
    name: text('Name, unique in the service.', { maxLength: 256 }),
    targetPort: boundPort('Port of the endpoints, when it is another.'),
  },
  { required: ['number', 'name'] },
);

const resolutionOrNone = "(has(self.resolution) ? self.resolution : 'NONE')";

export const ServiceEntrySchema = message(
  'A service that the platform does not know of, inside or outside the mesh.',
  {
    hosts: texts('DNS names of the service; a leading wildcard label is allowed without endpoints by DNS.', {
      minItems: 1,
      maxItems: 256,
      of: { rules: [{ rule: "self != '*'", message: 'hostname cannot be wildcard' }] },
    }),
    addresses: texts('Virtual addresses that clients use: IP addresses, or CIDR prefixes.', {
      maxItems: 256,
      of: { maxLength: 64 },
    }),
    ports: list(ServiceEntryPortSchema, 'Ports of the service.', {
      maxItems: 256,
      key: 'name',
      rules: [
        { rule: 'self.all(a, self.exists_one(b, a.number == b.number))', message: 'port number cannot be duplicated' },
      ],
    }),
    location: choice(
      ['MESH_EXTERNAL', 'MESH_INTERNAL'],
      'Whether it is part of the mesh, which says what identity and telemetry to expect.',
      { fallback: 'MESH_EXTERNAL' },
    ),
    resolution: choice(
      ['NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS'],
      'How its addresses are found: the one that the client called, the endpoints as written, or by DNS.',
      { fallback: 'NONE' },
    ),
    endpoints: list(WorkloadEntrySchema, 'Its endpoints, unless workloadSelector finds them.', { maxItems: 4096 }),
    workloadSelector: WorkloadSelectorSchema,
    exportTo: texts('Namespaces that see it: `*` all, `.` its own, or names.', { fallback: '*' }),
    subjectAltNames: texts('Names of which the certificate of the server must have one.'),
  },
  {
    required: ['hosts'],
    rules: [
      atMostOne('only one of WorkloadSelector or Endpoints can be set', 'workloadSelector', 'endpoints'),
      {
        rule: `has(self.addresses) && self.addresses.exists(address, address.contains('/')) ? ${resolutionOrNone} in ['NONE', 'STATIC'] : true`,
        message: 'CIDR addresses are allowed only for NONE/STATIC resolution types',
      },
      {
        rule: `${resolutionOrNone} == 'NONE' ? !has(self.endpoints) : true`,
        message: 'NONE mode cannot set endpoints',
      },
      {
        rule: `${resolutionOrNone} == 'DNS_ROUND_ROBIN' && has(self.endpoints) ? size(self.endpoints) <= 1 : true`,
        message: 'DNS_ROUND_ROBIN mode cannot have multiple endpoints',
      },
    ],
  },
);
export type ServiceEntryPort = Of<typeof ServiceEntryPortSchema>;
export type ServiceEntrySpec = Of<typeof ServiceEntrySchema>;
export type ServiceEntry = ConfigObject<ServiceEntrySpec> & {
  readonly kind: 'ServiceEntry';
  readonly spec: ServiceEntrySpec;
};
