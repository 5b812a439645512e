import { type ConfigObject, fieldsOf, textsOf } from '@seine/k8s';
import { fullyQualify } from '@seine/model';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { groupBy } from './lookup/group-by.js';
import { hostsOverlap } from './lookup/hosts.js';
import { fullName } from './lookup/names.js';
import { everywhere, scopesOf } from './lookup/scopes.js';

interface ClaimedHost {
  readonly object: ConfigObject;
  readonly scope: string;
  readonly host: string;
  readonly path: string;
}

/** The hosts that a VirtualService claims for sidecars, for each namespace that sees it. */
function claimedHosts(object: ConfigObject, clusterDomain: string): readonly ClaimedHost[] {
  const spec = fieldsOf(object.spec);
  const gateways = textsOf(spec['gateways']);
  if (gateways.length > 0 && !gateways.includes('mesh')) return [];
  const { namespace } = object.metadata;
  return scopesOf(textsOf(spec['exportTo']), namespace).flatMap((scope) =>
    textsOf(spec['hosts']).map((host, i) => ({
      object,
      scope,
      host: fullyQualify(host, namespace, clusterDomain),
      path: `spec.hosts[${i}]`,
    })),
  );
}

export const virtualserviceConflictingMeshGatewayHosts: Analyzer = {
  name: 'virtualservice.ConflictingMeshGatewayHostsAnalyzer',
  description: 'VirtualServices that claim the same host for sidecars.',
  scope: 'mesh',
  analyze(catalogue, report) {
    const all = catalogue.all(kinds.virtualService).flatMap((object) => claimedHosts(object, catalogue.clusterDomain));
    const ofAll = all.filter(({ scope }) => scope === everywhere);
    const told = new Set<ConfigObject>();
    for (const group of groupBy(all, ({ scope, host }) => `${scope}/${host}`).values()) {
      const [first] = group;
      if (!first) continue;
      const wider = first.scope === everywhere ? [] : ofAll.filter(({ host }) => hostsOverlap(first.host, host));
      const claims = [...group, ...wider];
      const names = [...new Set(claims.map(({ object }) => fullName(object)))].sort();
      if (names.length < 2) continue;
      const about = { virtualServices: names, host: `${first.scope}/${first.host}` };
      for (const { object, path } of claims) {
        if (told.has(object)) continue;
        told.add(object);
        report('ConflictingMeshGatewayVirtualServiceHosts', object, about, path);
      }
    }
  },
};
