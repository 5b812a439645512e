import { memo } from '@seine/memo';
import type { Mesh, MeshService, Workload } from '@seine/model';
import type { Value } from '../attributes/value-type.js';
import type { AttributeSink, Directory, End, Side } from './directory.js';

/** Attributes and their values. */
export type Entries = readonly (readonly [name: string, value: Value])[];

interface Sides {
  source?: Entries;
  destination?: Entries;
}

interface Identity {
  readonly namespace: string;
  readonly account: string;
}

function parseIdentity(spiffe: string): Identity | undefined {
  const [, namespace, account] = /^(?:spiffe:\/\/)?[^/]+\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(spiffe) ?? [];
  return namespace !== undefined && account !== undefined ? { namespace, account } : undefined;
}

function accountKey({ namespace, account }: Identity): string {
  return `${namespace}/${account}`;
}

/** The directory of one version of the mesh. Indexes and attributes are made when they are asked for, and kept. */
export class MeshDirectory implements Directory {
  readonly #byName = new Map<string, Workload>();
  readonly #byAccount = new Map<string, Workload[]>();
  readonly #byAddress = new Map<string, Workload[]>();
  readonly #ofOwner = new WeakMap<Workload, Sides>();

  constructor(private readonly mesh: Pick<Mesh, 'workloads' | 'services'>) {
    const seen = new Set<Workload>();
    for (const workload of mesh.workloads.values()) {
      if (seen.has(workload)) continue;
      seen.add(workload);
      const { namespace, name, serviceAccount } = workload;
      const id = `${namespace}/${name}`;
      if (!this.#byName.has(id)) this.#byName.set(id, workload);
      push(this.#byAccount, accountKey({ namespace, account: serviceAccount || 'default' }), workload);
      for (const address of workload.addresses) push(this.#byAddress, address, workload);
    }
  }

  workloadByAddress(ip: string): Workload | undefined {
    return this.mesh.workloads.get(ip) ?? this.#byAddress.get(ip)?.[0];
  }

  workloadByName(name: string): Workload | undefined {
    return this.#byName.get(name);
  }

  workloadById(spiffe: string): Workload | undefined {
    const identity = parseIdentity(spiffe);
    const found = (identity && this.#byAccount.get(accountKey(identity))) ?? [];
    const [first] = found;
    return first && found.every(({ ownerName }) => ownerName === first.ownerName) ? first : undefined;
  }

  serviceByHost(host: string): MeshService | undefined {
    return this.mesh.services.get(host);
  }

  fill(side: Side, end: End, into: AttributeSink): void {
    if (end.address !== undefined) into.set(`${side}.ip`, end.address);
    if (end.port !== undefined) into.set(`${side}.port`, end.port);
    const workload = this.#find(end);
    if (workload) for (const [name, value] of knownWorkload(workload, side)) into.set(name, value);
    this.#fillIdentity(side, end, workload !== undefined, into);
    if (side === 'destination' && end.service !== undefined) this.#fillService(side, end.service, into);
  }

  /** What a certificate proves goes before what an address suggests. */
  #fillIdentity(side: Side, { identity: spiffe }: End, isKnown: boolean, into: AttributeSink): void {
    if (spiffe === undefined) return;
    const principal = spiffe.replace(/^spiffe:\/\//, '');
    into.set(`${side}.principal`, principal);
    into.set(`${side}.user`, principal);
    const identity = parseIdentity(spiffe);
    if (!identity) return;
    into.set(`${side}.namespace`, identity.namespace);
    into.set(`${side}.serviceAccount`, identity.account);
    if (!isKnown) this.#fillOwner(side, spiffe, into);
  }

  /** Of workloads that share an identity and an owner it is known what they have in common, not which of them it is. */
  #fillOwner(side: Side, spiffe: string, into: AttributeSink): void {
    const one = this.workloadById(spiffe);
    if (!one) return;
    const sides = this.#ofOwner.get(one) ?? {};
    this.#ofOwner.set(one, sides);
    const identity = parseIdentity(spiffe);
    const all = (identity && this.#byAccount.get(accountKey(identity))) ?? [];
    for (const [name, value] of (sides[side] ??= ownerAttributes(side, one, all))) into.set(name, value);
  }

  #fillService(side: Side, host: string, into: AttributeSink): void {
    const service = this.mesh.services.get(host);
    if (!service) {
      into.set(`${side}.service.host`, host);
      return;
    }
    for (const [name, value] of knownService(service, side)) into.set(name, value);
  }

  /** Who is meant by all that is known; an address that several share does not say which of them. */
  #find({ address, identity: spiffe, workload: name }: End): Workload | undefined {
    const identity = spiffe === undefined ? undefined : parseIdentity(spiffe);
    const isOf = ({ namespace, serviceAccount }: Workload): boolean =>
      !identity || (namespace === identity.namespace && (serviceAccount || 'default') === identity.account);
    const named = name === undefined ? undefined : this.#byName.get(name);
    if (named) return isOf(named) ? named : undefined;
    const at = (address === undefined ? undefined : this.#byAddress.get(address)) ?? [];
    const possible = at.filter(isOf);
    if (possible.length === 1 || (possible.length > 0 && !identity && isPodAddress(possible))) return possible[0];
    const alone = identity && this.#byAccount.get(accountKey(identity));
    return alone?.length === 1 && (at.length === 0 || possible.length > 0) ? alone[0] : undefined;
  }
}

/** Workloads of one owner behind one address are as good as one. */
function isPodAddress([first, ...others]: readonly Workload[]): boolean {
  return others.every(({ namespace, ownerName }) => namespace === first?.namespace && ownerName === first.ownerName);
}

/** Workloads and services keep their identity over versions of the mesh, and so what is made of them. */
const knownWorkload = memo('mixer-workload-attributes', (workload: Workload, side: Side) =>
  workloadAttributes(side, workload),
);
const knownService = memo('mixer-service-attributes', (service: MeshService, side: Side) =>
  serviceAttributes(side, service),
);

/** Kubernetes takes 63 characters; what is not from there may be anything. */
const longestLabel = 1024;
const mostLabels = 256;

function boundedLabels(labels: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  return new Map(labels.slice(0, mostLabels).map(([key, value]) => [key, value.slice(0, longestLabel)]));
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

function ownAttributes(side: Side, { namespace, ownerName }: Workload): Entries {
  const kind = 'deployments';
  return [
    [`${side}.namespace`, namespace],
    [`${side}.owner`, `kubernetes://apis/apps/v1/namespaces/${namespace}/${kind}/${ownerName}`],
    [`${side}.workload.name`, ownerName],
    [`${side}.workload.namespace`, namespace],
    [`${side}.workload.uid`, `istio://${namespace}/workloads/${ownerName}`],
  ];
}

/** What is known of an end whose workload is known. */
export function workloadAttributes(side: Side, workload: Workload): Entries {
  const { namespace, name, labels, serviceAccount, inbound } = workload;
  const hosts = [...new Set(inbound.map(({ serviceHost }) => serviceHost))];
  return [
    ...ownAttributes(side, workload),
    [`${side}.uid`, `kubernetes://${name}.${namespace}`],
    [`${side}.name`, name],
    [`${side}.labels`, boundedLabels(Object.entries(labels))],
    [`${side}.serviceAccount`, serviceAccount || 'default'],
    ...(hosts.length > 0 ? [[`${side}.services`, hosts.join(',')] as const] : []),
  ];
}

function ownerAttributes(side: Side, one: Workload, all: readonly Workload[]): Entries {
  const common = Object.entries(one.labels).filter(([key, value]) => all.every(({ labels }) => labels[key] === value));
  return [...ownAttributes(side, one), [`${side}.labels`, boundedLabels(common)]];
}

/** What is known of a destination whose service is known. */
export function serviceAttributes(side: Side, { host, name, namespace }: MeshService): Entries {
  return [
    [`${side}.service.host`, host],
    [`${side}.service`, host],
    [`${side}.service.name`, name],
    [`${side}.service.namespace`, namespace],
    [`${side}.service.uid`, `istio://${namespace}/services/${name}`],
  ];
}
