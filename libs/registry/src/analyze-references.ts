import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';
import { fullyQualify, hostMatches, labelsMatch, type Mesh, type MeshService } from '@seine/model';
import { fieldsOf, itemsOf, labelsOf, textOf, textsOf } from './fields.js';
import { refOf } from './service-source.js';

/** What references are looked up in. */
class References {
  readonly #wildcards: readonly MeshService[];
  readonly #subsets = new Map<string, Set<string>>();
  readonly #gateways: ReadonlySet<string>;

  constructor(private readonly mesh: Mesh) {
    this.#wildcards = [...mesh.services.values()].filter(({ host }) => host.startsWith('*'));
    for (const rule of mesh.resources.get('DestinationRule') ?? []) {
      const spec = fieldsOf(rule.spec);
      const host = this.qualify(textOf(spec['host']), rule);
      const names = this.#subsets.get(host) ?? new Set();
      for (const subset of itemsOf(spec['subsets'])) names.add(textOf(subset['name']));
      this.#subsets.set(host, names);
    }
    const gateways = mesh.resources.get('Gateway') ?? [];
    this.#gateways = new Set(gateways.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`));
  }

  qualify(host: string, object: ConfigObject): string {
    return fullyQualify(host, object.metadata.namespace, this.mesh.config.clusterDomain);
  }

  hasHost(host: string): boolean {
    if (this.mesh.services.has(host) || this.#wildcards.some((service) => hostMatches(service.host, host))) return true;
    return host.startsWith('*') && [...this.mesh.services.keys()].some((known) => hostMatches(host, known));
  }

  /** A subset may come from a rule for a wider host. */
  hasSubset(host: string, subset: string): boolean {
    for (const [pattern, names] of this.#subsets) if (hostMatches(pattern, host) && names.has(subset)) return true;
    return false;
  }

  hasGateway(name: string, namespace: string): boolean {
    if (name === 'mesh') return true;
    return this.#gateways.has(name.includes('/') ? name.replace(/^\.\//, `${namespace}/`) : `${namespace}/${name}`);
  }
}

function notFound(object: ConfigObject, path: string, what: string, remedy: string): Diagnostic {
  const message = `Referenced ${what} not found; ${remedy}.`;
  return { severity: 'warning', code: 'IST0101', message, object: refOf(object), path };
}

interface NamedDestination {
  readonly path: string;
  readonly destination: Readonly<Record<string, unknown>>;
}

/** Every destination that a VirtualService names, with its field path. */
function destinationsOf(spec: Readonly<Record<string, unknown>>): readonly NamedDestination[] {
  const found: NamedDestination[] = [];
  const add = (path: string, value: unknown) => {
    if (value !== undefined) found.push({ path, destination: fieldsOf(value) });
  };
  for (const part of ['http', 'tls', 'tcp']) {
    itemsOf(spec[part]).forEach((route, i) => {
      const path = `spec.${part}[${i}]`;
      itemsOf(route['route']).forEach((one, j) => add(`${path}.route[${j}].destination`, one['destination']));
      if (part !== 'http') return;
      add(`${path}.mirror`, route['mirror']);
      itemsOf(route['mirrors']).forEach((one, j) => add(`${path}.mirrors[${j}].destination`, one['destination']));
    });
  }
  return found;
}

function analyzeVirtualService(object: ConfigObject, references: References): readonly Diagnostic[] {
  const spec = fieldsOf(object.spec);
  const found: Diagnostic[] = [];
  textsOf(spec['gateways']).forEach((gateway, i) => {
    if (!references.hasGateway(gateway, object.metadata.namespace))
      found.push(
        notFound(object, `spec.gateways[${i}]`, `gateway ${JSON.stringify(gateway)}`, 'define it or correct the name'),
      );
  });
  for (const { path, destination } of destinationsOf(spec)) {
    const written = textOf(destination['host']);
    const host = references.qualify(written, object);
    const subset = textOf(destination['subset']);
    if (written === '') continue;
    if (!references.hasHost(host)) {
      const what = `host ${JSON.stringify(written)}`;
      found.push(notFound(object, `${path}.host`, what, 'a Service or ServiceEntry with this host must exist'));
    } else if (subset && !references.hasSubset(host, subset)) {
      const what = `host+subset in destinationrule ${JSON.stringify(`${written}+${subset}`)}`;
      const remedy = 'a DestinationRule for this host must define the subset';
      found.push(notFound(object, `${path}.subset`, what, remedy));
    }
  }
  return found;
}

function analyzeDestinationRule(object: ConfigObject, references: References): readonly Diagnostic[] {
  const host = textOf(fieldsOf(object.spec)['host']);
  if (host === '' || references.hasHost(references.qualify(host, object))) return [];
  return [
    {
      severity: 'warning',
      code: 'IST0174',
      message: `The host ${JSON.stringify(host)} of the DestinationRule matches no service of the mesh; a Service or ServiceEntry with this host must exist.`,
      object: refOf(object),
      path: 'spec.host',
    },
  ];
}

function analyzeGateway(object: ConfigObject, mesh: Mesh): readonly Diagnostic[] {
  const selector = labelsOf(fieldsOf(object.spec)['selector']);
  const entries = Object.entries(selector);
  if (entries.length === 0) return [];
  for (const workload of mesh.workloads.values()) if (labelsMatch(selector, workload.labels)) return [];
  const text = entries.map(([key, value]) => `${key}=${value}`).join(',');
  return [
    notFound(object, 'spec.selector', `selector ${JSON.stringify(text)}`, 'a gateway workload must carry these labels'),
  ];
}

/**
 * Finds references to what is not there: hosts, subsets and gateways of VirtualServices (IST0101), hosts of
 * DestinationRules (IST0174), selectors of Gateways (IST0101). Codes and wording are those of Istio's analyzers. The
 * objects stay in force: what is missing may come later.
 */
export function analyzeReferences(mesh: Mesh): readonly Diagnostic[] {
  const references = new References(mesh);
  return [
    ...(mesh.resources.get('VirtualService') ?? []).flatMap((object) => analyzeVirtualService(object, references)),
    ...(mesh.resources.get('DestinationRule') ?? []).flatMap((object) => analyzeDestinationRule(object, references)),
    ...(mesh.resources.get('Gateway') ?? []).flatMap((object) => analyzeGateway(object, mesh)),
  ];
}
