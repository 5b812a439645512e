import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { TransportSocketSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import type { DestinationRule, TrafficPolicy } from '@seine/istio';
import { emitTransportSocket, systemCaFile, type TransportContext, usablePolicy } from './client-tls.js';

const plainContext: TransportContext = { http2: false, subjectAltNames: [] };
const type = (name: string) => ({ '@type': `type.googleapis.com/envoy.extensions.transport_sockets.${name}` });
const tlsParams = { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_3' };
const tls = (common: object, sni?: string) => ({
  name: 'envoy.transport_sockets.tls',
  typed_config: {
    ...type('tls.v3.UpstreamTlsContext'),
    ...(sni && { sni }),
    common_tls_context: { tls_params: tlsParams, ...common },
  },
});
const proxyProtocol = (version: string | undefined, transport_socket: object) => ({
  name: 'envoy.transport_sockets.upstream_proxy_protocol',
  typed_config: {
    ...type('proxy_protocol.v3.ProxyProtocolUpstreamTransport'),
    config: version ? { version } : {},
    transport_socket,
  },
});
const rawBuffer = { name: 'envoy.transport_sockets.raw_buffer', typed_config: type('raw_buffer.v3.RawBuffer') };
const systemCa = { validation_context: { trusted_ca: { filename: systemCaFile } } };

const account = 'spiffe://cluster.local/ns/default/sa/a';
const inMesh: TransportContext = { ...plainContext, mesh: { sni: 'outbound_.80_._.a', serviceAccounts: [account] } };
const pilot = (name: string) => ({ name, sds_config: { ads: {}, resource_api_version: 'V3' } });
const agent = (name: string) => ({
  name,
  sds_config: {
    api_config_source: {
      api_type: 'GRPC',
      transport_api_version: 'V3',
      set_node_on_first_message_only: true,
      grpc_services: [{ envoy_grpc: { cluster_name: 'sds-grpc' } }],
    },
    initial_fetch_timeout: '0s',
    resource_api_version: 'V3',
  },
});
const validated = (secret: string, sanType: string, exact: string) => ({
  default_validation_context: { match_typed_subject_alt_names: [{ san_type: sanType, matcher: { exact } }] },
  validation_context_sds_secret_config: pilot(secret),
});

describe('usablePolicy', () => {
  const tls = { mode: 'MUTUAL', credentialName: 'c' } as const;
  const rule = (more: object): DestinationRule => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'r', namespace: 'default' },
    spec: { host: 'a', ...more },
  });

  it.each<[string, TrafficPolicy, DestinationRule, 'router' | 'sidecar', boolean]>([
    ['a gateway takes Secrets', { tls }, rule({}), 'router', true],
    ['a sidecar that the rule selects does', { tls }, rule({ workloadSelector: { matchLabels: {} } }), 'sidecar', true],
    ['other sidecars do not', { tls }, rule({}), 'sidecar', false],
    ['files are for all', { tls: { mode: 'SIMPLE' } }, rule({}), 'sidecar', true],
  ])('%s', (_what, policy, by, proxyType, kept) => {
    expect(usablePolicy(policy, by, proxyType).tls !== undefined).toBe(kept);
  });
});

