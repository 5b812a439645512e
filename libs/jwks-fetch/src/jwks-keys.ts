import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';
import type { KeySet } from '@seine/model';
import { discover, type FoundKeys, publicKeysOf } from './find-keys.js';
import { Slots } from './slots.js';
import { type Wanted, wantedKeys } from './wanted-keys.js';

export interface JwksKeysOptions {
  /** @throws FetchFailure */
  readonly getDocument: (url: string, timeoutMs: number) => Promise<string>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Runs a function after so many milliseconds. @returns what forgets it */
  readonly later: (run: () => void, milliseconds: number) => () => void;
  /** Between two fetches of keys that are there, ms; default Istio's 20 minutes. */
  readonly refreshMs?: number | undefined;
  /** `follow` gives another map now: some keys are other ones, or have been looked for for the first time. */
  readonly onChange: () => void;
  /** A request to some provider has ended. */
  readonly fetched?: ((ok: boolean) => void) | undefined;
}

/** How it stands with the keys of one place. */
export interface KeySourceStatus {
  /** `jwksUri`, or the issuer where discovery finds it. */
  readonly source: string;
  /** Where the keys in force come from. */
  readonly jwksUri?: string | undefined;
  /** `stale`: in force, although the last try to refresh them failed. */
  readonly state: 'loading' | 'ready' | 'stale' | 'failed';
  /** Number of keys in force. */
  readonly keys: number;
  /** When the keys in force were fetched last, RFC 3339. */
  readonly fetchedAt?: string | undefined;
  readonly ageSeconds?: number | undefined;
  /** Why the last try failed. */
  readonly message?: string | undefined;
  /** How often it has failed since it succeeded. */
  readonly failures: number;
  /** Keys of the provider that are not in force, and why. */
  readonly leftOut: readonly string[];
  /** `namespace/name` of the resources that name it. */
  readonly usedBy: readonly string[];
}

const minute = 60_000;
export const defaultRefreshMs = 20 * minute;
const firstPauseMs = 1000;
const longestPauseMs = 5 * minute;
/** For so long keys stay in force that nobody can confirm (as Istio's JwtPubKeyEvictionDuration). */
const longestAgeMs = 7 * 24 * 60 * minute;
/** Fetches that are under way at once, over all providers. */
const fetchesAtOnce = 16;

/** One place of keys, shared by all rules that name it. */
interface Source {
  readonly jwksUri: string | undefined;
  readonly issuer: string;
  timeoutMs: number;
  /** The last good keys. */
  found?: FoundKeys;
  keySet?: KeySet;
  fetchedAt?: number;
  failure?: string;
  failures: number;
  /** Forgets the next try. */
  cancel?: () => void;
  abandoned: boolean;
}

/**
 * Fetches the keys of the issuers that RequestAuthentications name, and fetches them again from time to time, each place by
 * itself: one that hangs or fails delays no other. What was fetched last stays in force while it cannot be refreshed.
 */
export class JwksKeys {
  readonly #sources = new Map<string, Source>();
  readonly #slots = new Slots(fetchesAtOnce);
  /** Requests that are under way, by URL: places that lead to the same one share it. */
  readonly #underWay = new Map<string, Promise<string>>();
  #wanted: readonly Wanted[] = [];
  #current: ReadonlyMap<string, KeySet> = new Map();
  #stopped = false;

  constructor(private readonly options: JwksKeysOptions) {}

