import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { DownstreamTlsContextSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import type { Server } from '@seine/istio';
import { emitServerTls } from './gateway-tls.js';

const files = { serverCertificate: '/c.pem', privateKey: '/k.pem' };

describe('emitServerTls', () => {
  const tls = (settings: NonNullable<Server['tls']>, workloadCertificates = false) => {
    const socket = emitServerTls(settings, { alpn: ['h2', 'http/1.1'], workloadCertificates });
    const config = socket?.configType;
    return config?.case === 'typedConfig'
      ? toEnvoyJson(DownstreamTlsContextSchema, anyUnpack(config.value, DownstreamTlsContextSchema)!)
      : undefined;
  };

  it.each<[string, NonNullable<Server['tls']>, object]>([
    [
      'SIMPLE',
      { mode: 'SIMPLE', ...files },
      {
        require_client_certificate: false,
        common_tls_context: {
          alpn_protocols: ['h2', 'http/1.1'],
          tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
          tls_certificates: [{ certificate_chain: { filename: '/c.pem' }, private_key: { filename: '/k.pem' } }],
        },
      },
    ],
    [
      'MUTUAL',
      { mode: 'MUTUAL', ...files, caCertificates: '/ca.pem', subjectAltNames: ['x'] },
      {
        require_client_certificate: true,
        common_tls_context: {
          validation_context: {
            trusted_ca: { filename: '/ca.pem' },
            match_typed_subject_alt_names: [
              { san_type: 'URI', matcher: { exact: 'x' } },
              { san_type: 'DNS', matcher: { exact: 'x' } },
            ],
          },
        },
      },
    ],
    [
      'OPTIONAL_MUTUAL',
      { mode: 'OPTIONAL_MUTUAL', ...files, caCertificates: '/ca.pem' },
      {
        require_client_certificate: false,
        common_tls_context: { validation_context: { trusted_ca: { filename: '/ca.pem' } } },
      },
    ],
    [
      'versions and ciphers',
      {
        mode: 'SIMPLE',
        ...files,
        minProtocolVersion: 'TLSV1_3',
        maxProtocolVersion: 'TLSV1_3',
        cipherSuites: ['AES128-SHA', 'BANANA', 'AES128-SHA'],
      },
      {
        common_tls_context: {
          tls_params: {
            tls_minimum_protocol_version: 'TLSv1_3',
            tls_maximum_protocol_version: 'TLSv1_3',
            cipher_suites: ['AES128-SHA'],
          },
        },
      },
    ],
    [
      'two certificates in files',
      { mode: 'SIMPLE', tlsCertificates: [files, { serverCertificate: '/d.pem', privateKey: '/l.pem' }] },
      {
        common_tls_context: {
          tls_certificates: [
            { certificate_chain: { filename: '/c.pem' }, private_key: { filename: '/k.pem' } },
            { certificate_chain: { filename: '/d.pem' }, private_key: { filename: '/l.pem' } },
          ],
        },
      },
    ],
    [
      'what a client certificate must be',
      {
        mode: 'MUTUAL',
        ...files,
        caCertificates: '/ca.pem',
        caCrl: '/crl.pem',
        insecureSkipVerify: true,
        verifyCertificateSpki: ['s'],
        verifyCertificateHash: ['h'],
        subjectAltNames: ['a@b.com', '10.0.0.1'],
      },
      {
        common_tls_context: {
          validation_context: {
            trusted_ca: { filename: '/ca.pem' },
            crl: { filename: '/crl.pem' },
            trust_chain_verification: 'ACCEPT_UNTRUSTED',
            verify_certificate_spki: ['s'],
            verify_certificate_hash: ['h'],
            match_typed_subject_alt_names: [
              { san_type: 'URI', matcher: { exact: 'a@b.com' } },
              { san_type: 'DNS', matcher: { exact: 'a@b.com' } },
              { san_type: 'EMAIL', matcher: { exact: 'a@b.com' } },
              { san_type: 'URI', matcher: { exact: '10.0.0.1' } },
              { san_type: 'DNS', matcher: { exact: '10.0.0.1' } },
              { san_type: 'IP_ADDRESS', matcher: { exact: '10.0.0.1' } },
            ],
          },
        },
      },
    ],
    [
      'a credential, which goes before files',
      { mode: 'SIMPLE', credentialName: 'c', ...files },
      {
        common_tls_context: {
          tls_certificate_sds_secret_configs: [{ name: 'kubernetes://c', sds_config: { ads: {} } }],
        },
      },
    ],
    [
      'a credential and its CA',
      { mode: 'OPTIONAL_MUTUAL', credentialName: 'c', subjectAltNames: ['x'] },
      {
        require_client_certificate: false,
        common_tls_context: {
          tls_certificate_sds_secret_configs: [{ name: 'kubernetes://c' }],
          combined_validation_context: {
            default_validation_context: { match_typed_subject_alt_names: [{ san_type: 'URI' }, { san_type: 'DNS' }] },
            validation_context_sds_secret_config: { name: 'kubernetes://c-cacert', sds_config: { ads: {} } },
          },
        },
      },
    ],
    [
      'two credentials and a CA by name',
      { mode: 'MUTUAL', credentialNames: ['c', 'kubernetes-gateway://ns/d'], caCertCredentialName: 'ca' },
      {
        require_client_certificate: true,
        common_tls_context: {
          tls_certificate_sds_secret_configs: [{ name: 'kubernetes://c' }, { name: 'kubernetes-gateway://ns/d' }],
          combined_validation_context: {
            validation_context_sds_secret_config: { name: 'kubernetes://ca-cacert' },
          },
        },
      },
    ],
  ])('%s', (_what, settings, expected) => {
    expect(tls(settings)).toMatchObject(expected);
  });

  it('hands on files as secrets where the proxy has them by SDS', () => {
    const settings: Server['tls'] = { mode: 'MUTUAL', ...files, caCertificates: '/ca.pem', subjectAltNames: ['x'] };
    const config = emitServerTls(settings, { alpn: [], filesAsSecrets: true })?.configType;
    const message = config?.case === 'typedConfig' ? anyUnpack(config.value, DownstreamTlsContextSchema) : undefined;
    expect(message && toEnvoyJson(DownstreamTlsContextSchema, message)).toMatchObject({
      require_client_certificate: true,
      common_tls_context: {
        tls_certificate_sds_secret_configs: [{ name: 'file-cert:/c.pem~/k.pem', sds_config: { ads: {} } }],
        combined_validation_context: {
          default_validation_context: { match_typed_subject_alt_names: [{}, {}] },
          validation_context_sds_secret_config: { name: 'file-root:/ca.pem' },
        },
      },
    });
  });

  it('takes what is unset from the mesh, except for mutual TLS of the mesh', () => {
    const defaults = { ecdhCurves: ['P-256', 'banana'], cipherSuites: ['AES128-SHA'] };
    const parameters = (settings: NonNullable<Server['tls']>) => {
      const config = emitServerTls(settings, { alpn: [], workloadCertificates: true, defaults })?.configType;
      if (config?.case !== 'typedConfig') return undefined;
      const common = anyUnpack(config.value, DownstreamTlsContextSchema)?.commonTlsContext;
      return [common?.tlsParams?.ecdhCurves, common?.tlsParams?.cipherSuites];
    };
    expect(parameters({ mode: 'SIMPLE', ...files })).toEqual([['P-256'], ['AES128-SHA']]);
    expect(parameters({ mode: 'SIMPLE', ...files, cipherSuites: ['AES256-SHA'] })).toEqual([['P-256'], ['AES256-SHA']]);
    expect(parameters({ mode: 'ISTIO_MUTUAL' })).toEqual([[], []]);
  });

  it('takes the identity of the mesh from the agent, and waits for it', () => {
    const sds_config = {
      api_config_source: { api_type: 'GRPC', grpc_services: [{ envoy_grpc: { cluster_name: 'sds-grpc' } }] },
      initial_fetch_timeout: '0s',
    };
    expect(tls({ mode: 'ISTIO_MUTUAL', subjectAltNames: ['spiffe://a'] }, true)).toMatchObject({
      require_client_certificate: true,
      common_tls_context: {
        tls_certificate_sds_secret_configs: [{ name: 'default', sds_config }],
        combined_validation_context: {
          default_validation_context: { match_typed_subject_alt_names: [{ matcher: { exact: 'spiffe://a' } }, {}] },
          validation_context_sds_secret_config: { name: 'ROOTCA', sds_config },
        },
      },
    });
  });

  it.each<[string, NonNullable<Server['tls']>]>([
    ['a mode whose certificate comes by SDS', { mode: 'ISTIO_MUTUAL' }],
    ['no key', { mode: 'SIMPLE', serverCertificate: '/c.pem' }],
    ['MUTUAL without a CA', { mode: 'MUTUAL', ...files }],
  ])('has none for %s', (_what, settings) => {
    expect(tls(settings)).toBeUndefined();
  });
});
