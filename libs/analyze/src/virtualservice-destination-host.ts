import { type ConfigObject, fieldsOf, itemsOf, portOf, textOf, textsOf } from '@seine/k8s';
import type { Catalogue } from './frame/catalogue.js';
import type { Analyzer, Report } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { destinationsOf, type NamedDestination } from './lookup/destinations.js';
import { findHost, hostIn, type KnownHost } from './lookup/hosts.js';
import { fullName } from './lookup/names.js';

function checkPort(object: ConfigObject, named: NamedDestination, host: KnownHost, report: Report): void {
  const { destination, path } = named;
  const written = textOf(destination['host']);
  const port = portOf(fieldsOf(destination['port'])['number']);
  const destPorts = [...new Set(host.ports)];
  if (destination['port'] === undefined) {
    if (destPorts.length < 2) return;
    const about = { destHost: written, destPorts };
    report('VirtualServiceDestinationPortSelectorRequired', object, about, `${path}.host`);
  } else if (port !== undefined && !host.ports.includes(port)) {
    const remedy = `the host has port ${destPorts.join(', ') || 'none'}`;
    const about = { reftype: 'host:port', refval: `${written}:${port}`, remedy };
    report('ReferencedResourceNotFound', object, about, `${path}.port.number`);
  }
}

function checkDestinations(catalogue: Catalogue, object: ConfigObject, report: Report): void {
  for (const named of destinationsOf(object)) {
    const refval = textOf(named.destination['host']);
    const host = refval === '' ? undefined : findHost(catalogue, object, refval);
    if (host) {
      checkPort(object, named, host, report);
      continue;
    }
    const reftype = named.mirror ? 'mirror host' : 'host';
    const remedy = 'a Service or ServiceEntry with this host must exist';
    report('ReferencedResourceNotFound', object, { reftype, refval, remedy }, `${named.path}.host`);
  }
}

/** VirtualServices that route a host of their own by subsets, by that host. */
function routedBySubset(catalogue: Catalogue): ReadonlyMap<string, readonly ConfigObject[]> {
  const found = new Map<string, Set<ConfigObject>>();
  for (const object of catalogue.all(kinds.virtualService)) {
    const { hosts, http } = fieldsOf(object.spec);
    const own = textsOf(hosts).map((host) => hostIn(object, host, catalogue.clusterDomain));
    for (const route of itemsOf(http).flatMap((rule) => itemsOf(rule['route']))) {
      const { host, subset } = fieldsOf(route['destination']);
      const full = hostIn(object, host, catalogue.clusterDomain);
      if (textOf(subset) !== '' && own.includes(full)) found.set(full, (found.get(full) ?? new Set()).add(object));
    }
  }
  return new Map([...found].map(([host, objects]) => [host, [...objects]]));
}

/** Rules of sidecars are not asked by a gateway, which goes straight to the destination that its own rule names. */
function checkSubsets(catalogue: Catalogue, object: ConfigObject, report: Report): void {
  const spec = fieldsOf(object.spec);
  if (textsOf(spec['gateways']).length === 0) return;
  itemsOf(spec['http']).forEach((rule, i) =>
    itemsOf(rule['route']).forEach((route, j) => {
      const { host, subset } = fieldsOf(route['destination']);
      if (textOf(subset) !== '') return;
      const full = hostIn(object, host, catalogue.clusterDomain);
      for (const other of catalogue.derive(routedBySubset).get(full) ?? []) {
        // Its own rules are those that the gateway asks.
        if (other === object) continue;
        const about = { virtualservicesubset: fullName(other), virtualservice: fullName(object) };
        report('IngressRouteRulesNotAffected', object, about, `spec.http[${i}].route[${j}].destination.host`);
      }
    }),
  );
}

export const virtualserviceDestinationHost: Analyzer = {
  name: 'virtualservice.DestinationHostAnalyzer',
  description:
    'Destinations of VirtualServices: hosts and ports that do not exist, and rules that a gateway passes by.',
  scope: 'mesh',
  analyze(catalogue, report) {
    for (const object of catalogue.all(kinds.virtualService)) {
      checkDestinations(catalogue, object, report);
      checkSubsets(catalogue, object, report);
    }
  },
};