  /**
   * The keys that a mesh's resources name, as far as they are known, by source; begins to fetch those that are new. Never waits. The
   * same map while nothing changed; a key set keeps its identity.
   */
  follow(resources: ReadonlyMap<string, readonly ConfigObject[]>): ReadonlyMap<string, KeySet> {
    this.#wanted = wantedKeys(resources);
    const timeouts = new Map<string, number>();
    for (const { source, timeoutMs } of this.#wanted)
      timeouts.set(source, Math.max(timeoutMs, timeouts.get(source) ?? 0));
    for (const [key, source] of this.#sources) if (!timeouts.has(key)) this.#forget(key, source);
    for (const { source, jwksUri, issuer } of this.#wanted) {
      const timeoutMs = timeouts.get(source) ?? 0;
      const known = this.#sources.get(source);
      if (known) known.timeoutMs = timeoutMs;
      else {
        this.#sources.set(source, { jwksUri, issuer, timeoutMs, failures: 0, abandoned: false });
        void this.#refresh(source);
      }
    }
    return this.#update();
  }

  /** Whether some keys have not been looked for yet to the end. */
  get isLoading(): boolean {
    return [...this.#sources.values()].some(({ found, failures }) => !found && failures === 0);
  }

  status(): readonly KeySourceStatus[] {
    return [...this.#sources].map(([key, source]) => this.#statusOf(key, source));
  }

  /** A warning for each rule whose keys cannot be had, or not all of them. */
  diagnostics(): readonly Diagnostic[] {
    return this.#wanted.flatMap((wanted) => {
      const source = this.#sources.get(wanted.source);
      return source ? messagesOf(source).map((message) => warning(wanted, message)) : [];
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const source of this.#sources.values()) source.cancel?.();
  }

  #forget(key: string, source: Source): void {
    source.abandoned = true;
    source.cancel?.();
    this.#sources.delete(key);
  }

  async #refresh(key: string): Promise<void> {
    const source = this.#sources.get(key);
    if (!source || this.#stopped) return;
    const first = !source.found && source.failures === 0;
    const before = source.keySet;
    const failed = source.failure;
    try {
      this.#take(key, source, await this.#find(source));
    } catch (error) {
      source.failures++;
      source.failure = error instanceof Error ? error.message : String(error);
      this.#dropOld(source);
    }
    if (source.abandoned || this.#isStopped()) return;
    source.cancel = this.options.later(() => void this.#refresh(key), this.#pauseOf(source));
    if (first || source.keySet !== before || source.failure !== failed) this.options.onChange();
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  #pauseOf({ failures }: Source): number {
    const { refreshMs = defaultRefreshMs } = this.options;
    if (failures === 0) return refreshMs;
    return Math.min(refreshMs, longestPauseMs, firstPauseMs * 2 ** (failures - 1));
  }

  #take(key: string, source: Source, found: FoundKeys): void {
    source.failures = 0;
    delete source.failure;
    source.fetchedAt = this.options.now();
    source.found = found;
    if (source.keySet?.jwks !== found.jwks) source.keySet = Object.freeze({ source: key, jwks: found.jwks });
  }

  #dropOld(source: Source): void {
    if (source.fetchedAt === undefined || this.options.now() - source.fetchedAt < longestAgeMs) return;
    delete source.found;
    delete source.keySet;
    delete source.fetchedAt;
  }

  async #find({ jwksUri, issuer, found, timeoutMs }: Source): Promise<FoundKeys> {
    const get = (url: string): Promise<string> => this.#get(url, timeoutMs);
    const uri =
      jwksUri ??
      (await discover(get, issuer).catch((error: unknown) => {
        // Where the keys were last, they may still be.
        if (found) return found.jwksUri;
        throw error;
      }));
    return publicKeysOf(await get(uri), uri);
  }

  #get(url: string, timeoutMs: number): Promise<string> {
    const underWay = this.#underWay.get(url);
    if (underWay) return underWay;
    const request = this.#slots
      .run(() => this.options.getDocument(url, timeoutMs))
      .finally(() => this.#underWay.delete(url));
    this.#underWay.set(url, request);
    const { fetched } = this.options;
    request.then(
      () => fetched?.(true),
      () => fetched?.(false),
    );
    return request;
  }

  #statusOf(key: string, source: Source): KeySourceStatus {
    const { found, fetchedAt, failure, failures } = source;
    const users = this.#wanted.filter((wanted) => wanted.source === key);
    const failedState = found ? 'stale' : 'failed';
    return {
      source: key,
      jwksUri: found?.jwksUri,
      state: failure !== undefined ? failedState : found ? 'ready' : 'loading',
      keys: found?.count ?? 0,
      fetchedAt: fetchedAt === undefined ? undefined : new Date(fetchedAt).toISOString(),
      ageSeconds: fetchedAt === undefined ? undefined : Math.floor((this.options.now() - fetchedAt) / 1000),
      message: failure,
      failures,
      leftOut: found?.leftOut ?? [],
      usedBy: [...new Set(users.map(({ resource: { metadata } }) => `${metadata.namespace}/${metadata.name}`))],
    };
  }

  #update(): ReadonlyMap<string, KeySet> {
    const next = new Map<string, KeySet>();
    for (const [key, { keySet }] of this.#sources) if (keySet) next.set(key, keySet);
    const same = next.size === this.#current.size && [...next].every(([key, set]) => this.#current.get(key) === set);
    if (!same) this.#current = next;
    return this.#current;
  }
}

function messagesOf({ failure, found, fetchedAt = 0 }: Source): readonly string[] {
  const leftOut = (found?.leftOut ?? []).map((reason) => `A key of ${found?.jwksUri ?? ''} is left out: ${reason}.`);
  if (failure === undefined) return leftOut;
  const instead = found
    ? `Those of ${new Date(fetchedAt).toISOString()} stay in force.`
    : 'Until they are there, all tokens of this issuer are refused.';
  return [`The keys cannot be fetched: ${failure}. ${instead}`, ...leftOut];
}

function warning({ resource, rule, jwksUri }: Wanted, message: string): Diagnostic {
  const { kind, metadata } = resource;
  return {
    severity: 'warning',
    code: 'SEINE-JWKS-FETCH',
    message,
    object: { kind, namespace: metadata.namespace, name: metadata.name },
    path: `spec.jwtRules[${rule}].${jwksUri === undefined ? 'issuer' : 'jwksUri'}`,
  };
}
