import { describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { toEnvoyJson } from '@seine/envoy';
import { RouteActionSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HTTPRouteDestination } from '@seine/istio';
import { defaultMeshConfig } from '@seine/model';
import { activeShares, emitClusterSpecifier } from './emit-weighted-clusters.js';

const scope = { namespace: 'default', port: 9080, tls: false, destinations: new Map(), config: defaultMeshConfig };
const cluster = (subset: string): string => `outbound|9080|${subset}|reviews.default.svc.cluster.local`;
const to = (subset: string, weight?: number, headers?: HTTPRouteDestination['headers']): HTTPRouteDestination => ({
  destination: { host: 'reviews', subset },
  weight,
  headers,
});

describe('weighted routing', () => {
  it.each<[string, HTTPRouteDestination[], boolean, object]>([
    ['a single destination', [to('v1')], false, { cluster: cluster('v1') }],
    ['a single destination of weight 0', [to('v1', 0)], false, { cluster: cluster('v1') }],
    [
      'several by weight; the sum is free',
      [to('v1', 90), to('v2', 20)],
      false,
      {
        weighted_clusters: {
          clusters: [
            { name: cluster('v1'), weight: 90 },
            { name: cluster('v2'), weight: 20 },
          ],
        },
      },
    ],
    ['the only one with a weight', [to('v1', 100), to('v2', 0), to('v3')], false, { cluster: cluster('v1') }],
    [
      'headers of each destination',
      [to('v1', 1, { request: { set: { 'x-a': '1', host: 'a.com' } } }), to('v2', 1)],
      false,
      {
        weighted_clusters: {
          clusters: [
            {
              name: cluster('v1'),
              weight: 1,
              request_headers_to_add: [
                { header: { key: 'x-a', value: '1' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
              ],
              host_rewrite_literal: 'a.com',
            },
            { name: cluster('v2'), weight: 1 },
          ],
        },
      },
    ],
    [
      "the route's host rewrite holds for all",
      [to('v1', 1, { request: { set: { host: 'a.com' } } }), to('v2', 1)],
      true,
      {
        weighted_clusters: {
          clusters: [
            { name: cluster('v1'), weight: 1 },
            { name: cluster('v2'), weight: 1 },
          ],
        },
      },
    ],
  ])('%s', (_, routes, hostRewritten, expected) => {
    const clusterSpecifier = emitClusterSpecifier(activeShares(routes, scope), hostRewritten);
    expect(toEnvoyJson(RouteActionSchema, create(RouteActionSchema, { clusterSpecifier }))).toEqual(expected);
  });

  it.each([[[]], [[to('v1', 0), to('v2', 0)]]])('nobody serves %j', (routes) => {
    expect(activeShares(routes, scope)).toEqual([]);
  });
});
