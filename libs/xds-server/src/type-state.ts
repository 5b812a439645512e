import { memo } from '@seine/memo';
import { diffSets, emptyView, layerOf, type Resource, type View, viewHas, viewVersion } from '@seine/snapshot';
import { intersectNames, NameSet, unionNames, withoutNames } from './name-set.js';
import type { XdsRequest } from './request.js';
import {
  changedNames,
  type Chunk,
  diffChunk,
  encodeChunk,
  fullChunk,
  namesChunk,
  removalChunk,
  type Variant,
} from './response.js';

/** A response that the client has neither accepted nor refused. */
export interface Outstanding {
  readonly nonce: string;
  readonly version: string;
  readonly chunks: readonly Chunk[];
  readonly sentAt: number;
}

/** What is to be sent next of one type. */
export interface Draft {
  readonly chunks: readonly Chunk[];
  /** Names whose content this response changes: an EDS response has to follow for the clusters among them. */
  readonly changed: readonly NameSet[];
}

const wildcardName = '*';

/** What changed between two views, within some names: the same for every stream that takes this step. */
const step = memo(
  'step',
  (from: View, target: View, only: NameSet | undefined, variant: Variant, typeUrl: string): Draft => {
    const chunks: Chunk[] = [];
    const changed: NameSet[] = [];
    for (let i = 0; i < Math.max(from.length, target.length); i++) {
      const before = layerOf(from, i);
      const after = layerOf(target, i);
      if (before === after) continue;
      const diff = diffSets(before, after);
      const chunk = diffChunk(diff, only, variant, typeUrl);
      if (chunk.resources.length === 0 && chunk.removed.length === 0) continue;
      chunks.push(chunk);
      changed.push(changedNames(diff));
    }
    return { chunks, changed };
  },
);

/**
 * One type on one stream: what the client asked for, what it was sent, what is under way. No clock, no socket.
 * What the client holds is not copied: it is `sent`, cut down to the subscription.
 */
export class TypeState {
  subscribed = false;
  wildcard = false;
  names = NameSet.empty;
  /** Names to send whether they changed or not: newly asked for, asked for again, or due after a CDS change. */
  force = NameSet.empty;
  sent: View | undefined;
  outstanding: Outstanding | undefined;
  lastNonce = '';
  ackedVersion = '';
  /** Set while the client's last word on this type is a refusal. */
  nack: { readonly message: string; readonly at: number; readonly version: string } | undefined;
  /** What a reconnecting delta client said it holds, until the first response. */
  #known: ReadonlyMap<string, string> | undefined;
  #mustAnswer = false;

  constructor(
    readonly typeUrl: string,
    readonly variant: Variant,
    /** Only LDS and CDS know "all of them" (xDS spec, "How the client specifies what resources to return"). */
    private readonly allowsWildcard: boolean,
  ) {}

  /** Takes over what a request says about the subscription. `first` = the first request of this type on the stream. */
  subscribe(request: XdsRequest, first: boolean): void {
    if (this.variant === 'delta') this.#subscribeDelta(request, first);
    else this.#subscribeSotw(request, first);
    this.subscribed = true;
  }

