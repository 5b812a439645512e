/**
 * How time is cut.
 * - `FIXED_WINDOW`: counts begin anew at each multiple of the window since 1970, so that all replicas agree on when.
 * - `SLIDING_WINDOW`: the last window's count fades as this one passes: no doubled burst where two windows meet.
 * - `TOKEN_BUCKET`: requests come back one by one, at an even pace; at most a window's worth at once.
 */
export type Algorithm = 'FIXED_WINDOW' | 'SLIDING_WINDOW' | 'TOKEN_BUCKET';

export interface Limit {
  /** How many requests pass in a window; 0 = none. */
  readonly requests: number;
  readonly windowMs: number;
  readonly algorithm: Algorithm;
}

/** What has been counted of one key. Its meaning depends on the algorithm; a store keeps it and need not know. */
export interface CountState {
  /** FIXED, SLIDING: start of the window that `count` is of. TOKEN_BUCKET: when the bucket is full again. */
  readonly at: number;
  readonly count: number;
  /** SLIDING: the count of the window before. */
  readonly before: number;
}

export interface Verdict {
  readonly allowed: boolean;
  /** How many more requests would pass now. */
  readonly remaining: number;
  /** How long until the window ends, or the bucket is full. */
  readonly resetMs: number;
}

export interface Counted {
  readonly verdict: Verdict;
  readonly state: CountState;
  /** From when on the state says nothing more than no state does. */
  readonly expiresAt: number;
}

/**
 * Counts hits if there is room for all of them. What is refused is not counted: a client that keeps knocking gets in as
 * soon as one who knocks once.
 * @param state what was counted until now; undefined = nothing
 * @param now milliseconds since 1970
 */
export function count(limit: Limit, state: CountState | undefined, hits: number, now: number): Counted {
  return algorithms[limit.algorithm](limit, state, hits, now);
}

const algorithms: Readonly<Record<Algorithm, typeof count>> = {
  FIXED_WINDOW: countInWindow,
  SLIDING_WINDOW: countInSlidingWindow,
  TOKEN_BUCKET: countInBucket,
};

function windowStart(now: number, windowMs: number): number {
  return now - (now % windowMs);
}

function countInWindow({ requests, windowMs }: Limit, state: CountState | undefined, hits: number, now: number) {
  const at = windowStart(now, windowMs);
  // A clock that went back must not open a window again that is full.
  const known = state && state.at >= at ? state : { at, count: 0, before: 0 };
  const allowed = known.count + hits <= requests;
  const total = allowed ? known.count + hits : known.count;
  const end = known.at + windowMs;
  return {
    verdict: { allowed, remaining: Math.max(0, requests - total), resetMs: end - now },
    state: { at: known.at, count: total, before: 0 },
    expiresAt: end,
  };
}

function countInSlidingWindow({ requests, windowMs }: Limit, state: CountState | undefined, hits: number, now: number) {
  const at = windowStart(now, windowMs);
  const known = slide(state, at, windowMs);
  const passed = Math.max(0, now - known.at);
  const faded = known.before * (1 - Math.min(1, passed / windowMs));
  const used = faded + known.count;
  const allowed = used + hits <= requests;
  const total = allowed ? known.count + hits : known.count;
  return {
    verdict: {
      allowed,
      remaining: Math.max(0, Math.floor(requests - faded - total)),
      resetMs: known.at + windowMs - now,
    },
    state: { ...known, count: total },
    expiresAt: known.at + 2 * windowMs,
  };
}

function slide(state: CountState | undefined, at: number, windowMs: number): CountState {
  if (!state) return { at, count: 0, before: 0 };
  if (state.at >= at) return state;
  return { at, count: 0, before: state.at === at - windowMs ? state.count : 0 };
}

/** The generic cell rate algorithm (ITU-T I.371): one number says it all, when the bucket would be full again. */
function countInBucket({ requests, windowMs }: Limit, state: CountState | undefined, hits: number, now: number) {
  const pace = windowMs / requests;
  const fullAt = Math.max(state?.at ?? now, now);
  const next = fullAt + hits * pace;
  // Half of a microsecond for what adding fractions loses.
  const allowed = requests > 0 && next - now <= windowMs + 0.0005;
  const at = allowed ? next : fullAt;
  return {
    verdict: {
      allowed,
      remaining: requests > 0 ? Math.max(0, Math.floor((windowMs - (at - now)) / pace + 1e-6)) : 0,
      resetMs: at - now,
    },
    state: { at, count: 0, before: 0 },
    expiresAt: at,
  };
}
