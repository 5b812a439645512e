import { formatIpv4, type MeshService, parseIpv4 } from '@seine/model';
import { allocatePlaces } from '../../frame/listeners-address-pool.js';
import { splitAddresses } from '../outbound-listeners/service-addresses.js';

/** 240.240.0.0/16, class E: routed nowhere, so it can not hide a real host (Istio's block for auto-allocation). */
const first = parseIpv4('240.240.0.0') ?? 0;
/** Addresses that end in .0 or .255 are left out, as some stacks treat them as network or broadcast. */
const usedOctets = 254;
const places = 256 * usedOctets;

/**
 * Virtual addresses for services that have none, by host: what the proxy's DNS answers, and what TCP listeners bind.
 * Left out are services whose clients must reach the real endpoints (headless, resolution NONE) and wildcard hosts.
 */
export function autoAllocate(services: Iterable<MeshService>): ReadonlyMap<string, string> {
  const hosts = [...services].filter(needsAddress).map((service) => service.host);
  return new Map(
    [...allocatePlaces(hosts, places)].map(([host, place]) => [
      host,
      formatIpv4(first + Math.floor(place / usedOctets) * 256 + (place % usedOctets) + 1),
    ]),
  );
}

/** The service as clients with DNS capture see it; the same object where it has addresses, or gets none. */
export function withAllocatedAddress(service: MeshService, address: string | undefined): MeshService {
  return address === undefined || !needsAddress(service)
    ? service
    : Object.freeze({ ...service, addresses: Object.freeze([address]) });
}

function needsAddress({ addresses, headless, host, resolution }: MeshService): boolean {
  const { addresses: own, subnets } = splitAddresses(addresses);
  return own.length + subnets.length === 0 && !headless && resolution !== 'passthrough' && !host.includes('*');
}
