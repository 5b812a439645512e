import { TypeUrl } from '@seine/envoy';
import type { AdsResponse } from './ads-messages.js';
import type { AdsStream } from './ads-stream.js';
import { clustersOfRoutes, endpointsOfCluster, routesOfListener } from './resource-references.js';

/**
 * Follows a server as Envoy does: CDS → EDS → (all clusters warm) → LDS → RDS, accepts everything, and withholds the
 * acknowledgement of CDS while a cluster warms (Envoy, ClusterManagerImpl pauses CDS while clusters warm). A cluster
 * that is added or changed is warm when an EDS response has named it again.
 *
 * It also watches the order: a route may name no cluster that is not there, and no cluster may go that a route names.
 */
export class EnvoyLikeClient {
  /** What was against the order, in words; a test expects none. */
  readonly violations: string[] = [];
  readonly received: AdsResponse[] = [];
  readonly #warming = new Set<string>();
  readonly #subscribed = new Map<string, Set<string>>();
  readonly #clusterBytes = new Map<string, Buffer>();
  readonly #changes = new Set<() => void>();
  #heldCds: AdsResponse | undefined;
  #listenersAsked = false;
  #listenersSeen = false;

  constructor(readonly stream: AdsStream) {
    stream.onResponse = (response) => this.#take(response);
  }

  /** @param held what a reconnecting delta client still has, by type URL and name */
  start(held: Readonly<Record<string, Readonly<Record<string, string>>>> = {}): this {
    const initialVersions = held[TypeUrl.cluster];
    this.stream.request({ typeUrl: TypeUrl.cluster, ...(initialVersions && { initialVersions }) });
    return this;
  }

  /** Every cluster is warm and every route configuration that a listener names is there. */
  get isComplete(): boolean {
    const routes = this.#subscribed.get(TypeUrl.route) ?? new Set<string>();
    const held = this.stream.state.of(TypeUrl.route);
    return this.#listenersSeen && !this.#heldCds && [...routes].every((name) => held.has(name));
  }

  get warming(): readonly string[] {
    return [...this.#warming];
  }

  /** Resolves as soon as the condition holds; looks after every response. @throws Error after `patienceMs` */
  async until(condition: () => boolean, what: string, patienceMs = 10_000): Promise<void> {
    if (condition()) return;
    let look: (() => void) | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`${what}: not in ${patienceMs} ms`)), patienceMs);
        look = () => {
          if (condition()) resolve();
        };
        this.#changes.add(look);
      });
    } finally {
      clearTimeout(timer);
      if (look) this.#changes.delete(look);
    }
  }

  async untilComplete(): Promise<this> {
    await this.until(() => this.isComplete, 'complete configuration');
    return this;
  }

  #take(response: AdsResponse): void {
    this.received.push(response);
    if (response.typeUrl === TypeUrl.cluster) this.#takeClusters(response);
    else if (response.typeUrl === TypeUrl.endpoint) this.#takeEndpoints(response);
    else if (response.typeUrl === TypeUrl.listener) this.#takeListeners(response);
    else {
      if (response.typeUrl === TypeUrl.route) this.#checkRoutes(response);
      this.stream.ack(response);
    }
    for (const look of [...this.#changes]) look();
  }

  #takeClusters(response: AdsResponse): void {
    const wanted = new Set<string>();
    for (const [name, { bytes }] of this.stream.state.of(TypeUrl.cluster)) {
      const endpoints = endpointsOfCluster(bytes);
      if (endpoints === undefined) continue;
      wanted.add(endpoints);
      if (!this.#clusterBytes.get(name)?.equals(bytes)) this.#warming.add(endpoints);
    }
    this.#clusterBytes.clear();
    for (const [name, { bytes }] of this.stream.state.of(TypeUrl.cluster)) this.#clusterBytes.set(name, bytes);
    for (const name of this.#warming) if (!wanted.has(name)) this.#warming.delete(name);
    this.#checkRemovedClusters();
    this.#heldCds = response;
    this.#subscribe(TypeUrl.endpoint, wanted);
    this.#afterWarming();
  }

  #takeEndpoints(response: AdsResponse): void {
    for (const { name } of response.resources) this.#warming.delete(name);
    for (const name of response.removed) this.#warming.delete(name);
    // What was on its way when the client lost interest finds nobody who watches it.
    const wanted = this.#subscribed.get(TypeUrl.endpoint);
    const unasked = response.resources.filter(({ name }) => !wanted?.has(name));
    this.stream.state.forget(
      TypeUrl.endpoint,
      unasked.map(({ name }) => name),
    );
    this.stream.ack(response);
    this.#afterWarming();
  }

  #afterWarming(): void {
    if (this.#warming.size > 0) return;
    if (this.#heldCds) this.stream.ack(this.#heldCds);
    this.#heldCds = undefined;
    if (this.#listenersAsked) return;
    this.#listenersAsked = true;
    this.stream.request({ typeUrl: TypeUrl.listener });
  }

  #takeListeners(response: AdsResponse): void {
    this.stream.ack(response);
    const wanted = new Set<string>();
    for (const { bytes } of this.stream.state.of(TypeUrl.listener).values())
      for (const name of routesOfListener(bytes)) wanted.add(name);
    this.#subscribe(TypeUrl.route, wanted);
    this.#listenersSeen = true;
  }

  #subscribe(typeUrl: string, wanted: Set<string>): void {
    const before = this.#subscribed.get(typeUrl);
    const added = [...wanted].filter((name) => !before?.has(name));
    const dropped = [...(before ?? [])].filter((name) => !wanted.has(name));
    if (added.length === 0 && dropped.length === 0) return;
    this.#subscribed.set(typeUrl, wanted);
    this.stream.state.forget(typeUrl, dropped);
    if (this.stream.variant === 'delta') this.stream.request({ typeUrl, names: added, unsubscribe: dropped });
    else this.stream.request({ typeUrl, names: [...wanted], nonce: this.stream.nonceOf(typeUrl) });
  }

  #checkRoutes(response: AdsResponse): void {
    const clusters = this.stream.state.of(TypeUrl.cluster);
    for (const { name, bytes } of response.resources)
      for (const cluster of clustersOfRoutes(bytes))
        if (!clusters.has(cluster)) this.violations.push(`route ${name} names ${cluster}, which is not there`);
        else if (this.#warming.has(cluster)) this.violations.push(`route ${name} names ${cluster}, which is not warm`);
  }

  #checkRemovedClusters(): void {
    const clusters = this.stream.state.of(TypeUrl.cluster);
    for (const [name, { bytes }] of this.stream.state.of(TypeUrl.route))
      for (const cluster of clustersOfRoutes(bytes))
        if (!clusters.has(cluster)) this.violations.push(`cluster ${cluster} went while route ${name} names it`);
  }
}
