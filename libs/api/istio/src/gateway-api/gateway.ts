import { boundPort, choice, list, message, type Of, text, textMap } from '../schema.js';
import {
  caCertificateRefs,
  hostname,
  LabelSelectorSchema,
  LocalObjectReferenceSchema,
  ObjectReferenceSchema,
} from './common.js';

export const GatewayClassSchema = message(
  'A class of Gateways, which one controller serves.',
  {
    controllerName: text('Who serves it; `istio.io/gateway-controller` is us.', { minLength: 1 }),
    parametersRef: ObjectReferenceSchema,
    description: text('For people.'),
  },
  { required: ['controllerName'] },
);

const FromNamespacesSchema = message('Namespaces.', {
  from: choice(['All', 'Selector', 'Same', 'None'], 'Which namespaces.', { fallback: 'Same' }),
  selector: LabelSelectorSchema,
});

const FrontendValidationSchema = message('How certificates of clients are checked.', {
  caCertificateRefs: caCertificateRefs(ObjectReferenceSchema),
  mode: choice(['AllowValidOnly', 'AllowInsecureFallback'], 'What happens to clients without a valid one.', {
    fallback: 'AllowValidOnly',
  }),
});

const FrontendTlsSchema = message('TLS towards clients.', { validation: FrontendValidationSchema });

export const ListenerTlsSchema = message('TLS of a listener.', {
  mode: choice(['Terminate', 'Passthrough'], 'Who ends TLS.', { fallback: 'Terminate' }),
  certificateRefs: list(ObjectReferenceSchema, 'Secrets (kubernetes.io/tls) with certificate and key.', {
    maxItems: 64,
  }),
  frontendValidation: FrontendValidationSchema,
  options: textMap('Istio: gateway.istio.io/tls-terminate-mode, gateway.istio.io/tls-cipher-suites.'),
});

const listenerFields = {
  name: text('Name, unique in the object.', { minLength: 1, maxLength: 253 }),
  hostname: hostname('Host that is served; default all.'),
  port: boundPort('Port of the Service of the gateway.'),
  protocol: text('HTTP, HTTPS, TLS or TCP.', { minLength: 1 }),
  tls: ListenerTlsSchema,
  allowedRoutes: message('Routes that may be attached.', {
    namespaces: FromNamespacesSchema,
    kinds: list(
      message('A kind of route.', { group: text('API group.'), kind: text('Kind.') }, { required: ['kind'] }),
      'Kinds of routes; default those of the protocol.',
      { maxItems: 8 },
    ),
  }),
};

export const ListenerSchema = message('A port with a host that the gateway listens on.', listenerFields, {
  required: ['name', 'port', 'protocol'],
});

export const ListenerEntrySchema = message('A listener that is added to a Gateway.', listenerFields, {
  required: ['name', 'protocol'],
});

export const GatewaySchema = message(
  'A gateway: where traffic enters the mesh.',
  {
    gatewayClassName: text('Class; `istio` is ours.', { minLength: 1 }),
    listeners: list(ListenerSchema, 'Ports and hosts.', { maxItems: 64, key: 'name' }),
    addresses: list(
      message('An address.', {
        type: text('IPAddress, or Hostname for a Service that is there already.', { fallback: 'IPAddress' }),
        value: text('The address.'),
      }),
      'Addresses; a single Hostname names the Service of a gateway that is deployed already.',
      { maxItems: 16 },
    ),
    infrastructure: message('What is deployed for it.', {
      labels: textMap('Labels of what is deployed.'),
      annotations: textMap('Annotations of what is deployed.'),
      parametersRef: LocalObjectReferenceSchema,
    }),
    allowedListeners: message('ListenerSets that may add listeners.', { namespaces: FromNamespacesSchema }),
    tls: message('TLS of the whole gateway.', {
      backend: message('TLS towards backends.', { clientCertificateRef: ObjectReferenceSchema }),
      frontend: message('TLS towards clients.', {
        default: FrontendTlsSchema,
        perPort: list(
          message(
            'TLS on one port.',
            { port: boundPort('The port.'), tls: FrontendTlsSchema },
            { required: ['port', 'tls'] },
          ),
          'Ports with other settings than the default.',
        ),
      }),
    }),
    backendTLS: message('Deprecated: tls.backend.', { clientCertificateRef: ObjectReferenceSchema }),
    defaultScope: text('Whether routes without a parent use it; has no effect.'),
  },
  { required: ['gatewayClassName', 'listeners'] },
);

export const ListenerSetSchema = message(
  'Listeners that are added to a Gateway.',
  {
    parentRef: ObjectReferenceSchema,
    listeners: list(ListenerEntrySchema, 'The listeners.', { maxItems: 64, key: 'name' }),
  },
  { required: ['parentRef', 'listeners'] },
);

export const ReferenceGrantSchema = message(
  'Lets objects of other namespaces name objects of this one.',
  {
    from: list(
      message(
        'Who may name something.',
        { group: text('API group.'), kind: text('Kind.'), namespace: text('Namespace.') },
        { required: ['kind', 'namespace'] },
      ),
      'Who may name something.',
      { minItems: 1 },
    ),
    to: list(
      message(
        'What may be named.',
        { group: text('API group; empty for the core group.'), kind: text('Kind.'), name: text('Name; default all.') },
        { required: ['kind'] },
      ),
      'What may be named.',
      { minItems: 1 },
    ),
  },
  { required: ['from', 'to'] },
);

export type GatewayClassSpec = Of<typeof GatewayClassSchema>;
export type GatewaySpec = Of<typeof GatewaySchema>;
export type Listener = Of<typeof ListenerSchema>;
export type ListenerEntry = Of<typeof ListenerEntrySchema>;
export type ListenerTls = Of<typeof ListenerTlsSchema>;
export type ListenerSetSpec = Of<typeof ListenerSetSchema>;
export type ReferenceGrantSpec = Of<typeof ReferenceGrantSchema>;
export type FromNamespaces = Of<typeof FromNamespacesSchema>;
export type FrontendValidation = Of<typeof FrontendValidationSchema>;
