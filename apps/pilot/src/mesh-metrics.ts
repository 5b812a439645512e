import type { ChangeEvent } from '@seine/pipeline';
import type { Change } from '@seine/ports';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { PilotEvents } from './pilot.service.js';

const seconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10];

/** Kinds of the core and discovery groups that say which services there are and where; Istio counts them apart. */
const platformKinds: ReadonlySet<string> = new Set([
  'Service',
  'Endpoints',
  'EndpointSlice',
  'Pod',
  'Node',
  'Namespace',
]);
/** What a change of a kind makes Istio push: its names of triggers. */
const triggers: ReadonlyMap<string, Trigger> = new Map<string, Trigger>(
  Object.entries({
    Service: 'service',
    ServiceEntry: 'service',
    Endpoints: 'endpoint',
    EndpointSlice: 'endpoint',
    Pod: 'endpoint',
    WorkloadEntry: 'endpoint',
    Secret: 'secret',
    Namespace: 'namespace',
  } as const),
);
type Trigger = 'service' | 'endpoint' | 'secret' | 'namespace' | 'config';
/** Of Istio's `pilot_inbound_updates`. */
const inbound: Partial<Record<Trigger, string>> = { service: 'svc', endpoint: 'eds' };

/** More kinds than there are: one that somebody made up is `other`. */
const mostKinds = 200;

/** What becomes of the mesh log in pilot, under istiod's names. The names of Kubernetes' events hold whatever platform they come from. */
export class MeshMetrics {
  readonly #platformEvents: Counter;
  readonly #configEvents: Counter;
  readonly #inbound: Counter;
  readonly #triggers: Counter;
  readonly #debounce: Histogram;
  readonly #init: Histogram;
  readonly #kinds = new Set<string>();
  /** Of what waits to be pushed. */
  readonly #waiting = new Set<Trigger>();

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = (name: string, help: string, labelNames: string[]): Counter =>
      new Counter({ name, help, labelNames, registers });
    const histogram = (name: string, help: string): Histogram =>
      new Histogram({ name, help, buckets: seconds, registers });
    this.#platformEvents = counter('pilot_k8s_reg_events', 'Changes of services and where they are.', [
      'type',
      'event',
    ]);
    this.#configEvents = counter('pilot_k8s_cfg_events', 'Changes of configuration, by kind.', ['type', 'event']);
    this.#inbound = counter('pilot_inbound_updates', 'Changes that pilot was told of.', ['type']);
    this.#triggers = counter('pilot_push_triggers', 'Meshes handed to all streams, by what had changed.', ['type']);
    this.#debounce = histogram('pilot_debounce_time', 'Seconds from a change to the making of the mesh with it.');
    this.#init = histogram('pilot_pushcontext_init_seconds', 'Seconds to make a mesh of what changed.');
  }

  readonly events: Pick<PilotEvents, 'changed' | 'built'> = {
    changed: (key, event) => this.#changed(key, event),
    built: (waitedMs, tookMs) => {
      this.#debounce.observe(waitedMs / 1000);
      this.#init.observe(tookMs / 1000);
    },
  };

  /** All that had changed is handed to all streams. */
  pushed(): void {
    for (const type of this.#waiting) this.#triggers.inc({ type });
    this.#waiting.clear();
  }

  #changed(key: Change['key'], event: ChangeEvent): void {
    const kind = key.split('/', 2)[1] ?? '';
    const trigger = triggers.get(kind) ?? 'config';
    this.#waiting.add(trigger);
    const isGone = trigger === 'service' && event === 'delete';
    this.#inbound.inc({ type: isGone ? 'svcdelete' : (inbound[trigger] ?? 'config') });
    const events = platformKinds.has(kind) ? this.#platformEvents : this.#configEvents;
    events.inc({ type: this.#known(kind), event });
  }

  #known(kind: string): string {
    if (this.#kinds.has(kind)) return kind;
    if (this.#kinds.size >= mostKinds) return 'other';
    this.#kinds.add(kind);
    return kind;
  }
}
