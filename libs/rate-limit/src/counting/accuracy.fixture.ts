import type { Counters, Hit } from './counters.js';
import type { Limit, Verdict } from './limit.js';
import { MemoryCounters } from './memory-counters.js';
import { SharedCounters } from './shares.js';

export interface Simulated {
  readonly limit: Limit;
  readonly exact: boolean;
  /** Requests a second that each replica gets. */
  readonly load: readonly number[];
  readonly seconds: number;
  /** How long the store takes to answer, ms: one of these for each call. */
  readonly latencies: readonly number[];
}

export interface Accuracy {
  readonly asked: number;
  readonly passed: number;
  /** What one place would have let through that sees each request at once. */
  readonly ideal: number;
  /** The most that passed within one window's length, wherever it begins, in parts of the limit. */
  readonly fullest: number;
  /** Calls of the store in parts of the requests. */
  readonly storeCalls: number;
}

/** A store some milliseconds away: it counts when a question gets there, half of the way. */
class DistantStore implements Counters {
  readonly #memory = new MemoryCounters();
  readonly #due = new Map<number, (() => void)[]>();
  now = 0;
  calls = 0;

  constructor(private readonly latencies: readonly number[]) {}

  count(hits: readonly Hit[]): Promise<readonly Verdict[]> {
    const latency = this.latencies[this.calls++ % this.latencies.length] ?? 0;
    return new Promise((resolve) => {
      this.#at(this.now + (latency >> 1), () => {
        const verdicts = this.#memory.count(hits, this.now);
        this.#at(this.now + latency - (latency >> 1), () => resolve(verdicts));
      });
    });
  }

  advance(now: number): void {
    this.now = now;
    const due = this.#due.get(now);
    this.#due.delete(now);
    for (const run of due ?? []) run();
  }

  #at(time: number, run: () => void): void {
    if (time <= this.now) {
      run();
      return;
    }
    const due = this.#due.get(time);
    if (due) due.push(run);
    else this.#due.set(time, [run]);
  }
}

/** Runs requests through replicas that take shares from one store, in time that is only counted. */
export async function simulate({ limit, exact, load, seconds, latencies }: Simulated): Promise<Accuracy> {
  const store = new DistantStore(latencies);
  const replicas = load.map(() => new SharedCounters(store, { replicas: load.length }));
  const ideal = new MemoryCounters();
  const hit: Hit = { key: 'k', limit, hits: 1, exact };
  const start = 1_700_000_000_000;
  const passedAt: number[] = new Array<number>(seconds * 1000).fill(0);
  const waiting: Promise<void>[] = [];
  let asked = 0;
  let idealPassed = 0;
  const ask = async (replica: SharedCounters, now: number): Promise<void> => {
    const [verdict] = await replica.count([hit], now);
    // A request passes when it is answered; what is answered after the end is not looked at.
    const ms = store.now - start;
    if (verdict?.allowed && ms < passedAt.length) passedAt[ms]!++;
  };
  for (let ms = 0; ms < seconds * 1000 + 1000; ms++) {
    const now = start + ms;
    store.advance(now);
    if (ms < seconds * 1000)
      for (const [i, perSecond] of load.entries()) {
        const count = Math.floor(((ms + 1) * perSecond) / 1000) - Math.floor((ms * perSecond) / 1000);
        asked += count;
        for (let n = 0; n < count; n++) {
          waiting.push(ask(replicas[i]!, now));
          if (ideal.count([hit], now)[0]?.allowed) idealPassed++;
        }
      }
    // Whatever follows from what was answered happens before the next millisecond.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(waiting);
  return {
    asked,
    passed: passedAt.reduce((sum, one) => sum + one, 0),
    ideal: idealPassed,
    fullest: fullestWindow(passedAt, limit),
    storeCalls: store.calls / asked,
  };
}

function fullestWindow(passedAt: readonly number[], { requests, windowMs, algorithm }: Limit): number {
  let inside = 0;
  let most = 0;
  for (const [ms, passed] of passedAt.entries()) {
    // Fixed windows are those of the clock.
    if (algorithm === 'FIXED_WINDOW') inside = ms % windowMs === 0 ? 0 : inside;
    else inside -= passedAt[ms - windowMs] ?? 0;
    inside += passed;
    most = Math.max(most, inside);
  }
  return most / requests;
}
