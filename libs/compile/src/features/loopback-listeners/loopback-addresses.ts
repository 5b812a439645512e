import {
  formatIpv4,
  isHttp,
  isHttp2,
  type MeshService,
  parseCidr,
  parseIpv4,
  type Proxy,
  type ServicePort,
} from '@seine/model';
import { allocatePlaces } from '../../frame/listeners-address-pool.js';

/** The first address of the block that services get; those below are for the proxy and the application themselves. */
const firstHost = 10;

/**
 * Whether clients reach the port by an address of its own (INTERCEPTION_MODE NONE): TCP, TLS, sniffed ports, and HTTP/2
 * with prior knowledge (gRPC), whose libraries name no HTTP proxy. HTTP/1 goes through the HTTP proxy listener.
 */
export function usesLoopback({ protocol }: ServicePort): boolean {
  return protocol !== 'UDP' && (!isHttp(protocol) || isHttp2(protocol));
}

/**
 * The loopback address of each service, by host: a place in the proxy's SEINE_OUTBOUND_CIDR chosen by the hash of the
 * host, from `.10` up to the block's last but one. It depends on no other service, except where two hosts collide.
 * Wildcard hosts get none, nor does anything where the proxy has no IPv4 block.
 */
export function loopbackAddresses(
  proxy: Pick<Proxy, 'outboundCidr'>,
  services: Iterable<MeshService>,
): ReadonlyMap<string, string> {
  const cidr = parseCidr(proxy.outboundCidr);
  const bits = cidr && parseIpv4(cidr.address);
  if (!cidr || bits === undefined) return new Map();
  const blockSize = 2 ** (32 - cidr.prefixLength);
  const base = Math.floor(bits / blockSize) * blockSize + firstHost;
  const places = Math.max(0, blockSize - firstHost - 1);
  const hosts = [...services].filter((service) => !service.host.includes('*') && service.ports.some(usesLoopback));
  return new Map(
    [
      ...allocatePlaces(
        hosts.map((service) => service.host),
        places,
      ),
    ].map(([host, place]) => [host, formatIpv4(base + place)]),
  );
}
