import { randomUUID } from 'node:crypto';
import type { ConfigObject, ObjectKey } from '@seine/k8s';
import type { Change, LogEntry, Store, StoreEvent, StoreSnapshot } from '@seine/ports';
import {
  RedisConnection,
  type RedisEvents,
  type RedisOptions,
  RedisUnavailableError,
  runScript,
  type Script,
} from '@seine/redis';
import { Mirror } from './mirror.js';
import { appendScript, logKeys, type LogKeys, readScript, refillScript, syncedScript } from './scripts.js';

export interface RedisStoreOptions extends RedisEvents {
  readonly redis: RedisOptions;
  /** Put before all keys; its braces make Redis keep them together. */
  readonly prefix?: string | undefined;
  /** Entries kept for those that lag or come back; older ones cost a resync. */
  readonly logLength?: number | undefined;
  /** The token of the lease by which this process writes; undefined = it does not hold it now, and writes wait. Absent: there is one writer. */
  readonly token?: (() => number | undefined) | undefined;
  /** Is told of errors that listeners throw; they disturb nobody else. By default a process warning. */
  readonly onListenerError?: ((error: unknown) => void) | undefined;
}

/** This process may not write any more: another leads. */
export class SupersededError extends Error {
  override readonly name = 'SupersededError';
}

/** How long Redis is waited for, ms; a whole log may be on its way. */
const patienceMs = 5000;
/** How long a wait for the next entry lasts; after it Redis is looked at in any case, ms. */
const blockMs = 500;
/** So many writes wait for Redis at most. */
const maxWriting = 100;
/** Between attempts, ms. */
const pauses = { first: 10, longest: 250 } as const;

/**
 * The mesh log in Redis, for several registries and pilots. Each process holds a mirror of it: while Redis is away,
 * readers go on with what they know, and writes wait. Redis is never the only copy: where it has lost the log, who wrote
 * it last begins it anew from the mirror, as another epoch, and readers start again from a snapshot.
 */
