import { type DestinationFacts, destinationHosts, type RouteClient, tcpRuleOf } from '@seine/compile';
import type { DestinationRule, VirtualService } from '@seine/istio';
import { internByKey, internList, memo } from '@seine/memo';
import type { MeshService } from '@seine/model';
import type { Listing } from './egress.js';
import type { Scope } from './scope.js';
import { factsFor, type RuleTable, type Services } from './visibility.js';

const internVirtualServices = internList();
const internClient = internByKey<RouteClient>(4096);

/** VirtualServices that say something about TCP or TLS, so that HTTP route changes leave the listeners alone. */
export const l4VirtualServices = memo(
  'l4VirtualServices',
  (all: readonly VirtualService[]): readonly VirtualService[] =>
    internVirtualServices(
      all.filter((vs) => {
        const gateways = vs.spec.gateways ?? [];
        const matchesMesh = [...(vs.spec.tcp ?? []), ...(vs.spec.tls ?? [])].some((route) =>
          route.match?.some((m) => m.gateways?.includes('mesh')),
        );
        return (
          (vs.spec.tcp?.length || vs.spec.tls?.length) &&
          (gateways.length === 0 || gateways.includes('mesh') || matchesMesh)
        );
      }),
    ),
);

/** What L4 routes may read of a client: nothing, where there are none. */
export interface L4Scope {
  readonly l4: readonly VirtualService[];
  readonly facts: readonly DestinationFacts[];
  readonly client: RouteClient;
  readonly rules: TcpRules;
}

type TcpRules = ReadonlyMap<string, DestinationRule>;
type TcpEntry = readonly [host: string, rule: DestinationRule];

/** @param listing behind the listener: its VirtualServices */
export function l4Scope(listing: Listing, scope: Scope): L4Scope {
  const l4 = l4VirtualServices(listing.virtualServices);
  const hosts = [...new Set(l4.flatMap((vs) => destinationHosts(vs, scope.config.clusterDomain)))];
  const { namespace, labels } = l4.length > 0 ? scope.routes : { namespace: '', labels: {} };
  const client = internClient(JSON.stringify([namespace, labels]), () =>
    Object.freeze({ gateway: 'mesh', namespace, labels }),
  );
  const rules = tcpRules(scope.rules);
  return { l4, facts: factsFor(l4, hosts, scope.services, rules), client, rules };
}

const internEntries = internList();
const tcpEntry = memo('tcpEntry', (rule: DestinationRule, host: string): TcpEntry => Object.freeze([host, rule]));
const tcpRuleMap = memo('tcpRuleMap', (entries: readonly TcpEntry[]): TcpRules => new Map(entries));

/** What rules say of TCP connections, by host: as good as always nothing. The same map for rules that say the same. */
const tcpRules = memo('tcpRules', (rules: RuleTable): TcpRules => {
  const entries: TcpEntry[] = [];
  for (const [host, rule] of rules.entries()) {
    const own = tcpRuleOf(rule);
    if (own) entries.push(tcpEntry(own, host));
  }
  return tcpRuleMap(internEntries<TcpEntry>(entries));
});

const internFacts = internList();

/** What listeners know of destinations, and of those services besides that have a rule for TCP connections. */
export function withServices(
  { facts, rules }: L4Scope,
  listed: Services | readonly MeshService[],
): readonly DestinationFacts[] {
  if (rules.size === 0) return facts;
  const services = Array.isArray(listed) ? (listed as readonly MeshService[]) : [...(listed as Services).values()];
  const more = services.filter(({ host }) => rules.has(host) && !facts.some((known) => known.host === host));
  if (more.length === 0) return facts;
  const byHost = new Map(more.map((service) => [service.host, service]));
  return internFacts([...facts, ...factsFor(rules, [...byHost.keys()], byHost, rules)]);
}