describe('emitTransportSocket', () => {
  it.each<[what: string, policy: TrafficPolicy, context: TransportContext, expected: object | undefined]>([
    ['no policy', {}, plainContext, undefined],
    ['DISABLE', { tls: { mode: 'DISABLE' } }, plainContext, undefined],
    ['SIMPLE', { tls: { mode: 'SIMPLE' } }, plainContext, tls(systemCa)],
    [
      'SIMPLE to an HTTP/2 port',
      { tls: { mode: 'SIMPLE' } },
      { ...plainContext, http2: true },
      tls({ alpn_protocols: ['h2'], ...systemCa }),
    ],
    ['no verification', { tls: { mode: 'SIMPLE', insecureSkipVerify: true } }, plainContext, tls({})],
    [
      'CA, CRL, SNI and names',
      {
        tls: {
          mode: 'SIMPLE',
          caCertificates: '/ca.pem',
          caCrl: '/crl.pem',
          sni: 'db.example.com',
          subjectAltNames: ['db.example.com', 'spiffe://cluster.local/ns/db/sa/db', '10.0.0.1'],
        },
      },
      { http2: false, subjectAltNames: ['ignored.example.com'] },
      tls(
        {
          validation_context: {
            trusted_ca: { filename: '/ca.pem' },
            crl: { filename: '/crl.pem' },
            match_typed_subject_alt_names: [
              { san_type: 'DNS', matcher: { exact: 'db.example.com' } },
              { san_type: 'URI', matcher: { exact: 'spiffe://cluster.local/ns/db/sa/db' } },
              { san_type: 'IP_ADDRESS', matcher: { exact: '10.0.0.1' } },
            ],
          },
        },
        'db.example.com',
      ),
    ],
    [
      "the service's names",
      { tls: { mode: 'SIMPLE' } },
      { http2: false, subjectAltNames: ['a.example.com'] },
      tls({
        validation_context: {
          trusted_ca: { filename: systemCaFile },
          match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'a.example.com' } }],
        },
      }),
    ],
    [
      'MUTUAL',
      { tls: { mode: 'MUTUAL', clientCertificate: '/c.pem', privateKey: '/k.pem', caCertificates: '/ca.pem' } },
      plainContext,
      tls({
        tls_certificates: [{ certificate_chain: { filename: '/c.pem' }, private_key: { filename: '/k.pem' } }],
        validation_context: { trusted_ca: { filename: '/ca.pem' } },
      }),
    ],
    [
      'SIMPLE with a credential: its CA',
      { tls: { mode: 'SIMPLE', credentialName: 'c', subjectAltNames: ['a.com'] } },
      plainContext,
      tls({ combined_validation_context: validated('kubernetes://c-cacert', 'DNS', 'a.com') }),
    ],
    [
      'MUTUAL with a credential, names of the service',
      { tls: { mode: 'MUTUAL', credentialName: 'c', clientCertificate: '/ignored.pem' } },
      { http2: true, subjectAltNames: ['b.com'] },
      tls({
        alpn_protocols: ['h2'],
        tls_certificate_sds_secret_configs: [pilot('kubernetes://c')],
        combined_validation_context: validated('kubernetes://c-cacert', 'DNS', 'b.com'),
      }),
    ],
    [
      'MUTUAL with a credential, without verification',
      { tls: { mode: 'MUTUAL', credentialName: 'c', insecureSkipVerify: true } },
      plainContext,
      tls({ tls_certificate_sds_secret_configs: [pilot('kubernetes://c')] }),
    ],
    [
      "the mesh's curves and cipher suites",
      { tls: { mode: 'SIMPLE', insecureSkipVerify: true } },
      { ...plainContext, defaults: { ecdhCurves: ['X25519', 'banana'], cipherSuites: ['AES128-SHA', 'banana'] } },
      tls({ tls_params: { ...tlsParams, ecdh_curves: ['X25519'], cipher_suites: ['AES128-SHA'] } }),
    ],
    ['ISTIO_MUTUAL without an agent', { tls: { mode: 'ISTIO_MUTUAL' } }, plainContext, undefined],
    [
      'ISTIO_MUTUAL',
      { tls: { mode: 'ISTIO_MUTUAL' } },
      inMesh,
      tls(
        {
          alpn_protocols: ['istio-peer-exchange', 'istio'],
          tls_certificate_sds_secret_configs: [agent('default')],
          combined_validation_context: {
            default_validation_context: {
              match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { exact: account } }],
            },
            validation_context_sds_secret_config: agent('ROOTCA'),
          },
        },
        'outbound_.80_._.a',
      ),
    ],
    [
      'ISTIO_MUTUAL with names of its own, to an HTTP/2 port',
      { tls: { mode: 'ISTIO_MUTUAL', sni: 'x', subjectAltNames: ['spiffe://x'] } },
      { ...inMesh, http2: true },
      tls(
        {
          alpn_protocols: ['istio-peer-exchange', 'istio', 'h2'],
          tls_certificate_sds_secret_configs: [agent('default')],
          combined_validation_context: {
            default_validation_context: {
              match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { exact: 'spiffe://x' } }],
            },
            validation_context_sds_secret_config: agent('ROOTCA'),
          },
        },
        'x',
      ),
    ],
    ['PROXY protocol', { proxyProtocol: {} }, plainContext, proxyProtocol(undefined, rawBuffer)],
    ['PROXY protocol V2', { proxyProtocol: { version: 'V2' } }, plainContext, proxyProtocol('V2', rawBuffer)],
    [
      'PROXY protocol around TLS',
      { proxyProtocol: { version: 'V1' }, tls: { mode: 'SIMPLE' } },
      plainContext,
      proxyProtocol(undefined, tls(systemCa)),
    ],
  ])('%s', (_what, policy, context, expected) => {
    const socket = emitTransportSocket(policy, context);
    expect(socket && toEnvoyJson(TransportSocketSchema, socket)).toEqual(expected);
  });
});
