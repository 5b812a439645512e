import { internByKey, memo } from '@seine/memo';
import type { MeshService } from '@seine/model';
import { servicesOf, type Services } from './visibility.js';

/**
 * ExternalName Services that lead to another service of the mesh are not services of their own: they are further names
 * of that one, so that its routes, its identities and its endpoints hold under them too (as in Istio). One that leads
 * elsewhere stays a service that is looked up by DNS.
 */

const internNames = internByKey<readonly string[]>(1024);
const aliased = memo('aliasedService', (service: MeshService, aliases: readonly string[]): MeshService =>
  Object.freeze({ ...service, aliases }),
);

function targetOf({ externalName }: MeshService): string | undefined {
  return externalName?.toLowerCase().replace(/\.$/, '');
}

/** Follows ExternalNames to the service at the end; undefined where there is none, or they lead in a circle. */
function concreteOf(alias: MeshService, services: Services): MeshService | undefined {
  const passed = new Set([alias.host]);
  for (let target = targetOf(alias); target !== undefined && !passed.has(target);) {
    passed.add(target);
    const next = services.get(target);
    if (!next?.externalName) return next;
    target = targetOf(next);
  }
  return undefined;
}

/** The services without aliases, each with the names of its own; the same map where there are none. */
export const withAliases = memo('aliases', (services: Services): Services => {
  const byTarget = new Map<string, string[]>();
  const aliases = new Set<string>();
  for (const service of services.values()) {
    const concrete = service.externalName ? concreteOf(service, services) : undefined;
    if (!concrete) continue;
    aliases.add(service.host);
    byTarget.set(concrete.host, [...(byTarget.get(concrete.host) ?? []), service.host]);
  }
  if (aliases.size === 0) return services;
  const list = [...services.values()]
    .filter(({ host }) => !aliases.has(host))
    .map((service) => {
      const names = byTarget.get(service.host)?.sort();
      return names
        ? aliased(
            service,
            internNames(names.join('\0'), () => Object.freeze(names)),
          )
        : service;
    });
  return servicesOf(list, services);
});
