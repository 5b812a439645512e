import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationOf } from '@seine/envoy';
import {
  type RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { OutboundFallback } from './outbound-fallback.js';

type RouteInit = MessageInitShape<typeof RouteSchema>;

/**
 * The virtual host for hosts no other knows: `allow_any` sends them to the fallback's cluster, `block_all` answers 502.
 * @param connect whether CONNECT requests come too: they have no path, so the other route does not take them
 */
export function catchAllVirtualHost({ http }: OutboundFallback, connect: boolean): VirtualHost {
  const name = http === undefined ? 'block_all' : 'allow_any';
  const forward = (upgrade: object) => ({
    case: 'route' as const,
    value: {
      clusterSpecifier: { case: 'cluster' as const, value: http ?? '' },
      timeout: durationOf(0),
      maxGrpcTimeout: durationOf(0),
      ...upgrade,
    },
  });
  const action = (upgrade: object): RouteInit['action'] =>
    http === undefined ? { case: 'directResponse', value: { status: 502 } } : forward(upgrade);
  const tunnel: RouteInit = {
    name,
    match: { pathSpecifier: { case: 'connectMatcher', value: {} } },
    action: action({ upgradeConfigs: [{ upgradeType: 'CONNECT', connectConfig: {} }] }),
  };
  return create(VirtualHostSchema, {
    name,
    domains: ['*'],
    routes: [
      ...(connect ? [tunnel] : []),
      { name, match: { pathSpecifier: { case: 'prefix', value: '/' } }, action: action({}) },
    ],
    includeRequestAttemptCount: true,
  });
}
