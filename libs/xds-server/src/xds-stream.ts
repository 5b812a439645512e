import { TypeUrl } from '@seine/envoy';
import { emptyView, removesNames, type Snapshot, unionViews, type View, viewHas } from '@seine/snapshot';
import type { HoldBack, ProxyIdentity } from './hold-back.js';
import { NameSet, unionNames, withoutNames } from './name-set.js';
import type { XdsRequest } from './request.js';
import { encodeTail, type Variant } from './response.js';
import { TypeState } from './type-state.js';

/** Where a stream's responses go; `write` says false when the peer does not keep up. */
export interface Outbox {
  write(parts: readonly Buffer[], size: number): boolean;
}

export interface StreamEvents {
  sent?(typeUrl: string, bytes: number): void;
  acked?(typeUrl: string, latencyMs: number): void;
  nacked?(typeUrl: string, proxy: string, message: string): void;
  unknownType?(typeUrl: string): void;
  /** Secrets that a proxy asks for by name and does not get: they are not there, or not for it. */
  withheld?(proxy: string, names: readonly string[]): void;
  /** Serving one proxy failed by a bug; the others are served. */
  failed?(proxy: string, error: unknown): void;
}

/** Order on the wire when one push touches several types. */
const wireOrder: readonly string[] = [
  TypeUrl.cluster,
  TypeUrl.endpoint,
  TypeUrl.listener,
  TypeUrl.route,
  TypeUrl.extension,
  TypeUrl.secret,
];
const wildcardTypes = new Set<string>([TypeUrl.cluster, TypeUrl.listener]);

/**
 * The protocol of one ADS stream: what to send when. It keeps what the client asked for and was sent as references to
 * shared views; it has no clock and no socket.
 *
 *   CDS (old and new together) → EDS → [CDS accepted] → LDS, RDS → [both accepted] → CDS without the old → EDS
 *
 * Envoy withholds its CDS acknowledgement until new clusters are warm, so waiting for it before routes move to them is
 * what makes a moved route lose no request (Envoy, ClusterManagerImpl::updateClusterCounts).
 */
export class XdsStream {
  readonly types = new Map<string, TypeState>();
  #goal: Snapshot;
  #settledRevision = 0;
  #blocked = false;
  #nonce = 0;
  /** Clusters sent before the client asked for endpoints on this stream. */
  #clustersSent = NameSet.empty;

  constructor(
    private readonly variant: Variant,
    readonly proxy: ProxyIdentity,
    private readonly outbox: Outbox,
    private readonly holdBack: HoldBack,
    private readonly now: () => number,
    snapshot: Snapshot,
    private readonly events: StreamEvents = {},
  ) {
    this.#goal = snapshot;
  }

  get goal(): Snapshot {
    return this.#goal;
  }

  /** The newest revision that the client has accepted in all it asked for. */
  get settledRevision(): number {
    return this.#settledRevision;
  }

  /** Set a new goal; what is on its way is not interrupted, what comes meanwhile merges. */
  update(snapshot: Snapshot): void {
    this.#goal = snapshot;
    this.pump();
  }

  /** The peer took what was written. */
  drained(): void {
    this.#blocked = false;
    this.pump();
  }

  /** @returns whether another stream may now get something that was held back from it */
  receive(request: XdsRequest): boolean {
    let state = this.types.get(request.typeUrl);
    const first = state === undefined;
    if (!state) {
      state = new TypeState(request.typeUrl, this.variant, wildcardTypes.has(request.typeUrl));
      this.types.set(request.typeUrl, state);
      if (!wireOrder.includes(request.typeUrl)) this.events.unknownType?.(request.typeUrl);
    }
    const answers = state.outstanding !== undefined && request.nonce === state.outstanding.nonce;
    const stale = !first && state.lastNonce !== '' && request.nonce !== '' && request.nonce !== state.lastNonce;
    const lifted = answers ? this.#settle(state, request) : false;
    // A stale state-of-the-world request is superseded by one to come; a delta one still carries its changes (D-9).
    if (!stale || this.variant === 'delta') {
      const before = state.names;
      state.subscribe(request, first);
      if (request.typeUrl === TypeUrl.secret) this.#tellWithheld(withoutNames(state.names, before));
      if (first && request.typeUrl === TypeUrl.endpoint) state.settleKnown(this.#clustersSent);
      else if (first) state.settleKnown(NameSet.empty);
    }
    this.pump();
    return lifted;
  }

  #tellWithheld(asked: NameSet): void {
    if (!this.events.withheld || asked.size === 0) return;
    const view = this.#goal.views.get(TypeUrl.secret) ?? emptyView;
    const names = [...asked.names].filter((name) => !viewHas(view, name));
    if (names.length > 0) this.events.withheld(this.proxy.id, names);
  }

