import { TypeUrl } from '@seine/envoy';
import type { Node } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { type Resource, ResourceSet, type Snapshot, type View } from '@seine/snapshot';
import { barrierSecrets } from '../xds-client/ads-stream.js';
import { aSecret, type TypedResource } from '../xds-resources.js';

interface FakeHandle {
  readonly id: string;
  readonly envoyVersion: string;
  snapshot(): Snapshot;
  close(): void;
}

/**
 * A source of snapshots under a test's control: one set of resources that every node shares, and one a node of its own.
 * A change is seen by the server at `commit()`, which calls `onChange`.
 */
export class FakeSnapshotSource {
  isReady = true;
  /** Called at each commit; the server's `notify` goes here. */
  onChange: () => void = () => undefined;
  /** Says why a node is refused; undefined lets it in. */
  refuse: (node: Node) => string | undefined = () => undefined;
  envoyVersionOf: (node: Node) => string = () => '1.40.0';
  /** Ids of the nodes that are open now, one entry a stream. */
  readonly openNodes: string[] = [];
  revision = 1;
  readonly #shared = new Layers();
  readonly #own = new Map<string, Layers>();
  readonly #views = new Map<string, View>();

  constructor() {
    this.put(...Array.from({ length: barrierSecrets }, (_, i) => aSecret(`barrier-${i}`)));
  }

  ready(): boolean {
    return this.isReady;
  }

  open(node: Node): FakeHandle | { readonly error: string } {
    const error = this.refuse(node);
    if (error !== undefined) return { error };
    this.openNodes.push(node.id);
    let closed = false;
    return {
      id: node.id,
      envoyVersion: this.envoyVersionOf(node),
      snapshot: () => this.snapshotOf(node.id),
      close: () => {
        if (closed) throw new Error(`handle of ${node.id} closed twice`);
        closed = true;
        this.openNodes.splice(this.openNodes.indexOf(node.id), 1);
      },
    };
  }

  /** Adds or replaces resources that every node has. */
  put(...resources: readonly TypedResource[]): this {
    this.#shared.put(resources);
    return this;
  }

  /** Adds or replaces resources that only this node has. */
  putFor(nodeId: string, ...resources: readonly TypedResource[]): this {
    let own = this.#own.get(nodeId);
    if (!own) this.#own.set(nodeId, (own = new Layers()));
    own.put(resources);
    return this;
  }

  remove(typeUrl: string, ...names: readonly string[]): this {
    this.#shared.remove(typeUrl, names);
    return this;
  }

  /** Makes what was put and removed the newest revision and tells the server. */
  commit(): this {
    this.revision++;
    this.onChange();
    return this;
  }

  snapshotOf(nodeId: string): Snapshot {
    const views = new Map<string, View>();
    for (const typeUrl of Object.values(TypeUrl)) {
      const layers = [this.#shared.of(typeUrl), this.#own.get(nodeId)?.of(typeUrl) ?? ResourceSet.empty];
      views.set(typeUrl, this.#view(`${nodeId} ${typeUrl}`, layers));
    }
    return { revision: this.revision, views };
  }

  /** The same view for the same layers, as a compiler has to give it. */
  #view(key: string, layers: readonly ResourceSet[]): View {
    const last = this.#views.get(key);
    if (last?.every((layer, i) => layer === layers[i])) return last;
    const view = Object.freeze([...layers]);
    this.#views.set(key, view);
    return view;
  }
}

/** One immutable set a type, replaced at each change. */
class Layers {
  readonly #sets = new Map<string, ResourceSet>();

  of(typeUrl: string): ResourceSet {
    return this.#sets.get(typeUrl) ?? ResourceSet.empty;
  }

  put(resources: readonly TypedResource[]): void {
    const changed = new Map<string, Map<string, Resource>>();
    for (const { typeUrl, resource } of resources) {
      let items = changed.get(typeUrl);
      if (!items) changed.set(typeUrl, (items = new Map([...this.of(typeUrl)].map((item) => [item.name, item]))));
      items.set(resource.name, resource);
    }
    for (const [typeUrl, items] of changed) this.#sets.set(typeUrl, ResourceSet.of(items.values()));
  }

  remove(typeUrl: string, names: readonly string[]): void {
    this.#sets.set(typeUrl, ResourceSet.of([...this.of(typeUrl)].filter((item) => !names.includes(item.name))));
  }
}
