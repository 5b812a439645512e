import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { toAny } from '@seine/envoy';
import { CorsSchema } from '@seine/envoy/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import { HTTPFaultSchema } from '@seine/envoy/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { FilterConfigSchema as GrpcStatsSchema } from '@seine/envoy/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js';
import { GrpcWebSchema } from '@seine/envoy/envoy/extensions/filters/http/grpc_web/v3/grpc_web_pb.js';
import { RouterSchema } from '@seine/envoy/envoy/extensions/filters/http/router/v3/router_pb.js';
import {
  type HttpFilter,
  HttpFilterSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';

import type { ChainContext } from '../../inputs.js';
import { httpExtensions } from '../traffic-extension/extension-filters.js';
import { emitPeerFilter } from '../peer-metadata/peer-metadata.js';
import { emitAlpnFilter } from '../auto-mtls/alpn.js';
import { emitStatefulSessionFilter, statefulSessionFilter } from '../stateful-session/stateful-session.js';
import { emitMixerFilters } from '../mixer-policy/mixer-policy.js';
import { emitRateLimits } from '../rate-limit/rate-limit.js';
import { emitHttpAuthorization } from '../authorization-policy/authorization-policy.js';
import { emitDiscoveredAuthorization } from '../authorization-policy/discovered-authorization.js';
import { emitRequestAuthentication } from '../request-authentication/request-authentication.js';

export interface HttpFilterOptions {
  /** Translate gRPC-Web of browsers: gateways, and ports that declare it. */
  readonly grpcWeb: boolean;
  readonly context: ChainContext;
}

/** The HTTP filters of a connection manager in the order requests pass them. */
export function emitHttpFilters(options: HttpFilterOptions): HttpFilter[] {
  const extensions = httpExtensions(options.context);
  return [
    // First, so that nothing else sees the header.
    ...emitPeerFilter(options.context),
    ...extensions('AUTHN'),
    // Extensions of AUTHN run before tokens are checked, those of AUTHZ after.
    ...emitRequestAuthentication(options.context),
    ...extensions('AUTHZ'),
    // After tokens, on whose claims the rules may rest.
    ...authorization(options.context),
    // Where Istio's proxies asked Mixer: behind what needs nobody to be asked.
    ...emitMixerFilters(options.context),
    // After the filters that say who asks and whether they may: what those refuse is not counted.
    ...emitRateLimits(options.context),
    ...extensions('STATS'),
    ...extensions('UNSPECIFIED'),
    // Before grpc_stats, which then counts the gRPC messages the browser's request becomes.
    ...(options.grpcWeb ? [filter('envoy.filters.http.grpc_web', toAny(GrpcWebSchema, {}))] : []),
    // Before whatever may answer by itself, so that gRPC calls are counted then too; one counter set for all methods,
    // as method names from clients would be unbounded.
    filter(
      'envoy.filters.http.grpc_stats',
      toAny(GrpcStatsSchema, {
        emitFilterState: true,
        perMethodStatSpecifier: { case: 'statsForAllMethods', value: { value: false } },
      }),
    ),
    // Idle until a route's typed_per_filter_config says delay or abort; before cors, so that an abort hits preflights.
    filter('envoy.filters.http.fault', toAny(HTTPFaultSchema, {})),
    // Idle until a route's typed_per_filter_config has a policy.
    filter('envoy.filters.http.cors', toAny(CorsSchema, {})),
    // Knows by the route's cluster what the request's connection is to offer.
    ...(options.context.policies.mutualTls ? [emitAlpnFilter()] : []),
    ...(options.context.policies.sessions ? [filter(statefulSessionFilter, emitStatefulSessionFilter())] : []),
    // Terminal: sends the request upstream.
    filter('envoy.filters.http.router', toAny(RouterSchema, {})),
  ];
}

function authorization({ policies, config }: ChainContext): HttpFilter[] {
  const { authorization: rules, providerClusters } = policies;
  if (policies.authorizationDiscovered) return [emitDiscoveredAuthorization()];
  return rules.length === 0 ? [] : emitHttpAuthorization({ policies: rules, config, providerClusters });
}

function filter(name: string, config: Any): HttpFilter {
  return create(HttpFilterSchema, { name, configType: { case: 'typedConfig', value: config } });
}
