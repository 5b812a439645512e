import { describe, expect, it } from '@jest/globals';
import { encodeResource } from '@seine/envoy';
import { ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import type { VirtualService } from '@seine/istio';
import { defaultMeshConfig, type MeshService, type Protocol } from '@seine/model';
import { aPort, aService, summarizeListener } from '@seine/testing';
import { emitOutboundListener } from './outbound-listeners.js';
import { chainContext } from '../../inputs.js';
import { outboundFallback } from '../outbound-traffic-policy/outbound-fallback.js';
import { emitVirtualOutbound } from './virtual-outbound.js';

const client = { gateway: 'mesh', namespace: 'default', labels: { app: 'client' } };
const config = defaultMeshConfig;
const http = 'raw_buffer, http/1.1|h2c|http/1.0';
const rest = 'default → tcp PassthroughCluster';

function service(name: string, protocol: Protocol, addresses: string[] = [], fields: Partial<MeshService> = {}) {
  return aService({ name, addresses, ports: [aPort(80, protocol)], ...fields });
}

function virtualService(spec: VirtualService['spec']): VirtualService {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'vs', namespace: 'default' },
    spec,
  };
}

function emit(services: readonly MeshService[], l4VirtualServices: readonly VirtualService[] = []) {
  return emitOutboundListener({ port: 80, services, l4VirtualServices, destinations: [], client, config });
}

const cluster = (name: string, subset = '') => `tcp outbound|80|${subset}|${name}.default.svc.cluster.local`;
const older = { creationTimestamp: '2020-01-01T00:00:00Z' };

const byService: [string, MeshService[], Record<string, string[]>][] = [
  [
    'an HTTP service, VIP or not',
    [service('a', 'HTTP', ['10.0.0.1'])],
    { '0.0.0.0_80': [`[${http}] → http rds:80`, rest] },
  ],
  [
    'several HTTP services',
    [service('a', 'HTTP', ['10.0.0.1']), service('b', 'GRPC')],
    { '0.0.0.0_80': [`[${http}] → http rds:80`, rest] },
  ],
  ['a TCP service', [service('a', 'TCP', ['10.0.0.1'])], { '10.0.0.1_80': [`[] → ${cluster('a')}`] }],
  [
    'a TCP service with two addresses and a block',
    [service('a', 'Mongo', ['10.0.0.2', '10.0.0.1/32', '10.1.2.3/16'])],
    {
      '0.0.0.0_80': [`[10.1.0.0/16] → ${cluster('a')}`, rest],
      '10.0.0.1_80': [`[] → ${cluster('a')}`],
      '10.0.0.2_80': [`[] → ${cluster('a')}`],
    },
  ],
  ['a headless TCP service', [service('a', 'TCP', [], { headless: true })], { '0.0.0.0_80': [`[] → ${cluster('a')}`] }],
  ['an unspecified address', [service('a', 'TCP', ['0.0.0.0'])], { '0.0.0.0_80': [`[] → ${cluster('a')}`] }],
  [
    'a sniffed service',
    [service('a', 'auto', ['10.0.0.1'])],
    { '10.0.0.1_80': [`[${http}] → http rds:a.default.svc.cluster.local:80`, `default → ${cluster('a')}`] },
  ],
  [
    'a sniffed service without address beside HTTP',
    [service('a', 'HTTP'), service('b', 'auto')],
    { '0.0.0.0_80': [`[${http}] → http rds:80`, `default → ${cluster('b')}`] },
  ],
  [
    'TLS services without address',
    [service('a', 'TLS', [], { host: 'a.com' }), service('b', 'HTTPS', [], { host: '*.b.com' })],
    { '0.0.0.0_80': ['[sni *.b.com] → tcp outbound|80||*.b.com', '[sni a.com] → tcp outbound|80||a.com', rest] },
  ],
  ['a TLS service with an address', [service('a', 'TLS', ['10.0.0.1'])], { '10.0.0.1_80': [`[] → ${cluster('a')}`] }],
  [
    'TLS beside HTTP',
    [service('a', 'HTTP'), service('b', 'TLS', [], { host: 'b.com' })],
    { '0.0.0.0_80': [`[${http}] → http rds:80`, '[sni b.com] → tcp outbound|80||b.com', rest] },
  ],
  [
    'plain TCP younger than HTTP: HTTP wins',
    [service('a', 'TCP'), service('b', 'HTTP', [], older)],
    { '0.0.0.0_80': [`[${http}] → http rds:80`, rest] },
  ],
  [
    'plain TCP older than HTTP: TCP wins',
    [service('a', 'HTTP'), service('b', 'TCP', [], older)],
    { '0.0.0.0_80': [`[] → ${cluster('b')}`] },
  ],
  [
    'two TCP services with one address: the older wins',
    [service('a', 'TCP', ['10.0.0.1']), service('b', 'TCP', ['10.0.0.1'], older)],
    { '10.0.0.1_80': [`[] → ${cluster('b')}`] },
  ],
  ['UDP', [service('a', 'UDP', ['10.0.0.1'])], {}],
  ['another port', [aService({ name: 'a', ports: [aPort(81)] })], {}],
];

