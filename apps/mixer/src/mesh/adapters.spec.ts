import { expect, it } from '@jest/globals';
import { mixerAdapters } from './adapters.js';

it('redisquota goes on with this mixer’s part of a limit while Redis is away, where it says so', async () => {
  const { kinds } = mixerAdapters({ replicas: 2 });
  const redisquota = kinds.find(({ name }) => name === 'redisquota');
  const warnings: string[] = [];
  const name = 'count.instance.default';
  const quotas = [{ name, maxAmount: 6, validDuration: '600s', rateLimitAlgorithm: 'FIXED_WINDOW' }];
  const granted = async (localFallback: boolean) => {
    // Nobody serves on port 1.
    const adapter = await redisquota!.make(
      { quotas, redisServerUrl: '127.0.0.1:1', localFallback },
      {
        handler: 'count.handler.default',
        instances: new Map([[name, { template: 'quota', maps: { dimensions: new Map() } }]]),
        now: Date.now,
        every: () => undefined,
        warn: (message) => warnings.push(message),
      },
    );
    let sum = 0;
    try {
      for (let i = 0; i < 6; i++) {
        const verdict = await adapter.quota!(
          { instance: name, dimensions: new Map() },
          { amount: 1, bestEffort: false },
        );
        sum += verdict.granted;
      }
      return sum;
    } finally {
      await adapter.close?.();
    }
  };
  expect(await granted(true)).toBe(3);
  await expect(granted(false)).rejects.toThrow();
  expect(warnings.join()).toMatch(/cannot count in .*127\.0\.0\.1:1/);
});
