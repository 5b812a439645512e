import { durationOf } from '@seine/envoy';
import type { RouteAction } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import { istioMilliseconds } from '../connection-pool/istio-duration.js';

/**
 * `timeout` of a route. Without one there is none (Envoy's own default is 15 s). `max_grpc_timeout` bounds what a gRPC
 * caller asks for by `grpc-timeout`.
 */
export function emitTimeout(timeout: string | undefined): Pick<RouteAction, 'timeout' | 'maxGrpcTimeout'> {
  const milliseconds = timeout === undefined ? 0 : istioMilliseconds(timeout);
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- as Istio: max_stream_duration, its successor, ends streams too
  return { timeout: durationOf(milliseconds), maxGrpcTimeout: durationOf(milliseconds) };
}