const byRoute: [string, VirtualService['spec'], string[]][] = [
  [
    'weights',
    {
      hosts: ['a'],
      tcp: [
        {
          route: [
            { destination: { host: 'a', subset: 'v1' }, weight: 20 },
            { destination: { host: 'b' }, weight: 80 },
          ],
        },
      ],
    },
    [`[] → ${cluster('a', 'v1')}*20 ${cluster('b').slice(4)}*80`],
  ],
  [
    'a single destination without weight, on its own port',
    { hosts: ['a'], tcp: [{ route: [{ destination: { host: 'a', port: { number: 81 } } }] }] },
    ['[] → tcp outbound|81||a.default.svc.cluster.local'],
  ],
  [
    'subnets, then the service itself',
    {
      hosts: ['a'],
      tcp: [{ match: [{ destinationSubnets: ['10.0.0.0/8', '10.9.9.9/8'] }], route: [{ destination: { host: 'b' } }] }],
    },
    [`[10.0.0.0/8] → ${cluster('b')}`, `[] → ${cluster('a')}`],
  ],
  [
    'the first of two equal matches',
    { hosts: ['a'], tcp: [{ route: [{ destination: { host: 'a' } }] }, { route: [{ destination: { host: 'b' } }] }] },
    [`[] → ${cluster('a')}`],
  ],
  [
    'server names, each once',
    {
      hosts: ['a'],
      tls: [
        { match: [{ sniHosts: ['x.com', 'y.com'], port: 80 }], route: [{ destination: { host: 'a' } }] },
        { match: [{ sniHosts: ['y.com', 'z.com'] }], route: [{ destination: { host: 'b' } }] },
      ],
    },
    [`[sni x.com, sni y.com] → ${cluster('a')}`, `[sni z.com] → ${cluster('b')}`, `[] → ${cluster('a')}`],
  ],
  ...(
    [
      ['another port', { port: 81 }],
      ['another gateway', { gateways: ['gw'] }],
      ['other source labels', { sourceLabels: { app: 'other' } }],
      ['another source namespace', { sourceNamespace: 'other' }],
    ] as const
  ).map(([what, match]): [string, VirtualService['spec'], string[]] => [
    what,
    {
      hosts: ['a'],
      tcp: [
        {
          match: [{ ...match, ...('gateways' in match && { gateways: [...match.gateways] }) }],
          route: [{ destination: { host: 'b' } }],
        },
      ],
    },
    [`[] → ${cluster('a')}`],
  ]),
  [
    'the client’s own labels and port',
    {
      hosts: ['a'],
      tcp: [
        {
          match: [{ port: 80, sourceLabels: { app: 'client' }, gateways: ['mesh'] }],
          route: [{ destination: { host: 'b' } }],
        },
      ],
    },
    [`[] → ${cluster('b')}`],
  ],
  ['another host', { hosts: ['c'], tcp: [{ route: [{ destination: { host: 'b' } }] }] }, [`[] → ${cluster('a')}`]],
  [
    'a gateway only',
    { hosts: ['a'], gateways: ['gw'], tcp: [{ route: [{ destination: { host: 'b' } }] }] },
    [`[] → ${cluster('a')}`],
  ],
];

describe('emitOutboundListener', () => {
  it.each(byService)('%s', (_what, services, expected) => {
    const listeners = emit(services);
    expect(Object.fromEntries(listeners.map(summarizeListener).map(({ name, chains }) => [name, chains]))).toEqual(
      expected,
    );
    expect(listeners.every(({ bindToPort }) => bindToPort === false)).toBe(true);
  });

  it.each(byRoute)('routes a TCP service by %s', (_what, spec, expected) => {
    const [listener] = emit([service('a', 'TCP', ['10.0.0.1'])], [virtualService(spec)]).map(summarizeListener);
    expect(listener?.chains).toEqual(expected);
  });

  it('routes a TLS service by the server names of its VirtualService alone', () => {
    const spec = {
      hosts: ['a.com'],
      tls: [{ match: [{ sniHosts: ['a.com'] }], route: [{ destination: { host: 'b' } }] }],
    };
    const [listener] = emit([service('a', 'TLS', [], { host: 'a.com' })], [virtualService(spec)]).map(
      summarizeListener,
    );
    expect(listener?.chains).toEqual([`[sni a.com] → ${cluster('b')}`, rest]);
  });

  it.each<[Protocol, string[], string[]]>([
    ['HTTP', [], ['tls_inspector', 'http_inspector']],
    ['auto', ['10.0.0.1'], ['tls_inspector', 'http_inspector']],
    ['TLS', [], ['tls_inspector']],
    ['TLS', ['10.0.0.1'], []],
    ['TCP', ['10.0.0.1'], []],
  ])('a %s service at %j is inspected by %j', (protocol, addresses, expected) => {
    const [listener] = emit([service('a', protocol, addresses)]).map(summarizeListener);
    expect(listener?.inspectors).toEqual(expected);
  });

  it('gives the same bytes whatever else changes in its services', () => {
    const bytes = (fields: Partial<MeshService>) =>
      emit([service('a', 'HTTP', [], fields), service('b', 'TCP', ['10.0.0.1'], fields)]).map((listener) =>
        encodeResource(ListenerSchema, listener).toString('base64'),
      );
    expect(bytes({ serviceAccounts: ['sa'], resolution: 'dns' })).toEqual(bytes({}));
  });
});

describe('emitVirtualOutbound', () => {
  it.each([
    ['ALLOW_ANY', 'PassthroughCluster'],
    ['REGISTRY_ONLY', 'BlackHoleCluster'],
  ] as const)('%s sends the unknown to %s', (outboundTrafficPolicy, expected) => {
    const fallback = outboundFallback({ mode: outboundTrafficPolicy }, false);
    const listener = emitVirtualOutbound(fallback, chainContext('outbound', { config }));
    expect(listener.useOriginalDst).toBe(true);
    expect(summarizeListener(listener)).toEqual({
      name: 'virtualOutbound',
      inspectors: [],
      chains: ['[port 15001] → tcp BlackHoleCluster', `[] → tcp ${expected}`],
    });
  });
});
