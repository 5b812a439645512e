import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { Resolution } from '@seine/model';
import { aService } from '@seine/testing';
import {
  type Discovery,
  type DiscoveryClient,
  discoveryOf,
  emitDiscovery,
  isInline,
  usesEds,
} from './discovery-type.js';

const sidecar: DiscoveryClient = { proxyType: 'sidecar' };
const router: DiscoveryClient = { proxyType: 'router' };
const grpc: DiscoveryClient = { proxyType: 'sidecar', proxyless: true };
const unredirected: DiscoveryClient = { proxyType: 'sidecar', withoutOriginalDestination: true };

const resolved = (resolution: Resolution) => aService({ name: 'a', resolution });

describe('discoveryOf', () => {
  it.each<[Resolution, sidecar: Discovery, router: Discovery, grpc: Discovery | undefined, unredirected: Discovery]>([
    ['static', 'eds', 'eds', 'eds', 'eds'],
    ['dns', 'strict-dns', 'strict-dns', 'logical-dns', 'strict-dns'],
    ['dns-round-robin', 'logical-dns', 'logical-dns', 'logical-dns', 'logical-dns'],
    ['passthrough', 'original-dst', 'eds', 'eds', 'eds'],
    ['dynamic-dns', 'dynamic-forward-proxy', 'dynamic-forward-proxy', undefined, 'dynamic-forward-proxy'],
  ])('%s', (resolution, ...expected) => {
    const found = [sidecar, router, grpc, unredirected].map((client) =>
      discoveryOf(resolved(resolution), undefined, client),
    );
    expect(found).toEqual(expected);
  });

  it('goes to the original destination where the load balancer is PASSTHROUGH', () => {
    const settings = { simple: 'PASSTHROUGH' } as const;
    const found = [sidecar, router, grpc, unredirected].map((client) =>
      discoveryOf(resolved('static'), settings, client),
    );
    expect(found).toEqual(['original-dst', 'eds', 'eds', 'eds']);
  });
});

describe('usesEds', () => {
  it.each<[Resolution, boolean]>([
    ['static', true],
    ['passthrough', true],
    ['dns', false],
    ['dns-round-robin', false],
    ['dynamic-dns', false],
  ])('%s: %p', (resolution, expected) => {
    expect(usesEds(resolved(resolution))).toBe(expected);
  });
});

describe('emitDiscovery', () => {
  const dns = (typed: object) => ({
    cluster_type: {
      name: 'envoy.cluster.dns',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster',
        dns_refresh_rate: '60s',
        respect_dns_ttl: true,
        dns_jitter: '0.100s',
        dns_lookup_family: 'V4_PREFERRED',
        ...typed,
      },
    },
  });

  it.each<[Discovery, proxyless: boolean, expected: object]>([
    [
      'eds',
      false,
      {
        type: 'EDS',
        eds_cluster_config: {
          eds_config: { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' },
          service_name: 'c',
        },
      },
    ],
    ['strict-dns', false, dns({})],
    ['logical-dns', false, dns({ all_addresses_in_single_endpoint: true })],
    ['logical-dns', true, { type: 'LOGICAL_DNS' }],
    ['original-dst', false, { type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED' }],
    [
      'dynamic-forward-proxy',
      false,
      {
        cluster_type: {
          name: 'envoy.clusters.dynamic_forward_proxy',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig',
            dns_cache_config: { name: 'c', dns_refresh_rate: '60s', dns_lookup_family: 'V4_PREFERRED' },
            allow_insecure_cluster_options: true,
          },
        },
        lb_policy: 'CLUSTER_PROVIDED',
      },
    ],
  ])('%s (gRPC library: %p)', (discovery, proxyless, expected) => {
    expect(
      toEnvoyJson(ClusterSchema, create(ClusterSchema, emitDiscovery(discovery, 'c', { proxyless, config: {} }))),
    ).toEqual(expected);
    expect(isInline(discovery)).toBe(discovery.endsWith('dns'));
  });
});
