import { type ConfigObject, fieldsOf, itemsOf, type Labels, labelsOf, portOf, textOf, textsOf } from '@seine/k8s';
import { fullyQualify, hostMatches } from '@seine/model';
import type { Catalogue } from '../frame/catalogue.js';
import { kinds } from '../frame/kinds.js';
import { everywhere, scopesOf } from './scopes.js';

/** What is known of a host that traffic can go to. */
export interface KnownHost {
  readonly host: string;
  readonly ports: readonly number[];
  /** The Service or ServiceEntry behind it. */
  readonly object: ConfigObject;
  /** Selects workloads of the object's namespace; undefined = selects none. */
  readonly selector: Labels | undefined;
  /** Labels of the endpoints that the object itself states. */
  readonly endpoints: readonly Labels[];
}

interface ScopedHost extends KnownHost {
  readonly scopes: readonly string[];
}

function serviceOf(object: ConfigObject, clusterDomain: string): ScopedHost {
  const { name, namespace, annotations } = object.metadata;
  const spec = fieldsOf(object.spec);
  const selector = labelsOf(spec['selector']);
  const exportTo = labelsOf(annotations)['networking.istio.io/exportTo'] ?? '';
  const entries = exportTo.split(',').map((entry) => entry.trim());
  return {
    host: `${name}.${namespace}.svc.${clusterDomain}`,
    ports: itemsOf(spec['ports']).flatMap((port) => portOf(port['port']) ?? []),
    object,
    selector: Object.keys(selector).length > 0 ? selector : undefined,
    endpoints: [],
    scopes: scopesOf(
      entries.filter((entry) => entry !== ''),
      namespace,
    ),
  };
}

function serviceEntryOf(object: ConfigObject, clusterDomain: string): readonly ScopedHost[] {
  const { namespace } = object.metadata;
  const spec = fieldsOf(object.spec);
  const selector = spec['workloadSelector'];
  return textsOf(spec['hosts']).map((host) => ({
    host: fullyQualify(host, namespace, clusterDomain),
    ports: itemsOf(spec['ports']).flatMap((port) => portOf(port['number']) ?? []),
    object,
    selector: selector === undefined || selector === null ? undefined : labelsOf(fieldsOf(selector)['labels']),
    endpoints: itemsOf(spec['endpoints']).map((endpoint) => labelsOf(endpoint['labels'])),
    scopes: scopesOf(textsOf(spec['exportTo']), namespace),
  }));
}

/** All hosts of the mesh, by the namespaces that see them. */
export class HostIndex {
  /** By scope, then by host. */
  readonly #exact = new Map<string, Map<string, KnownHost>>();
  readonly #wildcards: ScopedHost[] = [];

  constructor(hosts: Iterable<ScopedHost>) {
    for (const host of hosts) {
      if (host.host.startsWith('*')) this.#wildcards.push(host);
      for (const scope of host.scopes) {
        const known = this.#exact.get(scope) ?? new Map<string, KnownHost>();
        known.set(host.host, host);
        this.#exact.set(scope, known);
      }
    }
  }

  /**
   * Finds a host as objects of a namespace see it.
   * @param host fully qualified
   * @param scopes the namespaces from which it has to be seen, if not from everywhere
   */
  find(host: string, namespace: string, scopes: readonly string[]): KnownHost | undefined {
    for (const scope of [everywhere, ...scopes]) {
      const known = this.#exact.get(scope)?.get(host);
      if (known) return known;
    }
    return this.#wildcards.find(
      (wildcard) =>
        (wildcard.scopes.includes(everywhere) || wildcard.scopes.includes(namespace)) &&
        hostMatches(wildcard.host, host),
    );
  }

  /** Whether a wildcard covers any host. */
  covers(pattern: string): boolean {
    if (!pattern.startsWith('*')) return false;
    for (const hosts of this.#exact.values())
      for (const host of hosts.keys()) if (hostMatches(pattern, host)) return true;
    return false;
  }
}

/** The hosts of all Services and ServiceEntries. */
export function hostIndex(catalogue: Catalogue): HostIndex {
  const { clusterDomain } = catalogue;
  return new HostIndex([
    ...catalogue.all(kinds.serviceEntry).flatMap((object) => serviceEntryOf(object, clusterDomain)),
    ...catalogue.all(kinds.service).map((object) => serviceOf(object, clusterDomain)),
  ]);
}

/** Finds the host that a field of an object names. */
export function findHost(catalogue: Catalogue, object: ConfigObject, written: string): KnownHost | undefined {
  const { namespace } = object.metadata;
  const exportTo = textsOf(fieldsOf(object.spec)['exportTo']);
  const scopes = exportTo.length === 0 ? [namespace] : exportTo.map((scope) => (scope === '.' ? namespace : scope));
  return catalogue.derive(hostIndex).find(fullyQualify(written, namespace, catalogue.clusterDomain), namespace, scopes);
}

/** The host that a field of an object names, in full. */
export function hostIn(object: ConfigObject, field: unknown, clusterDomain: string): string {
  return fullyQualify(textOf(field), object.metadata.namespace, clusterDomain);
}

/** Whether some host is covered by both of two hosts or wildcards. */
export function hostsOverlap(a: string, b: string): boolean {
  return hostMatches(a, b) || hostMatches(b, a);
}
