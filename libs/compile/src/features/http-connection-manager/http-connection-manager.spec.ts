import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { HttpConnectionManagerSchema } from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { defaultMeshConfig, type MeshConfig } from '@seine/model';
import { chainContext, type ChainRole } from '../../inputs.js';
import { emitHttpConnectionManager, type HttpConnectionManagerOptions } from './http-connection-manager.js';

const contextOf = (role: ChainRole) => chainContext(role, { config: defaultMeshConfig });

function manager(options: Partial<HttpConnectionManagerOptions>) {
  const filter = emitHttpConnectionManager({
    statPrefix: 'outbound_0.0.0.0_80',
    routes: '80',
    context: contextOf('outbound'),
    ...options,
  });
  if (filter.configType.case !== 'typedConfig') throw new Error('no config');
  return toEnvoyJson(HttpConnectionManagerSchema, anyUnpack(filter.configType.value, HttpConnectionManagerSchema)!);
}

describe('emitHttpConnectionManager', () => {
  it.each<[ChainRole, object]>([
    ['outbound', { use_remote_address: false }],
    [
      'inbound',
      {
        use_remote_address: false,
        server_name: 'istio-envoy',
        forward_client_cert_details: 'APPEND_FORWARD',
        set_current_client_cert_details: { subject: true, dns: true, uri: true },
      },
    ],
    [
      'gateway',
      {
        use_remote_address: true,
        server_name: 'istio-envoy',
        forward_client_cert_details: 'SANITIZE_SET',
        set_current_client_cert_details: { subject: true, cert: true, dns: true, uri: true },
      },
    ],
  ])('%s', (role, expected) => {
    expect(manager({ context: contextOf(role) })).toMatchObject({
      stat_prefix: 'outbound_0.0.0.0_80;',
      normalize_path: true,
      stream_idle_timeout: '0s',
      proxy_100_continue: true,
      generate_request_id: true,
      upgrade_configs: [{ upgrade_type: 'websocket' }],
      rds: {
        route_config_name: '80',
        config_source: { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' },
      },
      ...expected,
    });
  });

  it.each<[MeshConfig['pathNormalization'], object]>([
    [undefined, { normalize_path: true }],
    ['DEFAULT', { normalize_path: true }],
    ['NONE', { normalize_path: false }],
    ['BASE', { normalize_path: true }],
    ['MERGE_SLASHES', { normalize_path: true, merge_slashes: true }],
    [
      'DECODE_AND_MERGE_SLASHES',
      { normalize_path: true, merge_slashes: true, path_with_escaped_slashes_action: 'UNESCAPE_AND_FORWARD' },
    ],
  ])('normalizes paths as pathNormalization %s says', (pathNormalization, expected) => {
    const found = manager({
      context: chainContext('outbound', { config: { ...defaultMeshConfig, pathNormalization } }),
    });
    const settings = Object.entries(found as object).filter(([name]) => /path|slashes/.test(name));
    expect(Object.fromEntries(settings)).toEqual(expected);
  });

  it('leaves the server header of an outbound manager to Envoy’s default', () => {
    expect(manager({})).not.toHaveProperty('server_name');
  });

  const filters = ['grpc_stats', 'fault', 'cors', 'router'];
  it.each<[string, Partial<HttpConnectionManagerOptions>, string[]]>([
    ['a sidecar', {}, filters],
    ['a gRPC-Web port', { grpcWeb: true }, ['grpc_web', ...filters]],
    ['a gateway', { context: contextOf('gateway') }, ['grpc_web', ...filters]],
  ])('of %s has the filters in order', (_what, options, expected) => {
    const { http_filters } = manager(options) as { http_filters: { name: string }[] };
    expect(http_filters.map(({ name }) => name)).toEqual(expected.map((name) => `envoy.filters.http.${name}`));
  });
});
