import type { ConfigObject } from '@seine/k8s';
import {
  atMostOne,
  choice,
  flag,
  list,
  message,
  type Of,
  optionalFlag,
  port,
  text,
  textMap,
  texts,
} from '../schema.js';

export const PortSchema = message(
  'A port with its protocol.',
  {
    number: port('Port number.'),
    protocol: text('HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS.'),
    name: text('Name, unique in the gateway.'),
    targetPort: port('Deprecated, has no effect.'),
  },
  { required: ['number', 'protocol', 'name'] },
);

const protocolVersion = (description: string, fallback: string) =>
  choice(['TLS_AUTO', 'TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3'], description, { fallback });

export const ServerTLSSettingsSchema = message(
  'TLS of a server.',
  {
    httpsRedirect: flag('Answer plain HTTP with a redirect to HTTPS.', { fallback: 'false' }),
    mode: choice(
      ['PASSTHROUGH', 'SIMPLE', 'MUTUAL', 'AUTO_PASSTHROUGH', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL'],
      'Who shows a certificate, and who ends TLS.',
    ),
    serverCertificate: text('File of the certificate.'),
    privateKey: text('File of its key.'),
    caCertificates: text('File of the CA for client certificates.'),
    caCrl: text('File of a revocation list.'),
    credentialName: text('Secret with certificate and key.'),
    credentialNames: texts('Secrets with certificates of different key types.', { minItems: 1, maxItems: 2 }),
    caCertCredentialName: text('Secret or ConfigMap with the CA.'),
    tlsCertificates: list(
      message('Certificate files.', {
        serverCertificate: text('File of the certificate.'),
        privateKey: text('File of its key.'),
        caCertificates: text('File of the CA.'),
      }),
      'Certificates of different key types.',
      { minItems: 1, maxItems: 2 },
    ),
    subjectAltNames: texts('Names of which a client certificate must have one.'),
    verifyCertificateSpki: texts('Accepted hashes of client keys.'),
    verifyCertificateHash: texts('Accepted hashes of client certificates.'),
    minProtocolVersion: protocolVersion('Lowest TLS version.', 'TLSV1_2'),
    maxProtocolVersion: protocolVersion('Highest TLS version.', 'TLSV1_3'),
    cipherSuites: texts('Cipher suites.'),
    insecureSkipVerify: optionalFlag('Do not verify client certificates.'),
  },
  {
    rules: [
      atMostOne('only one of credentialNames or tlsCertificates can be set', 'tlsCertificates', 'credentialNames'),
      atMostOne('only one of credentialName or credentialNames can be set', 'credentialName', 'credentialNames'),
      atMostOne('only one of credentialName or tlsCertificates can be set', 'credentialName', 'tlsCertificates'),
    ],
  },
);

export const ServerSchema = message(
  'A port that the gateway listens on.',
  {
    port: PortSchema,
    bind: text('Address or unix socket to listen on.'),
    hosts: texts('Hosts it serves: `host`, or `namespace/host` for the VirtualServices of one namespace; `*` all.'),
    tls: ServerTLSSettingsSchema,
    defaultEndpoint: text('Has no effect, as in Istio.'),
    name: text('Name, unique in the namespace.'),
  },
  { required: ['port', 'hosts'] },
);

export const GatewaySchema = message('Ports that proxies at the edge of the mesh listen on.', {
  servers: list(ServerSchema, 'The servers.'),
  selector: textMap('Labels of the proxies, in any namespace.'),
});

export type Port = Of<typeof PortSchema>;
export type ServerTLSSettings = Of<typeof ServerTLSSettingsSchema>;
export type Server = Of<typeof ServerSchema>;
export type GatewaySpec = Of<typeof GatewaySchema>;
export type Gateway = ConfigObject<GatewaySpec> & { readonly kind: 'Gateway'; readonly spec: GatewaySpec };
