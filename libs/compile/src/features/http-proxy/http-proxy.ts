import { create } from '@bufbuild/protobuf';
import { TrafficDirection } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import type { Proxy } from '@seine/model';
import type { ChainContext } from '../../inputs.js';
import { listenerName, tcpAddress } from '../../frame/listeners-address.js';
import { emitHttpConnectionManager } from '../http-connection-manager/http-connection-manager.js';

/** The RDS resource with a virtual host for every port of every service, domains with the port. */
export const httpProxyRouteName = 'http_proxy';

/**
 * The bound listener that applications name as their HTTP proxy (INTERCEPTION_MODE NONE): absolute-form requests and
 * CONNECT. Undefined where the proxy has no HTTP_PROXY_PORT or no address.
 */
export function emitHttpProxyListener(
  proxy: Pick<Proxy, 'ipAddresses' | 'httpProxyPort'>,
  context: ChainContext,
): Listener | undefined {
  const address = proxy.ipAddresses[0];
  if (address === undefined || proxy.httpProxyPort === 0) return undefined;
  const name = listenerName(address, proxy.httpProxyPort);
  return create(ListenerSchema, {
    name,
    address: tcpAddress(address, proxy.httpProxyPort),
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [
      {
        filters: [
          emitHttpConnectionManager({
            statPrefix: `outbound_${name}`,
            routes: httpProxyRouteName,
            httpProxy: true,
            context,
          }),
        ],
      },
    ],
  });
}
