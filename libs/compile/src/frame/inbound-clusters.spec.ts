import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { Sidecar } from '@seine/istio';
import { defaultMeshConfig, type InboundPort } from '@seine/model';
import { aProxy, aWorkload } from '@seine/testing';
import type { InboundInput } from '../inputs.js';
import { emitInboundClusters } from './inbound-clusters.js';

const inbound = (targetPort: number, serviceHost: string, protocol: InboundPort['protocol'] = 'HTTP'): InboundPort => ({
  targetPort,
  servicePort: targetPort,
  serviceHost,
  portName: 'p',
  protocol,
});
const workload = aWorkload({
  inbound: [
    inbound(9080, 'a.shop.svc.cluster.local'),
    inbound(9080, 'b.example.com', 'TCP'),
    inbound(9090, 'a.shop.svc.cluster.local', 'GRPC'),
    inbound(9053, 'a.shop.svc.cluster.local', 'UDP'),
  ],
});
const sidecar = (spec: Sidecar['spec']): Sidecar => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'Sidecar',
  metadata: { namespace: 'default', name: 'default' },
  spec,
});

function clusters(input: Partial<InboundInput>): Record<string, unknown>[] {
  const base = { proxy: aProxy(), workload, sidecar: undefined, config: defaultMeshConfig };
  return emitInboundClusters({ ...base, ...input }).map(
    (cluster) => toEnvoyJson(ClusterSchema, cluster) as Record<string, unknown>,
  );
}
const none = aProxy({ interceptionMode: 'NONE', appPorts: new Map([[9080, 19080]]) });
const bind = { source_address: { address: '127.0.0.6', port_value: 0 } };
const at = (address: string, port: number) => ({
  endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address, port_value: port } } } }] }],
});

describe('emitInboundClusters', () => {
  it('goes to the original destination under iptables, from an address that is not caught again', () => {
    const emitted = clusters({});
    expect(emitted.map((cluster) => cluster['name'])).toEqual([
      'inbound|9080||',
      'inbound|9090||',
      'InboundPassthroughCluster',
    ]);
    for (const cluster of emitted)
      expect(cluster).toMatchObject({
        type: 'ORIGINAL_DST',
        lb_policy: 'CLUSTER_PROVIDED',
        upstream_bind_config: bind,
        connect_timeout: '10s',
      });
  });

  it('goes to loopback without iptables, to the port the application really has', () => {
    const emitted = clusters({ proxy: none });
    expect(emitted).toMatchObject([
      { name: 'inbound|9080||', load_assignment: { cluster_name: 'inbound|9080||', ...at('127.0.0.1', 19080) } },
      { name: 'inbound|9090||', load_assignment: at('127.0.0.1', 9090) },
    ]);
    expect(emitted).toHaveLength(2);
    for (const cluster of emitted) expect(cluster).not.toHaveProperty('upstream_bind_config');
  });

  it('speaks HTTP/2 to gRPC ports, and names the services of a port', () => {
    const [http, grpc] = clusters({});
    expect(http).not.toHaveProperty('typed_extension_protocol_options');
    expect(JSON.stringify(grpc?.['typed_extension_protocol_options'])).toContain('http2_protocol_options');
    expect(http).toMatchObject({
      metadata: {
        filter_metadata: {
          istio: {
            services: [
              { host: 'a.shop.svc.cluster.local', name: 'a', namespace: 'shop' },
              { host: 'b.example.com', name: 'b.example.com', namespace: 'default' },
            ],
          },
        },
      },
    });
  });

  it('has no ports of its own for an unknown workload', () => {
    expect(clusters({ workload: undefined }).map((cluster) => cluster['name'])).toEqual(['InboundPassthroughCluster']);
  });

  const port = { number: 9080, protocol: 'HTTP', name: 'http' };
  it.each<[endpoint: string | undefined, proxy: InboundInput['proxy'], expected: object]>([
    ['127.0.0.1:8080', aProxy(), { load_assignment: at('127.0.0.1', 8080) }],
    ['[::1]:8080', aProxy(), { load_assignment: at('::1', 8080) }],
    ['0.0.0.0:8080', aProxy(), { load_assignment: at('10.0.0.1', 8080), upstream_bind_config: bind }],
    [
      'unix:///run/app.sock',
      aProxy(),
      {
        load_assignment: {
          endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: '/run/app.sock' } } } }] }],
        },
      },
    ],
    [undefined, aProxy(), { type: 'ORIGINAL_DST', upstream_bind_config: bind }],
    [undefined, none, { load_assignment: at('127.0.0.1', 19080) }],
    ['127.0.0.1:8080', none, { load_assignment: at('127.0.0.1', 8080) }],
  ])('Sidecar ingress to %p', (defaultEndpoint, proxy, expected) => {
    const [cluster, ...others] = clusters({ proxy, sidecar: sidecar({ ingress: [{ port, defaultEndpoint }] }) });
    expect(cluster).toMatchObject({ name: 'inbound|9080||', ...expected });
    expect(others.map((other) => other['name'])).toEqual(proxy === none ? [] : ['InboundPassthroughCluster']);
  });

  it("takes the Sidecar's connection pools, the listener's own first", () => {
    const pool = (maxConnections: number) => ({ tcp: { maxConnections } });
    const limit = (cluster: Record<string, unknown> | undefined) =>
      JSON.stringify(cluster?.['circuit_breakers']).match(/"max_connections":(\d+)/)?.[1];
    const whole = sidecar({ inboundConnectionPool: pool(5) });
    expect(clusters({ sidecar: whole }).map(limit)).toEqual(['5', '5', '4294967295']);
    const listeners = [{ port, connectionPool: pool(7) }, { port: { ...port, number: 1 } }];
    const each = sidecar({ inboundConnectionPool: pool(5), ingress: listeners });
    expect(clusters({ sidecar: each }).map(limit)).toEqual(['7', '5', '4294967295']);
  });
});