  #settle(state: TypeState, request: XdsRequest): boolean {
    const { outstanding } = state;
    if (!outstanding) return false;
    state.outstanding = undefined;
    if (!request.error) {
      state.ackedVersion = outstanding.version;
      state.nack = undefined;
      this.events.acked?.(state.typeUrl, this.now() - outstanding.sentAt);
      return this.holdBack.accepted(state.typeUrl, outstanding.chunks, this.proxy.envoyVersion);
    }
    const { message } = request.error;
    state.nack = { message, at: this.now(), version: outstanding.version };
    this.holdBack.refused(state.typeUrl, outstanding.chunks, this.proxy, message, this.now());
    // The client kept what it had of the refused resources: so does our account of it, and nothing is sent again.
    if (state.sent) state.sent = this.holdBack.apply(state.typeUrl, state.sent, this.proxy);
    this.events.nacked?.(state.typeUrl, this.proxy.id, message);
    return true;
  }

  /** Sends what can be sent now. */
  pump(): void {
    for (const typeUrl of wireOrder) {
      if (this.#blocked) return;
      const state = this.types.get(typeUrl);
      if (state?.subscribed && !state.outstanding && !this.#mustWait(state)) this.#push(state);
    }
    if (this.#isSettled()) this.#settledRevision = this.#goal.revision;
  }

  /** Routes and listeners move only when the clusters they may name are there and warm. */
  #mustWait(state: TypeState): boolean {
    const isRouting = state.typeUrl === TypeUrl.listener || state.typeUrl === TypeUrl.route;
    return isRouting && state.sent !== undefined && this.types.get(TypeUrl.cluster)?.outstanding !== undefined;
  }

  #push(state: TypeState): void {
    const target = this.#target(state);
    const draft = state.draft(target);
    if (!draft) {
      state.markSent(target);
      // What was refused is not wanted any more, and what the client has is.
      if (!this.#isHeldBack(state.typeUrl)) state.nack = undefined;
      return;
    }
    const version = state.versionOf(target);
    const nonce = (++this.#nonce).toString(36).padStart(8, '0');
    const tail = encodeTail(state.typeUrl, version, nonce);
    const parts = [...draft.chunks.flatMap((chunk) => chunk.parts), tail];
    const size = draft.chunks.reduce((sum, chunk) => sum + chunk.size, tail.length);
    if (state.typeUrl === TypeUrl.cluster) this.#endpointsFollow(draft.changed);
    state.markSent(target);
    state.lastNonce = nonce;
    state.outstanding = { nonce, version, chunks: draft.chunks, sentAt: this.now() };
    this.events.sent?.(state.typeUrl, size);
    this.#blocked = !this.outbox.write(parts, size);
  }

  /** A cluster that was added or changed warms only when its endpoints come again, changed or not (X-17, D-14). */
  #endpointsFollow(changed: readonly NameSet[]): void {
    const endpoints = this.types.get(TypeUrl.endpoint);
    for (const names of changed) {
      if (endpoints) endpoints.forceNames(names);
      else this.#clustersSent = unionNames(this.#clustersSent, names);
    }
  }

  /** What the client should hold of a type right now: the goal, less what is held back, plus what may not go yet. */
  #target(state: TypeState): View {
    const final = this.#final(state.typeUrl);
    const keepsOld = state.typeUrl === TypeUrl.cluster || state.typeUrl === TypeUrl.endpoint;
    if (!keepsOld || !state.sent || !removesNames(state.sent, final)) return final;
    const maySwitch = state.typeUrl === TypeUrl.cluster ? this.#routesSettled() : this.#clustersSettled();
    return maySwitch ? final : unionViews(state.sent, final);
  }

  #final(typeUrl: string): View {
    return this.holdBack.apply(typeUrl, this.#goal.views.get(typeUrl) ?? emptyView, this.proxy);
  }

  #routesSettled(): boolean {
    return [TypeUrl.listener, TypeUrl.route].every((typeUrl) => {
      const state = this.types.get(typeUrl);
      if (!state?.subscribed) return true;
      // Routes in an older form name older clusters, also when it was another proxy that refused the new form.
      const isSettled = !state.outstanding && !state.nack && !this.#isHeldBack(typeUrl);
      return isSettled && this.#holds(state, this.#final(typeUrl));
    });
  }

  /** Whether the client gets something else than the goal because somebody refused the goal. */
  #isHeldBack(typeUrl: string): boolean {
    return this.#final(typeUrl) !== (this.#goal.views.get(typeUrl) ?? emptyView);
  }

  #clustersSettled(): boolean {
    const state = this.types.get(TypeUrl.cluster);
    return !state?.subscribed || (!state.outstanding && state.sent === this.#final(TypeUrl.cluster));
  }

  #holds(state: TypeState, target: View): boolean {
    return state.isCurrent(target) || state.draft(target) === undefined;
  }

  #isSettled(): boolean {
    for (const state of this.types.values()) {
      if (!state.subscribed || !wireOrder.includes(state.typeUrl)) continue;
      if (state.outstanding || state.nack || !this.#holds(state, this.#final(state.typeUrl))) return false;
    }
    return this.types.size > 0;
  }
}
