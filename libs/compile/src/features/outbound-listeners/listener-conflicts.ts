import { type Diagnostic, formatObjectRef } from '@seine/diagnostics';
import { isHttp, isTcp, type MeshService, type ServicePort } from '@seine/model';
import { splitAddresses } from './service-addresses.js';

interface Claim {
  readonly service: MeshService;
  readonly port: ServicePort;
}

const everyAddress = 'every address';

/** Where the connections of a port are caught: at the service's addresses, or wherever they go. UDP and TLS do not contend. */
function placesOf({ service, port }: Claim): readonly string[] {
  if (isHttp(port.protocol)) return [everyAddress];
  if (!isTcp(port.protocol)) return [];
  const { addresses, subnets } = splitAddresses(service.addresses);
  return addresses.length + subnets.length > 0 ? addresses : [everyAddress];
}

function claimsByPlace(services: Iterable<MeshService>): ReadonlyMap<string, readonly Claim[]> {
  const found = new Map<string, Claim[]>();
  for (const service of services)
    for (const port of service.ports) {
      const claim = { service, port };
      for (const place of placesOf(claim)) {
        const key = `${port.port} ${place}`;
        const list = found.get(key);
        if (list) list.push(claim);
        else found.set(key, [claim]);
      }
    }
  return found;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byAge(a: Claim, b: Claim): number {
  return compare(a.service.creationTimestamp, b.service.creationTimestamp) || compare(a.service.host, b.service.host);
}

function lost({ service, port }: Claim, winner: Claim): Diagnostic {
  const place = isHttp(port.protocol) || splitAddresses(service.addresses).addresses.length === 0;
  const shared = place ? 'neither has an address of its own there' : 'both claim the same address';
  return {
    severity: 'warning',
    code: 'SEINE-LISTENER-CONFLICT',
    message: `Port ${port.port} (${port.protocol}) of ${service.host} cannot be told apart from that (${winner.port.protocol}) of ${winner.service.host}, as ${shared}; ${formatObjectRef(winner.service.origin)} is older and gets the connections. Use another port, or give the TCP service an address.`,
    object: service.origin,
    path: 'spec.ports',
  };
}

/**
 * Ports that lose their outbound listener to those of older services: plain TCP without an address beside other TCP, or
 * beside HTTP, which is caught at every address. What can be told apart (HTTP by its hosts, TLS by SNI, TCP by its
 * address) does not contend.
 * @param services as one client sees them
 */
export function listenerConflicts(services: Iterable<MeshService>): readonly Diagnostic[] {
  return [...claimsByPlace(services)]
    .sort(([a], [b]) => compare(a, b))
    .flatMap(([, claims]) => {
      if (claims.every(({ port }) => isHttp(port.protocol))) return [];
      const [winner, ...others] = [...claims].sort(byAge);
      if (!winner) return [];
      const http = isHttp(winner.port.protocol);
      return others
        .filter(({ port, service }) => service !== winner.service && !(http && isHttp(port.protocol)))
        .map((claim) => lost(claim, winner));
    });
}
