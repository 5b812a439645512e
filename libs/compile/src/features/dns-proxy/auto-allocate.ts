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
 * An address that somebody has given to a service already (ServiceEntry.status.addresses) is the one it has.
 * Left out are services that ask not to get any, services whose clients must reach the real endpoints (headless, resolution NONE) and wildcard hosts.
 */
export function autoAllocate(services: Iterable<MeshService>): ReadonlyMap<string, string> {
  const hosts = [...services]
    .filter((service) => needsAddress(service) && !service.allocatedAddresses)
    .map((service) => service.host);
  return new Map(
    [...allocatePlaces(hosts, places)].map(([host, place]) => [
      host,
      formatIpv4(first + Math.floor(place / usedOctets) * 256 + (place % usedOctets) + 1),
    ]),
  );
}

/** The service as clients with DNS capture see it; the same object where it has addresses, or gets none. */
export function withAllocatedAddress(service: MeshService, address: string | undefined): MeshService {
  const addresses = service.allocatedAddresses ?? (address === undefined ? undefined : Object.freeze([address]));
  return addresses && needsAddress(service) ? Object.freeze({ ...service, addresses }) : service;
}

function needsAddress({ addresses, headless, host, resolution, autoAllocate: wanted }: MeshService): boolean {
  if (wanted === false) return false;
  const { addresses: own, subnets } = splitAddresses(addresses);
  return own.length + subnets.length === 0 && !headless && resolution !== 'passthrough' && !host.includes('*');
}
