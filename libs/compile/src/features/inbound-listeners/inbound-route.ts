import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { durationOf } from '@seine/envoy';
import { type RouteConfiguration, RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import type { Protocol } from '@seine/model';

export interface InboundRouteOptions {
  readonly clusterName: string;
  readonly servicePort: number;
  /** Empty for ports no service declares. */
  readonly serviceHost: string;
  readonly protocol: Protocol;
  /** What filters of the chain have of their own for these routes. */
  readonly perFilter?: Readonly<Record<string, Any>> | undefined;
}

/**
 * The routes of one inbound port, inline in its listener: everything to the application. No timeout: the client's
 * sidecar holds it. One stale connection to the application is forgiven by a retry (Istio: `reset-before-request`,
 * as nothing was sent yet), but not to gRPC, whose libraries retry by themselves.
 */
export function emitInboundRoute(options: InboundRouteOptions): RouteConfiguration {
  const grpc = options.protocol === 'GRPC' || options.protocol === 'GRPC-Web';
  const operation = options.serviceHost === '' ? ':0/*' : `${options.serviceHost}:${options.servicePort}/*`;
  return create(RouteConfigurationSchema, {
    name: options.clusterName,
    validateClusters: false,
    virtualHosts: [
      {
        name: `inbound|http|${options.servicePort}`,
        domains: ['*'],
        ...(options.perFilter && { typedPerFilterConfig: options.perFilter }),
        routes: [
          {
            name: 'default',
            match: { pathSpecifier: { case: 'prefix', value: '/' } },
            decorator: { operation },
            action: {
              case: 'route',
              value: {
                clusterSpecifier: { case: 'cluster', value: options.clusterName },
                timeout: durationOf(0),
                maxStreamDuration: { maxStreamDuration: durationOf(0), grpcTimeoutHeaderMax: durationOf(0) },
                ...(!grpc && { retryPolicy: { numRetries: 2, retryOn: 'reset-before-request' } }),
              },
            },
          },
        ],
      },
    ],
  });
}
