import type { ConfigObject } from '@seine/k8s';
import { choice, duration, mapOf, message, type Of, struct, text, texts } from '../schema.js';

/** `config.istio.io/v1alpha2` handler. */

const TlsSchema = message('TLS, by which the adapter proves who it is.', {
  caCertificates: text('File with the roots, PEM; the system’s when absent.'),
  tokenPath: text('File with a token that goes with each call.'),
  oauth: message('Where a token is had from.', {
    clientId: text('Client at the authorization server.'),
    clientSecret: text('File with its secret.'),
    tokenUrl: text('URL of the authorization server.'),
    scopes: texts('Scopes that are asked for.'),
    endpointParams: mapOf(text('A value.'), 'Further parameters.'),
  }),
  authHeader: choice(['PLAIN', 'BEARER'], 'How the token stands in the header `authorization`.', { fallback: 'PLAIN' }),
  customHeader: text('The header that the token goes in instead.'),
  serverName: text('Name that the adapter’s certificate must have.'),
});

const MutualSchema = message('TLS, by which both prove who they are.', {
  privateKey: text('File with mixer’s key, PEM.'),
  clientCertificate: text('File with its certificate, PEM.'),
  caCertificates: text('File with the roots, PEM; the system’s when absent.'),
  serverName: text('Name that the adapter’s certificate must have.'),
});

export const AdapterConnectionSchema = message('Where an adapter is that is a process of its own.', {
  address: text('`host:port` of its gRPC service.'),
  timeout: duration('How long it is waited for.'),
  authentication: message(
    'How the two know each other; plain text when absent.',
    { tls: TlsSchema, mutual: MutualSchema },
    {
      oneofs: [['tls', 'mutual']],
    },
  ),
});

export const MixerHandlerSchema = message('An adapter with its configuration.', {
  name: text('For whoever reads it.'),
  compiledAdapter: text('Name of an adapter that mixer has built in: `denier`, `listchecker`, `prometheus`, …'),
  adapter: text('Name of an adapter that is a process of its own.'),
  params: struct('Its parameters: the adapter’s page says which.'),
  connection: AdapterConnectionSchema,
});

export type AdapterConnection = Of<typeof AdapterConnectionSchema>;
export type MixerHandlerSpec = Of<typeof MixerHandlerSchema>;
export type MixerHandler = ConfigObject<MixerHandlerSpec> & { readonly kind: 'handler' };
