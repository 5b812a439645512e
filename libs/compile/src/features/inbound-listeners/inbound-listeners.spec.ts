import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import type { Sidecar } from '@seine/istio';
import { defaultMeshConfig, type InboundPort, type Protocol, type Proxy } from '@seine/model';
import { aProxy, aWorkload, summarizeListener } from '@seine/testing';
import { emitBoundInboundListeners, emitVirtualInbound } from './inbound-listeners.js';
import { emitInboundRoute } from './inbound-route.js';

const http = 'raw_buffer, http/1.1|h2c|http/1.0';

function port(targetPort: number, protocol: Protocol, servicePort = targetPort): InboundPort {
  return { targetPort, servicePort, serviceHost: 'reviews.default.svc.cluster.local', portName: 'p', protocol };
}

function input(inbound: InboundPort[], proxy: Partial<Proxy> = {}, sidecar?: Sidecar) {
  return { proxy: aProxy(proxy), workload: aWorkload({ inbound }), sidecar, config: defaultMeshConfig };
}

const blackhole = '[port 15006] → tcp BlackHoleCluster';
const passthrough = [
  `[${http}] → http inline:InboundPassthroughCluster`,
  '[raw_buffer] → tcp InboundPassthroughCluster',
  '[tls] → tcp InboundPassthroughCluster',
];

const chainSets: [Protocol, string[]][] = [
  ['HTTP', ['raw_buffer] → http inline:inbound|9080||']],
  ['GRPC', ['raw_buffer] → http inline:inbound|9080||']],
  ['TCP', ['] → tcp inbound|9080||']],
  ['HTTPS', ['] → tcp inbound|9080||']],
  ['auto', [`${http}] → http inline:inbound|9080||`, 'raw_buffer] → tcp inbound|9080||', 'tls] → tcp inbound|9080||']],
];
const withPort = (chain: string) => (chain.startsWith(']') ? `[port 9080${chain}` : `[port 9080, ${chain}`);

describe('emitVirtualInbound', () => {
  it.each(chainSets)('gives a %s port its chains', (protocol, chains) => {
    const summary = summarizeListener(emitVirtualInbound(input([port(9080, protocol)])));
    expect(summary).toEqual({
      name: 'virtualInbound',
      inspectors: ['original_dst', 'tls_inspector', 'http_inspector'],
      chains: [blackhole, ...passthrough, ...chains.map(withPort)],
    });
  });

  it.each<[string, InboundPort[], string[]]>([
    ['no ports', [], []],
    ['the port of the listener itself', [port(15006, 'HTTP')], []],
    ['UDP', [port(53, 'UDP')], []],
    ['two services on one port', [port(9080, 'TCP'), port(9080, 'HTTP')], ['[port 9080] → tcp inbound|9080||']],
    [
      'several ports, in order',
      [port(9090, 'TCP'), port(9080, 'TCP')],
      ['[port 9080] → tcp inbound|9080||', '[port 9090] → tcp inbound|9090||'],
    ],
  ])('with %s', (_what, ports, expected) => {
    expect(summarizeListener(emitVirtualInbound(input(ports))).chains.slice(4)).toEqual(expected);
  });

  it('waits for no first bytes on ports whose protocol is declared', () => {
    const { listenerFilters } = emitVirtualInbound(input([port(3306, 'TCP'), port(9080, 'HTTP'), port(7070, 'auto')]));
    const ranges = listenerFilters.slice(1).map(({ filterDisabled }) => toText(filterDisabled?.rule.value));
    expect(ranges).toHaveLength(2);
    for (const range of ranges) {
      expect(range).toContain('"start":3306,"end":3307');
      expect(range).toContain('"start":9080,"end":9081');
      expect(range).not.toContain('7070');
    }
  });

  it('keeps the client’s address under TPROXY', () => {
    const listener = emitVirtualInbound(input([], { interceptionMode: 'TPROXY' }));
    expect(listener.transparent).toBe(true);
    expect(summarizeListener(listener).inspectors).toEqual([
      'original_dst',
      'original_src',
      'tls_inspector',
      'http_inspector',
    ]);
  });

  it('takes the ports of a Sidecar’s ingress instead of the services’', () => {
    const sidecar: Sidecar = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Sidecar',
      metadata: { name: 's', namespace: 'default' },
      spec: { ingress: [{ port: { number: 8000, name: 'http', protocol: 'HTTP' }, defaultEndpoint: '127.0.0.1:80' }] },
    };
    expect(summarizeListener(emitVirtualInbound(input([port(9080, 'TCP')], {}, sidecar))).chains.slice(4)).toEqual([
      '[port 8000, raw_buffer] → http inline:inbound|8000||',
    ]);
  });
});

describe('emitBoundInboundListeners', () => {
  const proxy = { interceptionMode: 'NONE', ipAddresses: ['127.0.0.9'] } as const;

  it.each(chainSets)('binds a %s port with the same chains', (protocol, chains) => {
    const listeners = emitBoundInboundListeners(input([port(9080, protocol)], proxy));
    expect(listeners.map(summarizeListener)).toEqual([
      {
        name: '127.0.0.9_9080',
        inspectors: protocol === 'auto' ? ['tls_inspector', 'http_inspector'] : [],
        chains: chains.map((chain) => `[${chain}`),
      },
    ]);
    expect(toEnvoyJson(ListenerSchema, listeners[0]!)).toMatchObject({
      address: { socket_address: { address: '127.0.0.9', port_value: 9080 } },
      bind_to_port: true,
      traffic_direction: 'INBOUND',
    });
  });

  it('has none without an address', () => {
    expect(emitBoundInboundListeners(input([port(9080, 'HTTP')], { ipAddresses: [] }))).toEqual([]);
  });
});

describe('emitInboundRoute', () => {
  const retried = { num_retries: 2, retry_on: 'reset-before-request' };
  it.each<[Protocol, object | undefined]>([
    ['HTTP', retried],
    ['HTTP2', retried],
    ['auto', retried],
    ['GRPC', undefined],
  ])('of a %s port retries by %j', (protocol, retryPolicy) => {
    const route = emitInboundRoute({ ...port(9080, protocol, 80), clusterName: 'inbound|9080||' });
    expect(toEnvoyJson(RouteConfigurationSchema, route)).toEqual({
      name: 'inbound|9080||',
      validate_clusters: false,
      virtual_hosts: [
        {
          name: 'inbound|http|80',
          domains: ['*'],
          routes: [
            {
              name: 'default',
              match: { prefix: '/' },
              decorator: { operation: 'reviews.default.svc.cluster.local:80/*' },
              route: {
                cluster: 'inbound|9080||',
                timeout: '0s',
                max_stream_duration: { max_stream_duration: '0s', grpc_timeout_header_max: '0s' },
                ...(retryPolicy && { retry_policy: retryPolicy }),
              },
            },
          ],
        },
      ],
    });
  });
});

function toText(value: unknown): string {
  return JSON.stringify(value, (key, item: unknown) => (key === '$typeName' ? undefined : item));
}
