import { unary } from '@seine/h2grpc';
import type { MixerPart } from '../part.js';
import { type CheckOptions, CheckService } from './check.service.js';

/** envoy.service.auth.v3.Authorization. @param onError is told what is INTERNAL to the proxy */
export function checkPart(options: CheckOptions, onError: (error: unknown) => void): MixerPart {
  const service = new CheckService(options);
  return {
    endpoints: [
      {
        path: '/envoy.service.auth.v3.Authorization/Check',
        handle: (stream, callerOf) =>
          unary(
            (request, call) => service.check(request, callerOf(call), (name) => call.header(name)),
            onError,
          )(stream),
      },
    ],
  };
}
