import { type RedisArgument, RedisConnection, type RedisEvents, type RedisOptions } from '@seine/redis';
import { type EdgeData, edgeKey, type GraphPartial, type GraphStore, levels } from '@seine/service-graph';

export interface RedisGraphOptions {
  /** Put before all keys. */
  readonly prefix?: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Nothing waits for the graph: a call may take its time, ms. */
const timeoutMs = 5000;
/** So many edges, about a kilobyte each, go to Redis in one call. */
const edgesPerCall = 200;
/** So many windows are read at once. */
const readsAtOnce = 8;
/** Windows outlive what their level is kept by so much, ms: who reads may be late. */
const graceMs = 60_000;

/**
 * The graph in Redis: a hash a window, with a field for each edge of each replica, gone when its time is over. What is
 * written again takes the place of what was there, so a call that may or may not have been done is just made again.
 */
export class RedisGraphStore implements GraphStore {
  readonly #prefix: string;
  readonly #now: () => number;

  constructor(
    private readonly connection: Pick<RedisConnection, 'call'>,
    { prefix = '{seine:graph}:', now }: RedisGraphOptions,
  ) {
    this.#prefix = prefix;
    this.#now = now;
  }

  /** @throws RedisUnavailableError, RedisReplyError (rejects) */
  async write(partials: readonly GraphPartial[]): Promise<void> {
    for (const partial of partials) await this.#write(partial);
  }

  /** @throws RedisUnavailableError, RedisReplyError (rejects) */
  async read(widthMs: number, from: number, to: number): Promise<readonly GraphPartial[]> {
    const starts: number[] = [];
    const first = Math.max(Math.ceil(from / widthMs) * widthMs, Math.ceil(this.#expired(widthMs) / widthMs) * widthMs);
    for (let start = first; start < to; start += widthMs) starts.push(start);
    const partials: GraphPartial[] = [];
    for (let i = 0; i < starts.length; i += readsAtOnce) {
      const batch = starts.slice(i, i + readsAtOnce).map((start) => this.#read(widthMs, start));
      partials.push(...(await Promise.all(batch)).flat());
    }
    return partials;
  }

  keptFrom(widthMs: number): Promise<number> {
    return Promise.resolve(this.#expired(widthMs));
  }

  #expired(widthMs: number): number {
    return this.#now() - keepMs(widthMs);
  }

  #key(widthMs: number, start: number): string {
    return `${this.#prefix}${widthMs}:${start}`;
  }

  async #write({ replica, widthMs, start, edges }: GraphPartial): Promise<void> {
    const key = this.#key(widthMs, start);
    for (let i = 0; i < edges.length; i += edgesPerCall) {
      const fields = edges.slice(i, i + edgesPerCall).flatMap((data): RedisArgument[] => {
        return [`${replica}\n${edgeKey(data.edge)}`, JSON.stringify(data)];
      });
      await this.connection.call('HSET', [key, ...fields], timeoutMs);
      // With each part: a mixer that ends in the middle leaves nothing that stays.
      const until = start + widthMs + keepMs(widthMs) + graceMs;
      await this.connection.call('PEXPIREAT', [key, until], timeoutMs);
    }
  }

  async #read(widthMs: number, start: number): Promise<readonly GraphPartial[]> {
    const reply = await this.connection.call('HGETALL', [this.#key(widthMs, start)], timeoutMs);
    const words: readonly unknown[] = Array.isArray(reply) ? reply : [];
    const byReplica = new Map<string, EdgeData[]>();
    for (let i = 0; i + 1 < words.length; i += 2) {
      const [replica = ''] = String(words[i]).split('\n');
      const data = parseEdge(String(words[i + 1]));
      if (!data) continue;
      const edges = byReplica.get(replica);
      if (edges) edges.push(data);
      else byReplica.set(replica, [data]);
    }
    return [...byReplica].map(([replica, edges]) => ({ replica, widthMs, start, edges }));
  }
}

function keepMs(widthMs: number): number {
  return levels.find((level) => level.widthMs === widthMs)?.keepMs ?? 0;
}

/** Undefined where it is none: a mixer of another version may have written it. */
function parseEdge(text: string): EdgeData | undefined {
  try {
    const { edge, reports } = JSON.parse(text) as Partial<EdgeData>;
    const ends = [edge?.source, edge?.destination];
    const isEdge = ends.every((end) => typeof end?.workload === 'string' && typeof end.namespace === 'string');
    return edge && isEdge && typeof reports === 'object' ? { edge, reports } : undefined;
  } catch {
    return undefined;
  }
}

/** The graph in a Redis, and how its connection does. */
export interface GraphInRedis {
  readonly store: RedisGraphStore;
  readonly connection: RedisConnection;
  readonly close: () => void;
}

/** Connects; returns at once. Until Redis is reached, reads and writes reject. */
export function graphAt(options: RedisOptions, graph: RedisGraphOptions, events: RedisEvents = {}): GraphInRedis {
  const connection = new RedisConnection(options, events);
  connection.start();
  return { store: new RedisGraphStore(connection, graph), connection, close: () => connection.close() };
}
