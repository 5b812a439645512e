import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { RouterSchema } from '@seine/envoy/envoy/extensions/filters/http/router/v3/router_pb.js';
import { HttpConnectionManagerSchema } from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';

/** The LDS and RDS name that a gRPC library asks for when it dials `xds:///host:port`. */
export function proxylessName(host: string, port: number): string {
  return `${host}:${port}`;
}

/**
 * The API listener of one port of one service, for gRPC libraries that speak xDS themselves (gRFC A27): no address, an
 * HTTP connection manager that names the routes, and the router as the only filter, as libraries refuse what they do not know.
 */
export function emitProxylessListener(host: string, port: number): Listener {
  const name = proxylessName(host, port);
  return create(ListenerSchema, {
    name,
    apiListener: {
      apiListener: toAny(HttpConnectionManagerSchema, {
        statPrefix: name,
        routeSpecifier: {
          case: 'rds',
          value: { routeConfigName: name, configSource: { configSourceSpecifier: { case: 'ads', value: {} } } },
        },
        httpFilters: [
          { name: 'envoy.filters.http.router', configType: { case: 'typedConfig', value: toAny(RouterSchema, {}) } },
        ],
      }),
    },
  });
}
