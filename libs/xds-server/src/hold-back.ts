import { type Resource, ResourceSet, type View } from '@seine/snapshot';
import type { Chunk } from './response.js';

/** A resource version that some proxy refused. */
export interface Refusal {
  readonly typeUrl: string;
  readonly name: string;
  readonly version: string;
  /** Envoy's own words. */
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Ids of the proxies that refused it. */
  readonly proxies: readonly string[];
  /** Whether another proxy accepted it: then only the refusing ones are kept back. */
  readonly acceptedElsewhere: boolean;
}

interface Hold {
  readonly typeUrl: string;
  readonly name: string;
  readonly version: string;
  readonly message: string;
  readonly since: number;
  /** Who refused, by Envoy version. */
  readonly refusedBy: Map<string, Set<string>>;
  /** Envoy versions of which some proxy accepted it. */
  readonly acceptedBy: Set<string>;
}

export interface ProxyIdentity {
  readonly id: string;
  readonly envoyVersion: string;
}

/**
 * Remembers what proxies refused and what they last accepted, so that a bad version stops at the first proxy of its
 * kind: it is kept from the one that refused it, and from others of the same Envoy version only until one of them
 * accepts it. They get the last version that somebody accepted; new proxies do too.
 */
export class HoldBack {
  readonly #holds = new Map<string, Map<string, Hold>>();
  /** By type URL, Envoy version, name. */
  readonly #accepted = new Map<string, Map<string, Map<string, Resource>>>();
  readonly #seen = new WeakMap<Chunk, Set<string>>();
  readonly #views = new WeakMap<View, Map<string, View>>();
  readonly #blame = new WeakMap<Chunk, Map<string, readonly Resource[]>>();

  /** @returns whether it lifts a hold for others: they should be looked at again */
  accepted(typeUrl: string, chunks: readonly Chunk[], envoyVersion: string): boolean {
    let lifted = false;
    for (const chunk of chunks) {
      let versions = this.#seen.get(chunk);
      if (!versions) this.#seen.set(chunk, (versions = new Set()));
      if (versions.has(envoyVersion)) continue;
      versions.add(envoyVersion);
      lifted = this.#record(typeUrl, chunk, envoyVersion) || lifted;
    }
    return lifted;
  }