export class RedisStore implements Store {
  readonly #calls: RedisConnection;
  readonly #waits: RedisConnection;
  readonly #keys: LogKeys;
  readonly #mirror: Mirror;
  readonly #logLength: number;
  #isWriter = false;
  #writing = 0;
  #isClosed = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: RedisStoreOptions) {
    const { redis, prefix = '{seine:mesh}:', logLength = 1000, onListenerError = warn } = options;
    this.#keys = logKeys(prefix);
    this.#logLength = logLength;
    this.#mirror = new Mirror(logLength, onListenerError);
    const patient = { ...redis, timeoutMs: Math.max(patienceMs, redis.timeoutMs ?? 0) };
    this.#calls = new RedisConnection(patient, options);
    this.#waits = new RedisConnection(patient);
    this.#calls.start();
    this.#waits.start();
    void this.#follow();
  }

  /** Whether Redis can be asked now. */
  get isUp(): boolean {
    return this.#calls.isUp;
  }

  close(): void {
    this.#isClosed = true;
    this.#calls.close();
    this.#waits.close();
  }

  /**
   * Waits while Redis is away.
   * @throws SupersededError (rejects) where another leads; RedisUnavailableError where too many writes wait
   */
  async write(changes: readonly Change[]): Promise<number> {
    if (this.#writing >= maxWriting)
      throw new RedisUnavailableError(`${this.#writing} writes wait for Redis: ${this.#calls.reason}`);
    this.#writing++;
    try {
      return await this.#inTurn(async () => {
        this.#isWriter = true;
        return await this.#untilDone(() => this.#append(changes));
      });
    } finally {
      this.#writing--;
    }
  }

  async snapshot(): Promise<StoreSnapshot> {
    if (!this.#mirror.isLoaded) await this.#inTurn(() => this.#untilDone(() => this.#read()));
    else if (this.isUp)
      // What was known before is better than none.
      await this.#inTurn(() => this.#read()).catch(() => undefined);
    return this.#mirror.snapshot();
  }

  watch(revision: number, listener: (event: StoreEvent) => void): () => void {
    return this.#mirror.watch(revision, listener);
  }

  /** @throws SupersededError (rejects) */
  async markSynced(): Promise<void> {
    await this.#inTurn(async () => {
      this.#isWriter = true;
      await this.#untilDone(async () => {
        const [said] = await this.#run(syncedScript, [this.#token(), randomUUID()]);
        if (said === 'FENCED') throw superseded();
      });
      this.#mirror.synced();
    });
  }

  async synced(): Promise<boolean> {
    if (!this.#mirror.isSynced) await this.snapshot();
    return this.#mirror.isSynced;
  }

  onSynced(listener: () => void): () => void {
    return this.#mirror.onSynced(listener);
  }

  async #append(changes: readonly Change[]): Promise<number> {
    for (;;) {
      if (!this.#mirror.isLoaded) await this.#read();
      const { epoch, revision } = this.#mirror;
      const effective = this.#mirror.effective(changes);
      if (effective.length === 0) return revision;
      const next = revision + 1;
      const pairs = effective.flatMap(({ key, object }) => [key, object ? JSON.stringify(object) : '']);
      const known = [this.#token(), epoch, revision, randomUUID(), next];
      const args = [...known, 2 * this.#logLength, JSON.stringify(effective), ...pairs];
      const [said, written = ''] = await this.#run(appendScript, args);
      if (said === 'OK') {
        this.#mirror.append(written, { revision: next, changes: effective });
        return next;
      }
      if (said === 'FENCED') throw superseded();
      // Redis has lost the log, or somebody else has written.
      await this.#read();
    }
  }

  /** Brings the mirror up to date; begins the log anew where Redis has lost it and this process wrote it. */
  async #read(): Promise<void> {
    const { epoch: knownEpoch, revision: known } = this.#mirror;
    const [epoch, revision = '0', synced, kind, entries, objects] = (await runScript(
      this.#calls,
      readScript,
      [this.#keys.meta, this.#keys.objects, this.#keys.log],
      [knownEpoch, known],
    )) as [string, string?, string?, string?, StreamRow[]?, string[]?];
    if (epoch === '') {
      if (knownEpoch !== '' && this.#isWriter) await this.#refill();
      else this.#mirror.loaded();
      return;
    }
    if (kind === 'all') {
      const log = (entries ?? []).map(entryOf);
      this.#mirror.replace(epoch, Number(revision), objectsOf(objects ?? []), log);
    } else for (const row of entries ?? []) this.#mirror.append(epoch, entryOf(row));
    this.#mirror.loaded();
    if (synced === '1') this.#mirror.synced();
  }

  async #refill(): Promise<void> {
    const { objects, revision, isSynced } = this.#mirror;
    const next = revision + 1;
    const pairs = [...objects].flatMap(([key, object]) => [key, JSON.stringify(object)]);
    const token = this.#tokenNow();
    if (token === undefined) return;
    const [said, epoch = ''] = await this.#run(refillScript, [
      token,
      randomUUID(),
      next,
      isSynced ? '1' : '0',
      ...pairs,
    ]);
    // Whoever was faster leads: the next look at Redis says what it wrote.
    if (said === 'OK') this.#mirror.append(epoch, { revision: next, changes: [] });
  }

  /** Looks at Redis when there is an entry, and every so often. */
  async #follow(): Promise<void> {
    let pauseMs: number = pauses.first;
    while (!this.#isClosed) {
      try {
        await this.#inTurn(() => this.#read());
        const from = `${this.#mirror.revision}-0`;
        await this.#waits.call('XREAD', ['BLOCK', blockMs, 'COUNT', 1, 'STREAMS', this.#keys.log, from]);
        pauseMs = pauses.first;
      } catch {
        // The connection says why.
        await pause(pauseMs);
        pauseMs = longer(pauseMs);
      }
    }
  }

  async #run(script: Script, args: readonly (string | number)[]): Promise<readonly string[]> {
    const keys = [this.#keys.meta, this.#keys.objects, this.#keys.log];
    return (await runScript(this.#calls, script, keys, args)) as string[];
  }

  #tokenNow(): number | undefined {
    return this.options.token ? this.options.token() : 0;
  }

  #token(): number {
    const token = this.#tokenNow();
    if (token === undefined) throw new RedisUnavailableError('the lease of the mesh log is not held now');
    return token;
  }

  /** One after the other: a mirror has one revision. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Tries again while Redis is away; a script that was run already changes nothing when it is run again. */
  async #untilDone<T>(work: () => Promise<T>): Promise<T> {
    for (let pauseMs: number = pauses.first; ; pauseMs = longer(pauseMs)) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof SupersededError || this.#isClosed) throw error;
        await pause(pauseMs);
      }
    }
  }
}

type StreamRow = readonly [id: string, fields: readonly string[]];

function entryOf([id, fields]: StreamRow): LogEntry {
  return { revision: Number(id.split('-', 1)[0]), changes: JSON.parse(fields[1] ?? '[]') as Change[] };
}

/** HGETALL: keys and values in turn. */
function objectsOf(pairs: readonly string[]): ReadonlyMap<ObjectKey, ConfigObject> {
  const objects = new Map<ObjectKey, ConfigObject>();
  for (let i = 0; i + 1 < pairs.length; i += 2)
    objects.set(pairs[i] ?? '', JSON.parse(pairs[i + 1] ?? 'null') as ConfigObject);
  return objects;
}

function superseded(): SupersededError {
  return new SupersededError('another process leads: this one may not write the mesh log any more');
}

function longer(ms: number): number {
  return Math.min(2 * ms, pauses.longest);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : 'a listener failed', 'StoreListenerError');
}
