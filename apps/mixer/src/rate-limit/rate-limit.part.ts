import { unary } from '@seine/h2grpc';
import type { MixerPart } from '../part.js';
import { type RateLimitOptions, RateLimitService } from './rate-limit.service.js';

/** envoy.service.ratelimit.v3.RateLimitService. @param onError is told what is INTERNAL to the proxy */
export function rateLimitPart(options: RateLimitOptions, onError: (error: unknown) => void): MixerPart {
  const service = new RateLimitService(options);
  const path = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';
  return {
    endpoints: [
      {
        path,
        handle: (stream, callerOf) =>
          unary(
            (request, call) => service.shouldRateLimit(request, call.header('ratelimit-policy'), callerOf(call)),
            onError,
          )(stream),
      },
    ],
  };
}
