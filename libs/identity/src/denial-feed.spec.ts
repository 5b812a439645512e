import { afterEach, expect, it } from '@jest/globals';
import { DenialFeed } from './denial-feed.js';

const id = 'spiffe://cluster.local/ns/default/sa/lost';
let feed: DenialFeed;
afterEach(() => feed.stop());

/** A feed whose questions the test answers, one after the other. */
function follow() {
  const asked: { readonly url: string; readonly signal: AbortSignal; answer(text: string | Error): void }[] = [];
  const [warnings, pauses]: [string[], number[]] = [[], []];
  let changes = 0;
  feed = new DenialFeed({
    citadelAdmin: new URL('http://citadel:15014'),
    read: (url, signal) =>
      new Promise((resolve, reject) => {
        const answer = (text: string | Error) => (text instanceof Error ? reject(text) : resolve(text));
        asked.push({ url: url.href, signal, answer });
      }),
    onWarning: (message) => void warnings.push(message),
    later: (run, ms) => {
      pauses.push(ms);
      const handle = setImmediate(run);
      return () => clearImmediate(handle);
    },
  });
  feed.onChange(() => changes++);
  feed.start();
  /** Answers the last question, and waits for the next one. */
  const answer = async (text: string | Error) => {
    const count = asked.length;
    asked[count - 1]?.answer(text);
    while (asked.length === count) await new Promise((resolve) => setImmediate(resolve));
  };
  return { asked, warnings, pauses, answer, changes: () => changes };
}
const report = (revision: number, denied: readonly string[]) => JSON.stringify({ revision, denied });

it('asks for the list, and then for each change of it', async () => {
  const { asked, answer, changes, pauses } = follow();
  await answer(report(0, []));
  expect([feed.isDenied(id), changes()]).toEqual([false, 1]);
  await answer(report(0, []));
  expect(changes()).toBe(1);
  await answer(report(1, [id]));
  expect([feed.isDenied(id), changes()]).toEqual([true, 2]);
  await answer(report(2, []));
  expect([feed.isDenied(id), changes()]).toEqual([false, 3]);
  const at = 'http://citadel:15014/denied';
  const since = (revision: number) => `${at}?since=${revision}&wait=25`;
  expect(asked.map(({ url }) => url)).toEqual([at, since(0), since(0), since(1), since(2)]);
  expect(pauses).toEqual([0, 0, 0, 0]);
});

it.each<[string, string | Error]>([
  ['citadel is away', new Error('ECONNREFUSED')],
  ['the answer is none', 'junk'],
  ['the answer is of another form', '{"revision": 2, "denied": [1]}'],
])('keeps whom it knows where %s, says so once, and asks again after a while', async (_what, trouble) => {
  const { answer, changes, warnings, pauses } = follow();
  await answer(report(1, [id]));
  await answer(trouble);
  await answer(trouble);
  expect([feed.isDenied(id), changes(), pauses]).toEqual([true, 1, [0, 2000, 2000]]);
  expect(warnings).toEqual([expect.stringMatching(/^who is revoked cannot be had from http:.*asking again$/)]);
  await answer(report(2, []));
  expect(feed.isDenied(id)).toBe(false);
});

it('ends its question when it is stopped, and is silent about it', async () => {
  const { asked, warnings } = follow();
  feed.stop();
  expect(asked[0]?.signal.aborted).toBe(true);
  asked[0]?.answer(new Error('aborted'));
  await new Promise((resolve) => setImmediate(resolve));
  expect([asked.length, warnings]).toEqual([1, []]);
});
