// npm run bench -- rate-limit: a mixer that counts in memory; with --redis in a real Redis beside it.
import { withMixer } from './mixer.mjs';

const clients = 'rate-limit-clients.mjs';

/** @returns rows as `withMixer` makes them */
export async function measureRateLimit(options, progress) {
  return options.redis ? await measureInRedis(options, progress) : await measureInMemory(options, progress);
}

async function measureInMemory(options, progress) {
  return await withMixer({ options, clients, progress }, async ({ ask, row }) => {
    // Code is compiled as it runs hot: what is measured is a mixer that has worked for a while.
    await ask({ callers: 1000, total: 50_000, width: 64 });
    const rows = [];
    for (let rep = 0; rep < options.reps; rep++) {
      rows.push(
        await row('8,000 a second, 1,000 callers', { callers: 1000, total: 80_000, perSecond: 8000 }),
        await row('as many as it takes, 1,000 callers', { callers: 1000, total: 200_000, width: 64 }),
        await row('as many as it takes, 1 caller', { callers: 1, total: 200_000, width: 64 }),
        await row('as many as it takes, 100,000 callers', { callers: 100_000, total: 200_000, width: 64 }),
      );
    }
    return rows;
  });
}

/** Redis shares the cores of mixer and of those who ask. A call that is late is waited for: what is measured is time. */
async function measureInRedis(options, progress) {
  const { RedisServer } = await import('@seine/e2e');
  const redis = await RedisServer.start();
  const args = ['--redis', redis.url, '--redis-timeout', '10000'];
  try {
    return await withMixer({ options, clients, args, progress }, async ({ ask, row }) => {
      await ask({ callers: 1000, total: 30_000, width: 64, exact: true });
      const rows = [];
      for (let rep = 0; rep < options.reps; rep++) {
        const many = { callers: 1000, exact: true };
        rows.push(
          await row('exact, 3,000 a second, 1,000 callers', { ...many, total: 30_000, perSecond: 3000 }),
          await row('exact, as many as it takes, 1,000 callers', { ...many, total: 60_000, width: 64 }),
          await row('exact, as many as it takes, 1 caller', { ...many, callers: 1, total: 60_000, width: 64 }),
          await row('taken ahead, 8,000 a second, 1,000 callers', { callers: 1000, total: 80_000, perSecond: 8000 }),
          await row('taken ahead, as many as it takes, 1,000 callers', { callers: 1000, total: 200_000, width: 64 }),
        );
      }
      return rows;
    });
  } finally {
    await redis.stop();
  }
}
