import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { HttpConnectionManagerSchema } from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { DestinationRule, Gateway, Server, VirtualService } from '@seine/istio';
import { defaultMeshConfig } from '@seine/model';
import { aService, connectionManagerOf, summarizeListener } from '@seine/testing';
import { emitGatewayListener } from './gateway-listeners.js';
import { gatewayPorts } from './gateway-ports.js';

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

const inside = aService({
  name: 'in',
  host: 'in.default.svc.cluster.local',
  ports: [
    { port: 9080, name: 'http', protocol: 'HTTP' },
    { port: 53, name: 'dns', protocol: 'UDP' },
  ],
});
const rule: DestinationRule = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: 'in', namespace: 'default' },
  spec: { host: 'in', subsets: [{ name: 'v1', labels: { version: 'v1' } }] },
};

function emit(servers: Server[], l4VirtualServices: VirtualService[] = []) {
  const owner = gateway(servers);
  return emitGatewayListener({
    bindPort: 8080,
    servers: servers.map((_server, index) => ({ gateway: owner, index })),
    l4VirtualServices,
    destinations: [],
    reachable: [
      { host: inside.host, service: inside, rule },
      { host: 'out.local', service: aService({ ...inside, host: 'out.local', external: true }), rule: undefined },
      { host: 'in.com', service: aService({ ...inside, host: 'in.com' }), rule: undefined },
    ],
    config: defaultMeshConfig,
  });
}

const toB = [{ destination: { host: 'b', port: { number: 9000 } } }];
const clusterB = 'tcp outbound|9000||b.default.svc.cluster.local';
const meshAlpn = 'istio|istio-peer-exchange|istio-http/1.0|istio-http/1.1|istio-h2';
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
  [
    'a credential that comes by SDS',
    [server(443, 'HTTPS', { hosts: ['a.com'], tls: { mode: 'SIMPLE', credentialName: 'c' } })],
    [],
    { '0.0.0.0_8080': ['[sni a.com] tls → http rds:https.443.https-443.gw.default'] },
  ],
  ['the mesh identity without an agent', [server(443, 'HTTPS', { tls: { mode: 'ISTIO_MUTUAL' } })], [], {}],
  [
    'AUTO_PASSTHROUGH, for the services that the hosts cover',
    [server(15443, 'TLS', { hosts: ['*.local'], tls: { mode: 'AUTO_PASSTHROUGH' } })],
    [],
    {
      '0.0.0.0_8080': [
        `[sni outbound_.9080_._.in.default.svc.cluster.local, ${meshAlpn}] → tcp outbound_.9080_._.in.default.svc.cluster.local`,
        `[sni outbound_.9080_.v1_.in.default.svc.cluster.local, ${meshAlpn}] → tcp outbound_.9080_.v1_.in.default.svc.cluster.local`,
      ],
    },
  ],
  [
    'AUTO_PASSTHROUGH beside other TLS servers',
    [
      server(443, 'HTTPS', { hosts: ['a.com'], tls: simple }),
      server(443, 'TLS', { hosts: ['in.default.svc.cluster.local'], tls: { mode: 'AUTO_PASSTHROUGH' } }),
    ],
    [],
    {
      '0.0.0.0_8080': [
        '[sni a.com] tls → http rds:https.443.https-443.gw.default',
        `[sni outbound_.9080_._.in.default.svc.cluster.local, ${meshAlpn}] → tcp outbound_.9080_._.in.default.svc.cluster.local`,
        `[sni outbound_.9080_.v1_.in.default.svc.cluster.local, ${meshAlpn}] → tcp outbound_.9080_.v1_.in.default.svc.cluster.local`,
      ],
    },
  ],
  [
    'a unix socket',
    [server(0, 'HTTP', { bind: 'unix:///run/gw.sock' })],
    [],
    { 'unix:///run/gw.sock_8080': ['[] → http rds:http.8080.unix:///run/gw.sock'] },
  ],
  [
    'matches that only sidecars can answer',
    [server(31400, 'TCP')],
    [
      virtualService({
        hosts: ['*'],
        tcp: [{ match: [{ sourceNamespace: 'other', sourceLabels: { a: 'b' } }], route: toB }],
      }),
    ],
    { '0.0.0.0_8080': [`[] → ${clusterB}`] },
  ],
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
