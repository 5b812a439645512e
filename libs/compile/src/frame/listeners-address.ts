import { type Address, AddressSchema, SocketAddress_Protocol } from '@seine/envoy/envoy/config/core/v3/address_pb.js';
import { create } from '@bufbuild/protobuf';

/** All IPv4 addresses: what listeners bind that are not about one address. */
export const wildcardAddress = '0.0.0.0';

/** How addresses of unix sockets begin. */
export const unixScheme = 'unix://';

/** The socket of `unix:///path`, or the abstract one of `unix://@name`. */
export function pipeAddress(address: string): Address {
  return create(AddressSchema, { address: { case: 'pipe', value: { path: address.slice(unixScheme.length) } } });
}

/** `0.0.0.0_9080`, Istio's name of a TCP listener. */
export function listenerName(address: string, port: number): string {
  return `${address}_${port}`;
}

export function tcpAddress(address: string, port: number): Address {
  return socketAddress(address, port, SocketAddress_Protocol.TCP);
}

export function udpAddress(address: string, port: number): Address {
  return socketAddress(address, port, SocketAddress_Protocol.UDP);
}

function socketAddress(address: string, port: number, protocol: SocketAddress_Protocol): Address {
  return create(AddressSchema, {
    address: {
      case: 'socketAddress',
      value: { protocol, address, portSpecifier: { case: 'portValue', value: port } },
    },
  });
}
