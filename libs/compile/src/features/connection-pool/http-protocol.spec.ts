import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { TrafficPolicy } from '@seine/istio';
import type { Protocol } from '@seine/model';
import { emitHttpProtocol, upstreamProtocol } from './http-protocol.js';

const key = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const http = (settings: object): TrafficPolicy => ({ connectionPool: { http: settings } });
const http1 = { explicit_http_config: { http_protocol_options: {} } };
const http2 = { explicit_http_config: { http2_protocol_options: {} } };
const downstream = { use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} } };

describe('emitHttpProtocol', () => {
  it.each<[Protocol, object, boolean]>([
    ['HTTP', {}, true],
    ['HTTP', { h2UpgradePolicy: 'DEFAULT' }, true],
    ['HTTP', { h2UpgradePolicy: 'DO_NOT_UPGRADE' }, false],
    ['HTTP', { useClientProtocol: true }, false],
    ['TCP', {}, false],
    ['auto', {}, false],
    // Who writes it for a sniffed port knows that it is HTTP.
    ['auto', { h2UpgradePolicy: 'UPGRADE' }, true],
  ])('where the mesh upgrades, %s with %j: %s', (protocol, settings, upgraded) => {
    const pool = { http: settings };
    expect(upstreamProtocol(protocol, pool, { h2UpgradePolicy: 'UPGRADE' }) === 'http2').toBe(upgraded);
  });

  it.each<[what: string, protocol: Protocol, policy: TrafficPolicy, expected: object | undefined]>([
    ['HTTP', 'HTTP', {}, undefined],
    ['TCP', 'TCP', {}, undefined],
    ['HTTP2', 'HTTP2', {}, http2],
    ['GRPC', 'GRPC', {}, http2],
    ['GRPC-Web', 'GRPC-Web', {}, http2],
    ['a sniffed port', 'auto', {}, downstream],
    ['the upgrade', 'HTTP', http({ h2UpgradePolicy: 'UPGRADE' }), http2],
    ['no upgrade', 'HTTP', http({ h2UpgradePolicy: 'DO_NOT_UPGRADE' }), undefined],
    ["the client's protocol", 'HTTP2', http({ useClientProtocol: true }), downstream],
    [
      'times and counts',
      'HTTP',
      {
        connectionPool: {
          tcp: { maxConnectionDuration: '1h' },
          http: { idleTimeout: '30s', maxRequestsPerConnection: 65 },
        },
      },
      {
        common_http_protocol_options: {
          idle_timeout: '30s',
          max_connection_duration: '3600s',
          max_requests_per_connection: 65,
        },
        ...http1,
      },
    ],
    [
      "TCP's idle time where HTTP has none",
      'HTTP',
      { connectionPool: { tcp: { idleTimeout: '5s' } } },
      { common_http_protocol_options: { idle_timeout: '5s' }, ...http1 },
    ],
    [
      'HTTP/2 limits and pings',
      'GRPC',
      http({ maxConcurrentStreams: 7, http2KeepAlive: { interval: '30s', timeout: '5s' } }),
      {
        explicit_http_config: {
          http2_protocol_options: {
            max_concurrent_streams: 7,
            connection_keepalive: { interval: '30s', timeout: '5s' },
          },
        },
      },
    ],
    [
      'HTTP/2 pings without a timeout',
      'HTTP2',
      http({ http2KeepAlive: { interval: '30s' } }),
      {
        explicit_http_config: {
          http2_protocol_options: { connection_keepalive: { interval: '30s', timeout: '20s' } },
        },
      },
    ],
    [
      'SNI from the request',
      'HTTP',
      { tls: { mode: 'SIMPLE' } },
      { upstream_http_protocol_options: { auto_sni: true, auto_san_validation: true }, ...http1 },
    ],
    [
      'SNI from the request, unverified',
      'HTTP',
      { tls: { mode: 'SIMPLE', insecureSkipVerify: true } },
      { upstream_http_protocol_options: { auto_sni: true }, ...http1 },
    ],
    ['a given SNI', 'HTTP', { tls: { mode: 'SIMPLE', sni: 'example.com' } }, undefined],
  ])('%s', (_what, protocol, policy, expected) => {
    const typedExtensionProtocolOptions = emitHttpProtocol(protocol, policy);
    const json = toEnvoyJson(
      ClusterSchema,
      create(ClusterSchema, { typedExtensionProtocolOptions: typedExtensionProtocolOptions ?? {} }),
    );
    expect(json).toEqual(
      expected === undefined
        ? {}
        : { typed_extension_protocol_options: { [key]: { '@type': `type.googleapis.com/${key}`, ...expected } } },
    );
  });

  it('takes status codes that outlier detection counts', () => {
    const options = emitHttpProtocol('HTTP', { outlierDetection: { outlierDetectionHttpErrorCodes: [429] } });
    expect(Object.keys(options ?? {})).toEqual([key]);
  });
});
