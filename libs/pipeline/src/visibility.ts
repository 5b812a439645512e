import { type DestinationFacts, indexDestinationRules, type RuleClient, selectDestinationRule } from '@seine/compile';
import type { DestinationRule } from '@seine/istio';
import { internList, memo } from '@seine/memo';
import {
  isVisibleTo,
  type Mesh,
  type MeshConfig,
  type MeshService,
  type ServiceEndpoints,
  serviceSeenFrom,
} from '@seine/model';

export type Services = ReadonlyMap<string, MeshService>;

const internServices = internList();
const mapOf = memo(
  'servicesByHost',
  (list: readonly MeshService[]): Services => new Map(list.map((service) => [service.host, service])),
);

/** Some services by host: the same services give the same map, and all of `whole` (in its order) give `whole`. */
export function servicesOf(list: readonly MeshService[], whole: Services): Services {
  if (list.length === whole.size && list.every((service) => whole.get(service.host) === service)) return whole;
  return mapOf(internServices(list));
}

/** The services that a namespace may see. Where that is all of them, the map itself: so namespaces share what is compiled from it. */
export const visibleServices = memo(
  'visibleServices',
  (services: Services, privateServices: Mesh['privateServices'], namespace: string): Services => {
    const seen: MeshService[] = [];
    for (const service of services.values()) {
      const beside = privateServices.get(service.host);
      const found = beside
        ? serviceSeenFrom(namespace, [service, ...beside.map((other) => other.service)])
        : isVisibleTo(service.exportTo, namespace) && service;
      if (found) seen.push(found);
    }
    return servicesOf(seen, services);
  },
);

/** Stands for "no endpoints" in interned lists. */
const noEndpoints = Object.freeze({});
const internEndpoints = internList();
const endpointsByHost = memo('endpointsByHost', (list: readonly object[], services: Services): Mesh['endpoints'] => {
  const hosts = [...services.keys()];
  const known = list.map((item, i) => [hosts[i] ?? '', item] as const).filter(([, item]) => item !== noEndpoints);
  return new Map(known as (readonly [string, ServiceEndpoints])[]);
});

/** The endpoints of some services: those of others leave it as it is. Of all services, the mesh's map itself. */
export function endpointsSeen(services: Services, mesh: Mesh): Mesh['endpoints'] {
  if (services === mesh.services) return mesh.endpoints;
  const list = [...services.values()].map((service) => endpointsOf(service, mesh) ?? noEndpoints);
  return endpointsByHost(internEndpoints(list), services);
}

/** A host may be defined by several objects: then the origin tells whose the service is, whatever was cut from it. */
function endpointsOf({ host, origin }: MeshService, mesh: Mesh): ServiceEndpoints | undefined {
  const beside = mesh.privateServices.get(host)?.find(({ service }) => service.origin === origin);
  return beside ? beside.endpoints : mesh.endpoints.get(host);
}

/** Stands for "no rule" in interned lists. */
const noRule = Object.freeze({});
const internRules = internList();

/** The DestinationRule in force for each visible service, as one client sees them. */
export class RuleTable {
  readonly #rules: ReadonlyMap<string, DestinationRule>;

  constructor(services: Services, rules: readonly object[]) {
    const byHost = new Map<string, DestinationRule>();
    let i = 0;
    for (const host of services.keys()) {
      const rule = rules[i++];
      if (rule && rule !== noRule) byHost.set(host, rule as DestinationRule);
    }
    this.#rules = byHost;
  }

  get(host: string): DestinationRule | undefined {
    return this.#rules.get(host);
  }

  /** Rules by host. */
  entries(): Iterable<readonly [string, DestinationRule]> {
    return this.#rules;
  }
}

const ruleTable = memo('ruleTable', (rules: readonly object[], services: Services) => new RuleTable(services, rules));

/** Looked up once a client kind; clients for whom every lookup ends the same get the same table. */
export const ruleTableFor = memo(
  'ruleTableFor',
  (services: Services, rules: readonly DestinationRule[], client: RuleClient, config: MeshConfig): RuleTable => {
    const index = indexDestinationRules(rules, config.clusterDomain);
    const found = [...services.values()].map(
      (service) => selectDestinationRule(service.host, index, client, service, config) ?? noRule,
    );
    return ruleTable(internRules(found), services);
  },
);

/** Whose name a host is: of each alias (an ExternalName Service) its service's. */
const aliasTargets = memo('aliasTargets', (services: Services): ReadonlyMap<string, string> => {
  const targets = new Map<string, string>();
  for (const { host, aliases } of services.values()) for (const alias of aliases ?? []) targets.set(alias, host);
  return targets;
});

const factsOf = memo(
  'facts',
  (service: MeshService, rule: DestinationRule | undefined, host: string): DestinationFacts =>
    Object.freeze({ host, service, rule }),
);
const unknownFacts = memo('unknownFacts', (_asker: object, host: string): DestinationFacts =>
  Object.freeze({ host, service: undefined, rule: undefined }),
);
const internFacts = internList();

/**
 * What a client knows of some hosts, in the given order, as an interned list.
 * @param asker the object that names the hosts: what is unknown is remembered with it
 */
export function factsFor(
  asker: object,
  hosts: readonly string[],
  services: Services,
  rules: Pick<RuleTable, 'get'>,
): readonly DestinationFacts[] {
  return internFacts(
    hosts.map((host) => {
      const service = services.get(host) ?? services.get(aliasTargets(services).get(host) ?? '');
      return service ? factsOf(service, rules.get(service.host), host) : unknownFacts(asker, host);
    }),
  );
}
