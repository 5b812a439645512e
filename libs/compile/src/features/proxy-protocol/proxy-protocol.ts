import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import { type TransportSocket, TransportSocketSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { ProxyProtocolConfig_Version } from '@seine/envoy/envoy/config/core/v3/proxy_protocol_pb.js';
import { ProxyProtocolUpstreamTransportSchema } from '@seine/envoy/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js';
import { RawBufferSchema } from '@seine/envoy/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js';
import type { TrafficPolicy } from '@seine/istio';

/**
 * `proxyProtocol`: each connection to the destination begins with a PROXY protocol header (V1 unless stated) that tells
 * the client's address, in front of what the inner socket sends (plain text where there is none).
 */
export function wrapInProxyProtocol(
  { version }: NonNullable<TrafficPolicy['proxyProtocol']>,
  inner: TransportSocket | undefined,
): TransportSocket {
  const plain = create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.raw_buffer',
    configType: { case: 'typedConfig', value: toAny(RawBufferSchema, {}) },
  });
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.upstream_proxy_protocol',
    configType: {
      case: 'typedConfig',
      value: toAny(ProxyProtocolUpstreamTransportSchema, {
        config: { version: version === 'V2' ? ProxyProtocolConfig_Version.V2 : ProxyProtocolConfig_Version.V1 },
        transportSocket: inner ?? plain,
      }),
    },
  });
}
