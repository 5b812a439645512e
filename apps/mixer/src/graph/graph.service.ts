import {
  buildGraph,
  type EdgesRead,
  fine,
  GraphRecorder,
  type GraphStore,
  mergePartials,
  readEdges,
  type ServiceGraph,
} from '@seine/service-graph';
import type { LogSink } from '../access-log/log-sink.js';
import { graphSink } from './graph-sink.js';

export interface GraphServiceOptions {
  /** A name that no other mixer has, nor this one after a restart. */
  readonly replica: string;
  readonly store: GraphStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Is told that the store cannot be written to, and that it can again. */
  readonly onProblem?: (message: string) => void;
  readonly onRecovered?: (message: string) => void;
  /** Lets go of the store. */
  readonly close?: (() => void) | undefined;
}

export interface GraphRequest {
  /** How far it reaches back, ms. */
  readonly sinceMs: number;
  /** How long the time is, ms; default up to now. */
  readonly durationMs?: number | undefined;
  readonly namespace?: string | undefined;
}

/** So often what was counted goes to the store: other mixers see it so much later. */
const flushMs = 2000;

/** The service graph of the mesh: counts what proxies log, and answers for all mixers that share a store. */
export class GraphService {
  readonly sink: LogSink;
  readonly #recorder: GraphRecorder;
  readonly #startedAt: number;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #failed = false;

  constructor(private readonly options: GraphServiceOptions) {
    this.#recorder = new GraphRecorder(options.replica);
    this.#startedAt = options.now();
    this.sink = graphSink(this.#recorder, options.now);
  }

  /** Windows that were given up, as the store could not be written to for too long. */
  get lostWindows(): number {
    return this.#recorder.lost;
  }

  start(): void {
    this.#timer = setInterval(() => void this.flush(), flushMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
    this.options.close?.();
  }

  /** Writes what has changed; what cannot be written is kept for the next time. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
    this.#writing = this.#write().finally(() => (this.#writing = undefined));
    await this.#writing;
  }

  async graph(request: GraphRequest): Promise<ServiceGraph> {
    const now = this.options.now();
    const from = now - request.sinceMs;
    // The window that begins right now is of the time, too.
    const to = Math.min(now + 1, from + (request.durationMs ?? Infinity));
    await this.flush();
    const { edges, problems } = await this.#read(from, to);
    // Before the first mixer was there nobody counted: rates are not of that time.
    const begin = Math.max(edges.from, Math.min(this.#startedAt, edges.firstStart ?? this.#startedAt));
    const asked = { from: Math.min(begin, now - 1000), to: Math.min(edges.to, now), namespace: request.namespace };
    return buildGraph([...edges.table.edges.values()], asked, { replicas: edges.replicas, problems });
  }

  async #read(from: number, to: number): Promise<{ edges: EdgesRead; problems: readonly string[] }> {
    const { store, now } = this.options;
    try {
      return { edges: await readEdges(store, from, to), problems: [] };
    } catch (error) {
      // What could not be written either is all that there is.
      const taken = this.#recorder.take(now());
      taken.putBack();
      const own = taken.partials.filter(({ widthMs, start }) => widthMs === fine.widthMs && start >= from - widthMs);
      const problem = `only what this mixer has not written yet: the store cannot be read: ${messageOf(error)}`;
      return { edges: mergePartials(own, from, to), problems: [problem] };
    }
  }

  async #write(): Promise<void> {
    const { store, now, onProblem, onRecovered } = this.options;
    const taken = this.#recorder.take(now());
    if (taken.partials.length === 0) return;
    try {
      await store.write(taken.partials);
      if (this.#failed) onRecovered?.('the service graph is written again');
      this.#failed = false;
    } catch (error) {
      taken.putBack();
      if (!this.#failed) onProblem?.(`the service graph cannot be written: ${messageOf(error)}`);
      this.#failed = true;
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
