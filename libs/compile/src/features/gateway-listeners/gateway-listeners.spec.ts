import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { HttpConnectionManagerSchema } from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { DownstreamTlsContextSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import type { Gateway, Server, VirtualService } from '@seine/istio';
import { defaultMeshConfig } from '@seine/model';
import { connectionManagerOf, summarizeListener } from '@seine/testing';
import { emitGatewayListener } from './gateway-listeners.js';
import { gatewayPorts } from './gateway-ports.js';
import { emitServerTls } from './gateway-tls.js';

const files = { serverCertificate: '/c.pem', privateKey: '/k.pem' };

function server(number: number, protocol: string, fields: Partial<Server> = {}): Server {
  return { port: { number, protocol, name: `${protocol.toLowerCase()}-${number}` }, hosts: ['*'], ...fields };
}

function gateway(servers: Server[], name = 'gw'): Gateway {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace: 'default' },
    spec: { selector: { istio: 'ingressgateway' }, servers },
  };
}

function virtualService(spec: VirtualService['spec']): VirtualService {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'vs', namespace: 'default' },
    spec: { gateways: ['gw'], ...spec },
  };
}

function emit(servers: Server[], l4VirtualServices: VirtualService[] = []) {
  const owner = gateway(servers);
  return emitGatewayListener({
    bindPort: 8080,
    servers: servers.map((_server, index) => ({ gateway: owner, index })),
    l4VirtualServices,
    destinations: [],
    config: defaultMeshConfig,
  });
}

const toB = [{ destination: { host: 'b', port: { number: 9000 } } }];
const clusterB = 'tcp outbound|9000||b.default.svc.cluster.local';
const simple: Server['tls'] = { mode: 'SIMPLE', ...files };

const byServers: [string, Server[], VirtualService[], Record<string, string[]>][] = [
  ['HTTP', [server(80, 'HTTP')], [], { '0.0.0.0_8080': ['[] → http rds:http.8080'] }],
  [
    'several HTTP servers',
    [server(80, 'HTTP'), server(80, 'GRPC', { hosts: ['a.com'] })],
    [],
    { '0.0.0.0_8080': ['[] → http rds:http.8080'] },
  ],
  [
    'bind addresses',
    [server(80, 'HTTP'), server(80, 'HTTP', { bind: '127.0.0.3' })],
    [],
    { '0.0.0.0_8080': ['[] → http rds:http.8080'], '127.0.0.3_8080': ['[] → http rds:http.8080.127.0.0.3'] },
  ],
  [
    'HTTPS with certificates in files, a chain for the hosts of each',
    [
      server(443, 'HTTPS', { hosts: ['a.com', 'other/*.b.com'], tls: simple }),
      server(443, 'HTTPS', { hosts: ['A.com', 'c.com'], tls: simple }),
      server(443, 'HTTPS', { tls: simple }),
    ],
    [],
    {
      '0.0.0.0_8080': [
        '[sni a.com, sni *.b.com] tls → http rds:https.443.https-443.gw.default',
        '[sni c.com] tls → http rds:https.443.https-443.gw.default',
        '[] tls → http rds:https.443.https-443.gw.default',
      ],
    },
  ],
  ['a credential that comes by SDS', [server(443, 'HTTPS', { tls: { mode: 'SIMPLE', credentialName: 'c' } })], [], {}],
  ['HTTPS without tls', [server(443, 'HTTPS')], [], {}],
  ['an unknown protocol', [server(80, 'banana')], [], {}],
  [
    'TCP',
    [server(31400, 'TCP')],
    [virtualService({ hosts: ['*'], tcp: [{ match: [{ port: 31400 }], route: toB }] })],
    { '0.0.0.0_8080': [`[] → ${clusterB}`] },
  ],
  [
    'TCP without a route',
    [server(31400, 'TCP')],
    [virtualService({ hosts: ['*'], tcp: [{ match: [{ port: 1 }], route: toB }] })],
    {},
  ],
  [
    'TCP with a route of another gateway',
    [server(31400, 'TCP')],
    [virtualService({ hosts: ['*'], gateways: ['other'], tcp: [{ route: toB }] })],
    {},
  ],
  [
    'PASSTHROUGH',
    [server(443, 'TLS', { hosts: ['*.a.com'], tls: { mode: 'PASSTHROUGH' } })],
    [
      virtualService({ hosts: ['x.a.com'], tls: [{ match: [{ sniHosts: ['x.a.com'], port: 443 }], route: toB }] }),
      virtualService({ hosts: ['y.com'], tls: [{ match: [{ sniHosts: ['y.com'] }], route: toB }] }),
    ],
    { '0.0.0.0_8080': [`[sni x.a.com] → ${clusterB}`] },
  ],
  [
    'TLS ended at the gateway with TCP behind',
    [server(443, 'TLS', { hosts: ['a.com'], tls: simple })],
    [virtualService({ hosts: ['a.com'], tcp: [{ route: toB }] })],
    { '0.0.0.0_8080': [`[sni a.com] tls → ${clusterB}`] },
  ],
  [
    'HTTP before TCP: TCP is left out',
    [server(80, 'HTTP'), server(80, 'TCP')],
    [virtualService({ hosts: ['*'], tcp: [{ route: toB }] })],
    { '0.0.0.0_8080': ['[] → http rds:http.8080'] },
  ],
];