  #subscribeSotw(request: XdsRequest, first: boolean): void {
    const asksAll =
      request.names.has(wildcardName) || (this.allowsWildcard && request.names.size === 0 && (first || this.wildcard));
    const names = withoutNames(request.names, NameSet.of([wildcardName]));
    if (asksAll && !this.wildcard) this.#startWildcard();
    this.wildcard = asksAll;
    this.force = intersectNames(unionNames(this.force, withoutNames(names, this.names)), names);
    // A request without a nonce after responses is that of a client that has forgotten them: it gets all of it again.
    if (!first && request.nonce === '' && this.lastNonce !== '') {
      this.force = names;
      if (this.wildcard) this.#startWildcard();
    }
    this.names = names;
  }

  #subscribeDelta(request: XdsRequest, first: boolean): void {
    const star = NameSet.of([wildcardName]);
    const added = withoutNames(request.names, star);
    if (first && request.initialVersions.size > 0) this.#known = request.initialVersions;
    if (request.names.has(wildcardName) || (first && this.allowsWildcard && request.names.size === 0)) {
      if (!this.wildcard) this.#startWildcard();
      this.wildcard = true;
    }
    if (request.unsubscribe.has(wildcardName)) this.wildcard = false;
    const dropped = withoutNames(request.unsubscribe, star);
    this.names = withoutNames(unionNames(this.names, added), dropped);
    // Dropped while all are wanted: the client removes it, so it must be told that it still has it (or that it is gone).
    this.force = unionNames(withoutNames(this.force, dropped), this.wildcard ? unionNames(added, dropped) : added);
  }

  #startWildcard(): void {
    this.sent = undefined;
    this.#mustAnswer = true;
  }

  /** Notes that clusters were sent, whose endpoints must follow even if unchanged. */
  forceNames(names: NameSet): void {
    this.force = unionNames(this.force, this.wildcard ? names : intersectNames(names, this.names));
  }

  get versionsKnown(): boolean {
    return this.#known !== undefined;
  }

  /** Whether the client would get nothing new from `target`. */
  isCurrent(target: View): boolean {
    return this.sent === target && this.force.size === 0 && !this.#mustAnswer && this.#known === undefined;
  }

  /** What has to be sent so that the client holds `target`; undefined when it does already. */
  draft(target: View): Draft | undefined {
    if (this.isCurrent(target)) return undefined;
    if (this.#known) return this.#draftFromKnown(target, this.#known);
    const whole = this.variant === 'sotw' && this.allowsWildcard;
    const step = this.#step(target);
    if (!this.#mustAnswer && this.force.size === 0 && step.chunks.length === 0) return undefined;
    if (whole) return { chunks: this.#whole(target), changed: step.changed };
    const chunks = [...step.chunks, ...this.#forced(target, step.changed)];
    return chunks.length > 0 || this.#mustAnswer ? { chunks, changed: step.changed } : undefined;
  }

  /** What changed from `sent` to `target`, within the subscription. Named resources come by `force` the first time. */
  #step(target: View): Draft {
    const from = this.sent ?? (this.wildcard ? emptyView : target);
    return step(from, target, this.wildcard ? undefined : this.names, this.variant, this.typeUrl);
  }

  /** State-of-the-world LDS and CDS always carry everything. */
  #whole(target: View): Chunk[] {
    const chunks = target.map((layer) =>
      this.wildcard
        ? fullChunk(layer, this.variant, this.typeUrl)
        : namesChunk(layer, this.names, this.variant, this.typeUrl),
    );
    return chunks.filter((chunk) => chunk.resources.length > 0);
  }

  /** The forced names that the step does not carry anyway; those that do not exist are reported as removed (D-6). */
  #forced(target: View, changed: readonly NameSet[]): Chunk[] {
    let wanted = this.force;
    for (const names of changed) wanted = withoutNames(wanted, names);
    if (wanted.size === 0) return [];
    const chunks = target
      .map((layer) => namesChunk(layer, wanted, this.variant, this.typeUrl))
      .filter((c) => c.resources.length > 0);
    const found = chunks.reduce((sum, chunk) => sum + chunk.resources.length, 0);
    if (this.variant === 'delta' && found < wanted.size)
      chunks.push(
        removalChunk(
          this.variant,
          this.typeUrl,
          [...wanted.names].filter((name) => !viewHas(target, name)),
        ),
      );
    return chunks;
  }

  /** The first response to a client that came back with versions: only what differs (D-11, D-12). */
  #draftFromKnown(target: View, known: ReadonlyMap<string, string>): Draft | undefined {
    const wanted = (name: string): boolean => this.wildcard || this.names.has(name);
    const changed: Resource[] = [];
    for (const layer of target)
      for (const item of layer) if (wanted(item.name) && known.get(item.name) !== item.version) changed.push(item);
    const removed = [...known.keys()].filter((name) => !viewHas(target, name));
    for (const name of this.names.names) if (!viewHas(target, name) && !known.has(name)) removed.push(name);
    if (changed.length === 0 && removed.length === 0) return undefined;
    return {
      chunks: [encodeChunk(this.variant, this.typeUrl, changed, removed)],
      changed: [NameSet.of(changed.map((r) => r.name))],
    };
  }

  /** What a reconnecting client holds already need not be forced, except for clusters sent again on this stream. */
  settleKnown(resentClusters: NameSet): void {
    if (!this.#known) return;
    const known = new Map(this.#known);
    for (const name of resentClusters.names) known.delete(name);
    this.#known = known;
    this.force = NameSet.empty;
  }

  /** Notes that the client is now being sent `target`. */
  markSent(target: View): void {
    this.sent = target;
    this.force = NameSet.empty;
    this.#known = undefined;
    this.#mustAnswer = false;
  }

  /** Names and versions that this response brings the client to. */
  versionOf(target: View): string {
    return viewVersion(target);
  }

  /** Whether the client is told to hold this resource version. */
  wants(name: string): boolean {
    return this.wildcard || this.names.has(name);
  }
}
