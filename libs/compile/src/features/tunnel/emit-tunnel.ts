import type { MessageInitShape } from '@bufbuild/protobuf';
import type { TcpProxy_TunnelingConfigSchema } from '@seine/envoy/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import type { TrafficPolicy } from '@seine/istio';

/**
 * `tunnel`: the bytes of a connection travel inside an HTTP CONNECT (or POST) request to the destination, a forward proxy,
 * which is asked for `targetHost:targetPort`. It is TCP's alone, hence a setting of listeners and not of clusters.
 */
export function emitTunnel(
  tunnel: TrafficPolicy['tunnel'],
): MessageInitShape<typeof TcpProxy_TunnelingConfigSchema> | undefined {
  if (!tunnel) return undefined;
  const { protocol, targetHost, targetPort } = tunnel;
  const host = targetHost.includes(':') ? `[${targetHost}]` : targetHost;
  return { hostname: `${host}:${targetPort}`, usePost: protocol === 'POST' };
}
