// npm run bench -- access-log: mixer, told of requests by the access logs of Envoys.
import { withMixer } from './mixer.mjs';

/** @returns rows as `withMixer` makes them, of log entries */
export async function measureAccessLog(options, progress) {
  return await withMixer({ options, clients: 'access-log-clients.mjs', progress }, async ({ ask, row, admin }) => {
    const task = { admin, entriesAMessage: 40, purposes: ['graph', 'metrics'] };
    // Code is compiled as it runs hot: what is measured is a mixer that has worked for a while.
    await ask({ ...task, rows: 1000, total: 100_000 });
    const rows = [];
    for (let rep = 0; rep < options.reps; rep++) {
      rows.push(
        await row('counted, 100 combinations of labels', { ...task, rows: 100, total: 300_000 }),
        await row('counted, 5,000 combinations of labels', { ...task, rows: 5000, total: 300_000 }),
        await row('counted, 50,000 combinations, more than there may be', { ...task, rows: 50_000, total: 300_000 }),
        await row('for the graph alone', { ...task, rows: 100, total: 300_000, purposes: ['graph'] }),
      );
    }
    return rows;
  });
}
