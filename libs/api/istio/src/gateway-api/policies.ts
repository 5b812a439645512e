import { boundPort, choice, durationOrZero, integer, list, message, type Of, text, textMap } from '../schema.js';
import {
  caCertificateRefs,
  hostname,
  LocalObjectReferenceSchema,
  ObjectReferenceSchema,
  SessionPersistenceSchema,
} from './common.js';

const target = { group: text('API group.'), kind: text('Kind.'), name: text('Name.', { minLength: 1 }) };

const TargetSchema = message('What the policy is for, in the same namespace.', target, { required: ['kind', 'name'] });

const TargetWithSectionSchema = message(
  'What the policy is for, in the same namespace.',
  { ...target, sectionName: text('Only the port of this name.') },
  { required: ['kind', 'name'] },
);

const subjectAltNames = list(
  message('A name that the certificate may have.', {
    type: choice(['Hostname', 'URI'], 'Which field holds it.'),
    hostname: hostname('A host.'),
    uri: text('A URI.'),
  }),
  'Names of which the certificate must have one; default the host.',
  { maxItems: 5 },
);

const validationFields = {
  caCertificateRefs: caCertificateRefs(LocalObjectReferenceSchema),
  wellKnownCACertificates: text('`System`: those that the proxy trusts anyway.'),
  hostname: hostname('Host that is asked for (SNI), and that the certificate must have.'),
  subjectAltNames,
};

export const BackendTLSPolicySchema = message(
  'TLS from proxies to a Service.',
  {
    targetRefs: list(TargetWithSectionSchema, 'Services (or ServiceEntries).', { minItems: 1, maxItems: 16 }),
    validation: message('What certificate the backend must show.', validationFields, { required: ['hostname'] }),
    options: textMap('Has no effect.'),
  },
  { required: ['targetRefs', 'validation'] },
);

export const BackendTrafficPolicySchema = message(
  'Traffic to a Service.',
  {
    targetRefs: list(TargetSchema, 'Services.', { minItems: 1, maxItems: 16 }),
    retryConstraint: message('How many retries there may be.', {
      budget: message('As a share of all requests.', {
        percent: integer('Per cent.', { minimum: 0, maximum: 100, fallback: '20' }),
        interval: durationOrZero('Time over which it is counted.', { fallback: '10s' }),
      }),
      minRetryRate: message('So many in any case.', {
        count: integer('How many.', { minimum: 1, fallback: '10' }),
        interval: durationOrZero('In this time.', { fallback: '1s' }),
      }),
    }),
    sessionPersistence: SessionPersistenceSchema,
  },
  { required: ['targetRefs'] },
);

export const BackendSchema = message(
  'A server outside the mesh.',
  {
    type: text('ExternalHostname.'),
    externalHostname: message('The server.', { hostname: hostname('Its name.') }, { required: ['hostname'] }),
    port: message('Its port.', { port: boundPort('The port.') }, { required: ['port'] }),
    protocol: text('HTTP, HTTP2, TCP or TLS.', { fallback: 'HTTP' }),
    tls: message('TLS to it.', {
      mode: text('None, ServerOnly or ClientAndServer (which is not supported, as in Istio).'),
      validation: message('What certificate it must show.', validationFields),
      clientCertificateRef: ObjectReferenceSchema,
    }),
  },
  { required: ['type', 'port'] },
);

export type BackendTLSPolicySpec = Of<typeof BackendTLSPolicySchema>;
export type BackendTrafficPolicySpec = Of<typeof BackendTrafficPolicySchema>;
export type BackendSpec = Of<typeof BackendSchema>;
export type BackendValidation = NonNullable<NonNullable<BackendSpec['tls']>['validation']>;