describe('emitGatewayListener', () => {
  it.each(byServers)('%s', (_what, servers, virtualServices, expected) => {
    const summaries = emit(servers, virtualServices).map(summarizeListener);
    expect(Object.fromEntries(summaries.map(({ name, chains }) => [name, chains]))).toEqual(expected);
  });

  it.each<[Server, string[]]>([
    [server(80, 'HTTP'), []],
    [server(443, 'HTTPS', { tls: simple }), ['tls_inspector']],
  ])('inspects only TLS', (first, expected) => {
    expect(summarizeListener(emit([first])[0]!).inspectors).toEqual(expected);
  });

  it('believes nothing of what clients say of themselves', () => {
    const manager = connectionManagerOf(emit([server(80, 'HTTP')])[0]!.filterChains[0])!;
    expect(toEnvoyJson(HttpConnectionManagerSchema, manager)).toMatchObject({
      use_remote_address: true,
      forward_client_cert_details: 'SANITIZE_SET',
      server_name: 'istio-envoy',
    });
  });
});

describe('emitServerTls', () => {
  const tls = (settings: NonNullable<Server['tls']>) => {
    const socket = emitServerTls(settings, ['h2', 'http/1.1']);
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
        cipherSuites: ['AES128-SHA'],
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
  ])('%s', (_what, settings, expected) => {
    expect(tls(settings)).toMatchObject(expected);
  });

  it.each<[string, NonNullable<Server['tls']>]>([
    ['a mode whose certificate comes by SDS', { mode: 'ISTIO_MUTUAL' }],
    ['a credential', { mode: 'SIMPLE', credentialName: 'c', ...files }],
    ['no key', { mode: 'SIMPLE', serverCertificate: '/c.pem' }],
    ['MUTUAL without a CA', { mode: 'MUTUAL', ...files }],
  ])('has none for %s', (_what, settings) => {
    expect(tls(settings)).toBeUndefined();
  });
});

describe('gatewayPorts', () => {
  const one = gateway([server(80, 'HTTP'), server(443, 'HTTPS', { tls: simple })], 'one');
  const two = gateway([server(80, 'HTTP')], 'two');
  const named = (inbound: { servicePort: number; targetPort: number }[]) =>
    [...gatewayPorts([one, two], inbound)].map(([port, servers]) => [
      port,
      ...servers.map((entry) => `${entry.gateway.metadata.name}[${entry.index}]`),
    ]);

  it.each([
    [
      'no Service',
      [],
      [
        [80, 'one[0]', 'two[0]'],
        [443, 'one[1]'],
      ],
    ],
    [
      'a Service that translates 80',
      [{ servicePort: 80, targetPort: 8080 }],
      [
        [443, 'one[1]'],
        [8080, 'one[0]', 'two[0]'],
      ],
    ],
    [
      'two Services with one port',
      [
        { servicePort: 80, targetPort: 8080 },
        { servicePort: 80, targetPort: 8081 },
        { servicePort: 80, targetPort: 8080 },
      ],
      [
        [443, 'one[1]'],
        [8080, 'one[0]', 'two[0]'],
        [8081, 'one[0]', 'two[0]'],
      ],
    ],
  ])('with %s', (_what, inbound, expected) => {
    expect(named(inbound)).toEqual(expected);
  });
});
