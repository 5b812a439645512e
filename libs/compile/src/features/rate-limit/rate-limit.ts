import type { HttpFilter } from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { ChainContext } from '../../inputs.js';
import { emitGlobalRateLimits } from './global-rate-limit.js';
import { emitLocalRateLimits } from './local-rate-limit.js';

/**
 * The filters of the RateLimits that select a proxy, for what it takes in: a sidecar's inbound requests, a gateway's.
 * Those that a proxy decides by itself come first, so that what they refuse is not asked of a service.
 */
export function emitRateLimits({ role, policies, config }: ChainContext): HttpFilter[] {
  if (role === 'outbound') return [];
  const { rateLimits } = policies;
  return [
    ...rateLimits.flatMap(emitLocalRateLimits),
    ...rateLimits.flatMap((rateLimit) => emitGlobalRateLimits(rateLimit, config)),
  ];
}
