/** Every listener of every kind of proxy. */
export { autoAllocate, withAllocatedAddress } from '../features/dns-proxy/auto-allocate.js';
export { type DnsListenerInput, emitDnsListener } from '../features/dns-proxy/dns-listener.js';
export { emitGatewayListener } from '../features/gateway-listeners/gateway-listeners.js';
export { gatewayPorts } from '../features/gateway-listeners/gateway-ports.js';
export { emitHttpProxyListener, httpProxyRouteName } from '../features/http-proxy/http-proxy.js';
export { emitBoundInboundListeners, emitVirtualInbound } from '../features/inbound-listeners/inbound-listeners.js';
export { inboundPorts } from '../features/inbound-listeners/inbound-ports.js';
export { loopbackAddresses, usesLoopback } from '../features/loopback-listeners/loopback-addresses.js';
export {
  emitLoopbackListeners,
  type LoopbackListenersInput,
} from '../features/loopback-listeners/loopback-listeners.js';
export { emitOutboundListener, serviceRouteName } from '../features/outbound-listeners/outbound-listeners.js';
export { listenerConflicts } from '../features/outbound-listeners/listener-conflicts.js';
export { emitVirtualOutbound } from '../features/outbound-listeners/virtual-outbound.js';