  #record(typeUrl: string, chunk: Chunk, envoyVersion: string): boolean {
    const accepted = this.#acceptedOf(typeUrl, envoyVersion);
    const holds = this.#holds.get(typeUrl);
    let lifted = false;
    for (const item of chunk.resources) {
      accepted.set(item.name, item);
      const hold = holds?.get(item.name);
      if (hold?.version === item.version && !hold.acceptedBy.has(envoyVersion)) {
        hold.acceptedBy.add(envoyVersion);
        lifted = true;
      }
    }
    for (const name of chunk.removed) accepted.delete(name);
    return lifted;
  }

  #acceptedOf(typeUrl: string, envoyVersion: string): Map<string, Resource> {
    let byVersion = this.#accepted.get(typeUrl);
    if (!byVersion) this.#accepted.set(typeUrl, (byVersion = new Map<string, Map<string, Resource>>()));
    let byName = byVersion.get(envoyVersion);
    if (!byName) byVersion.set(envoyVersion, (byName = new Map<string, Resource>()));
    return byName;
  }

  /**
   * Notes a NACK. Blamed are the resources that Envoy's message names; where it names none, all of the response.
   * @returns the resources blamed
   */
  refused(
    typeUrl: string,
    chunks: readonly Chunk[],
    proxy: ProxyIdentity,
    message: string,
    now: number,
  ): readonly Resource[] {
    const blamed = chunks.flatMap((chunk) => this.#blamed(chunk, message));
    const all = blamed.length > 0 ? blamed : chunks.flatMap((chunk) => chunk.resources);
    for (const item of all) this.#hold(typeUrl, item, proxy, message, now);
    return all;
  }

  #hold(typeUrl: string, item: Resource, proxy: ProxyIdentity, message: string, now: number): void {
    let byName = this.#holds.get(typeUrl);
    if (!byName) this.#holds.set(typeUrl, (byName = new Map<string, Hold>()));
    let hold = byName.get(item.name);
    if (hold?.version !== item.version) {
      const acceptedBy = new Set<string>();
      for (const [version, names] of this.#accepted.get(typeUrl) ?? [])
        if (names.get(item.name)?.version === item.version) acceptedBy.add(version);
      hold = { typeUrl, name: item.name, version: item.version, message, since: now, refusedBy: new Map(), acceptedBy };
      byName.set(item.name, hold);
    }
    let ids = hold.refusedBy.get(proxy.envoyVersion);
    if (!ids) hold.refusedBy.set(proxy.envoyVersion, (ids = new Set()));
    ids.add(proxy.id);
  }

  /** Resources that the message names; of names within names (`80` in `outbound|80||x`) only the longest. */
  #blamed(chunk: Chunk, message: string): readonly Resource[] {
    let byMessage = this.#blame.get(chunk);
    if (!byMessage) this.#blame.set(chunk, (byMessage = new Map<string, readonly Resource[]>()));
    let blamed = byMessage.get(message);
    if (!blamed) {
      const named = chunk.resources.filter((item) => message.includes(item.name));
      blamed = named.filter((item) => !named.some((other) => other !== item && other.name.includes(item.name)));
      byMessage.set(message, blamed);
    }
    return blamed;
  }

  /** The view with what is held back from this proxy put back to the last accepted version, or left out. */
  apply(typeUrl: string, view: View, proxy: ProxyIdentity): View {
    const holds = this.#holds.get(typeUrl);
    if (!holds || holds.size === 0) return view;
    const held = [...holds.values()].filter(
      (hold) => concerns(hold, proxy) && view.some((layer) => layer.get(hold.name)?.version === hold.version),
    );
    if (held.length === 0) return view;
    const replaced = new Map(
      held.map((hold) => [hold.name, this.#lastAccepted(typeUrl, hold.name, proxy.envoyVersion)]),
    );
    const key = [...replaced]
      .map(([name, item]) => `${name}@${item?.version ?? ''}`)
      .sort()
      .join('\n');
    let byKey = this.#views.get(view);
    if (!byKey) this.#views.set(view, (byKey = new Map<string, View>()));
    let result = byKey.get(key);
    if (!result) byKey.set(key, (result = Object.freeze(view.map((layer) => replaceIn(layer, replaced)))));
    return result;
  }

  #lastAccepted(typeUrl: string, name: string, envoyVersion: string): Resource | undefined {
    const byVersion = this.#accepted.get(typeUrl);
    const own = byVersion?.get(envoyVersion)?.get(name);
    if (own) return own;
    for (const names of byVersion?.values() ?? []) {
      const item = names.get(name);
      if (item) return item;
    }
    return undefined;
  }

  /** Refusals of versions that `isCurrent` still wants to send. */
  refusals(isCurrent: (typeUrl: string, name: string, version: string) => boolean): readonly Refusal[] {
    return [...this.#holds.values()]
      .flatMap((byName) => [...byName.values()])
      .filter((hold) => isCurrent(hold.typeUrl, hold.name, hold.version))
      .map(({ typeUrl, name, version, message, since, refusedBy, acceptedBy }) => ({
        typeUrl,
        name,
        version,
        message,
        since,
        proxies: [...refusedBy.values()].flatMap((ids) => [...ids]),
        acceptedElsewhere: acceptedBy.size > 0,
      }));
  }

  /** Forgets names that nobody is to have any more. */
  prune(isLive: (typeUrl: string, name: string) => boolean): void {
    for (const [typeUrl, byVersion] of this.#accepted)
      for (const names of byVersion.values())
        for (const name of names.keys()) if (!isLive(typeUrl, name)) names.delete(name);
    for (const [typeUrl, byName] of this.#holds)
      for (const name of byName.keys()) if (!isLive(typeUrl, name)) byName.delete(name);
  }
}

function concerns(hold: Hold, proxy: ProxyIdentity): boolean {
  const refused = hold.refusedBy.get(proxy.envoyVersion);
  return refused !== undefined && (refused.has(proxy.id) || !hold.acceptedBy.has(proxy.envoyVersion));
}

function replaceIn(layer: ResourceSet, replaced: ReadonlyMap<string, Resource | undefined>): ResourceSet {
  const items: Resource[] = [];
  for (const item of layer) {
    const other = replaced.has(item.name) ? replaced.get(item.name) : item;
    if (other) items.push(other);
  }
  return ResourceSet.of(items);
}
