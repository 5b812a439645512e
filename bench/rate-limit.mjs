// npm run bench -- rate-limit: a mixer that counts in memory.
import { withMixer } from './mixer.mjs';

/** @returns rows as `withMixer` makes them */
export async function measureRateLimit(options, progress) {
  return await withMixer({ options, clients: 'rate-limit-clients.mjs', progress }, async ({ ask, row }) => {
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
