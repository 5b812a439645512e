import { TypeUrl } from '@seine/envoy';
import type { EnvoyLikeClient } from '../xds-client/envoy-like-client.js';
import { aCluster, aListener, anAssignment, aRouteConfig, type TypedResource } from '../xds-resources.js';
import type { FakeSnapshotSource } from './fake-snapshot-source.js';

const mostClusters = 60;
const mostListeners = 8;

/** A reproducible stream of numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Edits a fake source at random, always to a consistent state: a route names only clusters that there are. */
export class RandomMesh {
  readonly #random: () => number;
  readonly #clusters = new Map<string, TypedResource>();
  readonly #assignments = new Map<string, TypedResource>();
  readonly #listeners = new Map<string, TypedResource>();
  readonly #routes = new Map<string, { targets: string[]; config: TypedResource }>();
  #counter = 0;

  constructor(
    seed: number,
    private readonly source: FakeSnapshotSource,
  ) {
    this.#random = seededRandom(seed);
  }

  /** Makes so many edits without committing them. */
  edit(count: number): void {
    const edits = [
      () => this.#putCluster(`svc-${this.#below(mostClusters)}`),
      () => this.#putEndpoints(this.#pick(this.#clusters)),
      () => this.#putEndpoints(this.#pick(this.#clusters)),
      () => this.#removeCluster(this.#pick(this.#clusters)),
      () => this.#putListener(`listener-${this.#below(mostListeners)}`),
      () => this.#removeListener(this.#pick(this.#listeners)),
      () => this.#reroute(this.#pick(this.#routes)),
      () => this.#reroute(this.#pick(this.#routes)),
    ];
    for (let i = 0; i < count; i++) edits[this.#below(edits.length)]!();
  }

  /** Whether the client holds exactly what there is. */
  isHeldBy(envoy: EnvoyLikeClient): boolean {
    const routes = new Map([...this.#routes].map(([name, { config }]) => [name, config]));
    return (
      holds(envoy, TypeUrl.cluster, this.#clusters) &&
      holds(envoy, TypeUrl.endpoint, this.#assignments) &&
      holds(envoy, TypeUrl.listener, this.#listeners) &&
      holds(envoy, TypeUrl.route, routes)
    );
  }

  #putCluster(name: string): void {
    const cluster = aCluster(name, ++this.#counter);
    this.#clusters.set(name, cluster);
    this.source.put(cluster);
    if (!this.#assignments.has(name)) this.#putEndpoints(name);
  }

  #putEndpoints(name: string | undefined): void {
    if (name === undefined) return;
    const addresses = Array.from({ length: this.#below(4) }, () => `10.0.${this.#below(250)}.${this.#below(250)}`);
    const assignment = anAssignment(name, ...addresses);
    this.#assignments.set(name, assignment);
    this.source.put(assignment);
  }

  #removeCluster(name: string | undefined): void {
    if (name === undefined) return;
    this.#clusters.delete(name);
    this.#assignments.delete(name);
    this.source.remove(TypeUrl.cluster, name).remove(TypeUrl.endpoint, name);
    for (const [route, { targets }] of this.#routes)
      if (targets.includes(name))
        this.#putRoute(
          route,
          targets.filter((target) => target !== name),
        );
  }

  #putListener(name: string): void {
    const listener = aListener(name, `route-of-${name}`, ++this.#counter);
    this.#listeners.set(name, listener);
    this.source.put(listener);
    if (!this.#routes.has(`route-of-${name}`)) this.#reroute(`route-of-${name}`);
  }

  #removeListener(name: string | undefined): void {
    if (name === undefined) return;
    this.#listeners.delete(name);
    this.#routes.delete(`route-of-${name}`);
    this.source.remove(TypeUrl.listener, name).remove(TypeUrl.route, `route-of-${name}`);
  }

  #reroute(name: string | undefined): void {
    if (name === undefined) return;
    this.#putRoute(
      name,
      [...this.#clusters.keys()].filter(() => this.#random() < 0.3),
    );
  }

  #putRoute(name: string, targets: string[]): void {
    const config = aRouteConfig(name, targets);
    this.#routes.set(name, { targets, config });
    this.source.put(config);
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick(from: ReadonlyMap<string, unknown>): string | undefined {
    return [...from.keys()][this.#below(from.size)];
  }
}

function holds(envoy: EnvoyLikeClient, typeUrl: string, wanted: ReadonlyMap<string, TypedResource>): boolean {
  const held = envoy.stream.state.of(typeUrl);
  if (held.size !== wanted.size) return false;
  for (const [name, { resource }] of wanted) if (!held.get(name)?.bytes.equals(resource.bytes)) return false;
  return true;
}
