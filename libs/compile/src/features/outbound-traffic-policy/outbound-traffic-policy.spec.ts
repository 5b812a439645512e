import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { VirtualHostSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import { catchAllVirtualHost } from './catch-all-virtual-host.js';
import { type OutboundFallback, outboundFallback, type OutboundPolicy } from './outbound-fallback.js';

const squid = 'outbound|3128||squid.shop.svc.cluster.local';

describe('outboundFallback', () => {
  it.each<[OutboundPolicy, boolean, OutboundFallback]>([
    [{ mode: 'ALLOW_ANY' }, false, { http: 'PassthroughCluster', tcp: 'PassthroughCluster' }],
    [{ mode: 'ALLOW_ANY' }, true, { http: 'AllowAnyDynamicDNSCluster', tcp: 'PassthroughCluster' }],
    [{ mode: 'ALLOW_ANY', egressProxy: squid }, false, { http: squid, tcp: squid }],
    [{ mode: 'ALLOW_ANY', egressProxy: squid }, true, { http: squid, tcp: squid }],
    [{ mode: 'REGISTRY_ONLY' }, false, { http: undefined, tcp: 'BlackHoleCluster' }],
    [{ mode: 'REGISTRY_ONLY' }, true, { http: undefined, tcp: 'BlackHoleCluster' }],
    // Istio: egressProxy is valid only with ALLOW_ANY.
    [{ mode: 'REGISTRY_ONLY', egressProxy: squid }, false, { http: undefined, tcp: 'BlackHoleCluster' }],
  ])('%j, without original destination: %s', (policy, explicit, expected) => {
    expect(outboundFallback(policy, explicit)).toEqual(expected);
  });
});

describe('catchAllVirtualHost', () => {
  const forwarded = { cluster: 'c', timeout: '0s', max_grpc_timeout: '0s' };
  const tunnel = { ...forwarded, upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }] };
  const refused = { direct_response: { status: 502 } };

  it.each([
    ['allow_any', 'c', false, [{ match: { prefix: '/' }, route: forwarded }]],
    ['block_all', undefined, false, [{ match: { prefix: '/' }, ...refused }]],
    [
      'allow_any',
      'c',
      true,
      [
        { match: { connect_matcher: {} }, route: tunnel },
        { match: { prefix: '/' }, route: forwarded },
      ],
    ],
    [
      'block_all',
      undefined,
      true,
      [
        { match: { connect_matcher: {} }, ...refused },
        { match: { prefix: '/' }, ...refused },
      ],
    ],
  ])('%s (to %s, CONNECT: %s)', (name, http, connect, routes) => {
    expect(toEnvoyJson(VirtualHostSchema, catchAllVirtualHost({ http, tcp: 'any' }, connect))).toEqual({
      name,
      domains: ['*'],
      include_request_attempt_count: true,
      routes: routes.map((route) => ({ name, ...route })),
    });
  });
});
