import { boundPort, choice, flag, integer, list, message, type Of, text, textMap } from '../schema.js';

/** What several kinds of the Kubernetes Gateway API share (gateway.networking.k8s.io). */

export const gatewayGroup = 'gateway.networking.k8s.io';
export const experimentalGroup = 'gateway.networking.x-k8s.io';

/** A name of a host: `example.com`, or `*.example.com`. */
export const hostname = (description: string) =>
  text(description, {
    minLength: 1,
    maxLength: 253,
    pattern: '^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
  });

const reference = {
  group: text('API group of what is meant; empty for the core group.'),
  kind: text('Kind of what is meant.'),
  name: text('Its name.', { minLength: 1 }),
};

export const ParentReferenceSchema = message(
  'What a route is attached to: a Gateway, a ListenerSet, or for traffic inside the mesh a Service or ServiceEntry.',
  {
    ...reference,
    namespace: text('Its namespace; default that of the route.'),
    sectionName: text('Only this listener.'),
    port: boundPort('Only listeners, or the Service, on this port.'),
  },
  { required: ['name'] },
);

const backendReference = {
  ...reference,
  namespace: text('Its namespace; another than that of the route needs a ReferenceGrant there.'),
  port: boundPort('Port of the Service.'),
};

export const BackendObjectReferenceSchema = message('Who gets requests.', backendReference, { required: ['name'] });

export const backendFields = {
  ...backendReference,
  weight: integer('Share of the requests, in proportion to the other weights.', {
    minimum: 0,
    maximum: 1_000_000,
    fallback: '1',
  }),
};

export const BackendRefSchema = message('Who gets connections.', backendFields, { required: ['name'] });

export const LocalObjectReferenceSchema = message('An object of the same namespace.', reference, {
  required: ['name'],
});

export const ObjectReferenceSchema = message(
  'An object, perhaps of another namespace.',
  { ...reference, namespace: text('Its namespace.') },
  { required: ['name'] },
);

export const LabelSelectorSchema = message('Selects by labels.', {
  matchLabels: textMap('Labels that must have these values.'),
  matchExpressions: list(
    message(
      'A condition on one label.',
      {
        key: text('Label.'),
        operator: choice(['In', 'NotIn', 'Exists', 'DoesNotExist'], 'How it is compared.'),
        values: list(text('Value.'), 'Values to compare with.'),
      },
      { required: ['key', 'operator'] },
    ),
    'Conditions that must all hold.',
  ),
});

export const SessionPersistenceSchema = message('Calls of one session go to one endpoint.', {
  sessionName: text('Name of the cookie or header.'),
  absoluteTimeout: text('How long a session lasts.'),
  idleTimeout: text('How long a session lasts without calls.'),
  type: choice(['Cookie', 'Header'], 'Where the session is kept.', { fallback: 'Cookie' }),
  cookieConfig: message('The cookie.', {
    lifetimeType: choice(['Permanent', 'Session'], 'Whether the cookie outlives the browser.'),
  }),
});

/** Fields of every route. */
export const routeFields = {
  parentRefs: list(ParentReferenceSchema, 'What the route is attached to.', { maxItems: 32 }),
  useDefaultGateways: text('Whether default Gateways serve it; has no effect.'),
};

export const hostnames = list(hostname('Host.'), 'Hosts that the route is for; default those of the listener.');

export const caCertificateRefs = <T extends typeof LocalObjectReferenceSchema | typeof ObjectReferenceSchema>(
  schema: T,
) => list(schema, 'ConfigMaps (key ca.crt) with the certificates that are trusted.', { maxItems: 8 });

export const allowCredentials = flag('Whether cookies and certificates may be sent.');

export type ParentReference = Of<typeof ParentReferenceSchema>;
export type BackendObjectReference = Of<typeof BackendObjectReferenceSchema>;
export type BackendRef = Of<typeof BackendRefSchema>;
export type ObjectReference = Of<typeof ObjectReferenceSchema>;
export type LocalObjectReference = Of<typeof LocalObjectReferenceSchema>;
export type LabelSelector = Of<typeof LabelSelectorSchema>;
