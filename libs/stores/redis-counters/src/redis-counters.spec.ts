import { describe, expect, it } from '@jest/globals';
import type { Hit } from '@seine/rate-limit';
import type { RedisArgument } from '@seine/redis';
import { RedisCounters, type RedisCountersOptions } from './redis-counters.js';

type Call = readonly [command: string, ...args: readonly RedisArgument[]];

const hit = (key: string): Hit => ({
  key,
  limit: { requests: 10, windowMs: 1000, algorithm: 'FIXED_WINDOW' },
  hits: 1,
  exact: true,
});
const words = (count: number): string => Array.from({ length: count }, (_, i) => `1 ${i} 5`).join(' ');
/** How many hits a call carries: five numbers each, behind the clock and the grace. */
const hitsOf = (call: Call): number => ((JSON.parse(String(call.at(-1))) as number[]).length - 2) / 5;

/** Counters on a Redis that answers by this. */
function on(answer: (call: Call) => unknown, options: RedisCountersOptions = {}) {
  const calls: Call[] = [];
  const call = (command: string, args: readonly RedisArgument[]): Promise<unknown> => {
    const made: Call = [command, ...args];
    calls.push(made);
    return Promise.resolve().then(() => answer(made));
  };
  return { calls, counters: new RedisCounters({ call }, options) };
}

describe('decisions on their way to Redis', () => {
  it('of one turn go together, each key once, and come back apart', async () => {
    const { calls, counters } = on((call) => words(hitsOf(call)));
    const answers = await Promise.all([
      counters.count([hit('a'), hit('b')], 0),
      counters.count([hit('a')], 0),
      counters.count([], 0),
    ]);
    expect(answers.map((verdicts) => verdicts.map(({ remaining }) => remaining))).toEqual([[0, 1], [2], []]);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.[2]).toBe(2);
    await counters.count([hit('a')], 0);
    expect(calls).toHaveLength(2);
  });

  it('go in several scripts where they are many, none in two', async () => {
    const { calls, counters } = on((call) => words(hitsOf(call)), { maxBatch: 4 });
    const sizes = [3, 3, 1, 6, 1];
    const answers = await Promise.all(
      sizes.map((size) =>
        counters.count(
          Array.from({ length: size }, (_, i) => hit(`k${i}`)),
          0,
        ),
      ),
    );
    expect(answers.map(({ length }) => length)).toEqual(sizes);
    expect(calls.map(hitsOf)).toEqual([3, 4, 6, 1]);
  });

  it('of one clock each go together where it is the callers’', async () => {
    const { calls, counters } = on((call) => words(hitsOf(call)), { clock: 'caller' });
    await Promise.all([0, 0, 5, 5, 5].map((now) => counters.count([hit('k')], now)));
    expect(calls.map(hitsOf)).toEqual([2, 3]);
  });

  it('bring the script along when Redis does not know it', async () => {
    const { calls, counters } = on((call) => {
      if (call[0] === 'EVALSHA') throw new Error('NOSCRIPT No matching script.');
      return words(hitsOf(call));
    });
    expect(await counters.count([hit('k')], 0)).toEqual([{ allowed: true, remaining: 0, resetMs: 5 }]);
    expect(calls.map(([command]) => command)).toEqual(['EVALSHA', 'EVAL']);
    expect(calls[1]?.slice(2)).toEqual(calls[0]?.slice(2));
  });

  it.each([
    ['Redis fails', () => Promise.reject(new Error('OOM command not allowed')), 'OOM'],
    ['Redis answers less', () => words(1), '1 counts for 2'],
    ['Redis answers nonsense', () => null, '0 counts for 2'],
  ])('fail together when %s', async (_, answer, message) => {
    const { counters } = on(answer);
    const outcomes = await Promise.allSettled([counters.count([hit('a')], 0), counters.count([hit('b')], 0)]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringContaining(message) },
      });
  });
});
