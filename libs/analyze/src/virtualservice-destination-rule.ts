import { fieldsOf, itemsOf, textOf } from '@seine/k8s';
import { hostMatches } from '@seine/model';
import type { Catalogue } from './frame/catalogue.js';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { destinationsOf } from './lookup/destinations.js';
import { hostIn } from './lookup/hosts.js';

interface KnownSubsets {
  /** By host or wildcard, as rules name it. */
  readonly byHost: ReadonlyMap<string, ReadonlySet<string>>;
  readonly wildcards: readonly (readonly [pattern: string, names: ReadonlySet<string>])[];
}

function knownSubsets(catalogue: Catalogue): KnownSubsets {
  const found = new Map<string, Set<string>>();
  for (const rule of catalogue.all(kinds.destinationRule)) {
    const spec = fieldsOf(rule.spec);
    const host = hostIn(rule, spec['host'], catalogue.clusterDomain);
    const names = found.get(host) ?? new Set();
    for (const subset of itemsOf(spec['subsets'])) names.add(textOf(subset['name']));
    found.set(host, names);
  }
  return { byHost: found, wildcards: [...found].filter(([host]) => host.startsWith('*')) };
}

/** A subset may come from a rule for a wider host. */
function hasSubset(catalogue: Catalogue, host: string, subset: string): boolean {
  const { byHost, wildcards } = catalogue.derive(knownSubsets);
  if (byHost.get(host)?.has(subset)) return true;
  return wildcards.some(([pattern, names]) => names.has(subset) && hostMatches(pattern, host));
}

export const virtualserviceDestinationRule: Analyzer = {
  name: 'virtualservice.DestinationRuleAnalyzer',
  description: 'Destinations of VirtualServices whose subset no DestinationRule defines.',
  scope: 'mesh',
  analyze(catalogue, report) {
    for (const object of catalogue.all(kinds.virtualService))
      for (const { path, destination, mirror } of destinationsOf(object)) {
        const subset = textOf(destination['subset']);
        const host = textOf(destination['host']);
        if (subset === '' || hasSubset(catalogue, hostIn(object, host, catalogue.clusterDomain), subset)) continue;
        const reftype = `${mirror ? 'mirror' : 'host'}+subset in destinationrule`;
        const remedy = 'a DestinationRule for this host must define the subset';
        report(
          'ReferencedResourceNotFound',
          object,
          { reftype, refval: `${host}+${subset}`, remedy },
          `${path}.subset`,
        );
      }
  },
};
