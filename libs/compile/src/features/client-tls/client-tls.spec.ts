import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { TransportSocketSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import type { TrafficPolicy } from '@seine/istio';
import { emitTransportSocket, systemCaFile, type TransportContext } from './client-tls.js';

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
