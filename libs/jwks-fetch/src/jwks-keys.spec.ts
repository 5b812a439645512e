import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { FetchFailure } from './fetch-failure.js';
import { JwksKeys } from './jwks-keys.js';
import { signingKey } from './testing/token-issuer.js';

const [first, second] = [signingKey('ES256', '1'), signingKey('ES256', '2')].map(
  ({ jwk }) => `{"keys":[${JSON.stringify(jwk)}]}`,
) as [string, string];
const a = 'https://a.example.com/keys';
const b = 'https://b.example.com/keys';
const minute = 60_000;

/** Requests that are under way, by URL. */
const asked: {
  readonly url: string;
  readonly timeoutMs: number;
  answer: (text: string) => void;
  fail: (why: string) => void;
}[] = [];
const timers: { readonly run: () => void; readonly milliseconds: number }[] = [];
const fetched: boolean[] = [];
let changes = 0;
let now = 0;
let keys: JwksKeys;

function start(refreshMs?: number): void {
  keys = new JwksKeys({
    getDocument: (url, timeoutMs) =>
      new Promise((resolve, reject) => {
        asked.push({ url, timeoutMs, answer: resolve, fail: (why) => reject(new FetchFailure(why)) });
      }),
    now: () => now,
    later: (run, milliseconds) => {
      const timer = { run, milliseconds };
      timers.push(timer);
      return () => {
        if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
      };
    },
    refreshMs,
    onChange: () => changes++,
    fetched: (ok) => fetched.push(ok),
  });
}

beforeEach(() => {
  for (const list of [asked, timers, fetched]) list.length = 0;
  changes = 0;
  now = 1_000_000;
  start();
});
afterEach(() => keys.stop());

/** Resources with one rule each. */
function mesh(...rules: readonly object[]): ReadonlyMap<string, readonly ConfigObject[]> {
  const policies = rules.map((rule, i) => ({
    apiVersion: 'security.istio.io/v1',
    kind: 'RequestAuthentication',
    metadata: { name: `policy-${i}`, namespace: 'default' },
    spec: { jwtRules: [rule] },
  }));
  return new Map([['RequestAuthentication', policies]]);
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const request = (url: string) => asked.find((one) => one.url === url)!;
async function answer(url: string, text: string): Promise<void> {
  asked.splice(asked.indexOf(request(url)), 1)[0]!.answer(text);
  await settle();
}
async function fail(url: string, why = `${url} does not answer`): Promise<void> {
  asked.splice(asked.indexOf(request(url)), 1)[0]!.fail(why);
  await settle();
}
/** Lets the one timer that is set run, after its time. */
async function pass(): Promise<number> {
  const [timer] = timers.splice(0, 1);
  now += timer!.milliseconds;
  timer!.run();
  await settle();
  return timer!.milliseconds;
}
const jwksOf = (map: ReadonlyMap<string, { readonly jwks: string }>) =>
  [...map].map(([source, { jwks }]) => [source, jwks]);
const canonical = (text: string): string => {
  const { keys: list } = JSON.parse(text) as { keys: readonly Readonly<Record<string, string>>[] };
  return JSON.stringify({
    keys: list.map(({ kty, kid, alg, use, crv, x, y }) => ({ kty, kid, alg, use, crv, x, y })),
  });
};

describe('JwksKeys', () => {
  it('costs nothing where no rule needs keys', () => {
    const none = keys.follow(new Map());
    expect(keys.follow(mesh({ issuer: 'me', jwks: first }))).toBe(none);
    expect([none.size, asked.length, timers.length, keys.isLoading]).toEqual([0, 0, 0, false]);
  });

  it('J-11: gives what is there at once, and more when it comes', async () => {
    const both = mesh({ issuer: 'a', jwksUri: a }, { issuer: 'b', jwksUri: b });
    expect(keys.follow(both).size).toBe(0);
    expect(keys.isLoading).toBe(true);
    await answer(b, second);
    expect(changes).toBe(1);
    expect(jwksOf(keys.follow(both))).toEqual([[b, canonical(second)]]);
    // The other one still hangs.
    expect(asked.map(({ url }) => url)).toEqual([a]);
    await answer(a, first);
    const all = keys.follow(both);
    expect(jwksOf(all)).toEqual([
      [a, canonical(first)],
      [b, canonical(second)],
    ]);
    expect(keys.follow(both)).toBe(all);
    expect([keys.isLoading, changes]).toEqual([false, 2]);
  });

  it('finds keys through the issuer, and again where they were while discovery fails', async () => {
    const rule = mesh({ issuer: 'https://a.example.com/' });
    const discovery = 'https://a.example.com/.well-known/openid-configuration';
    keys.follow(rule);
    await answer(discovery, JSON.stringify({ jwks_uri: a }));
    await answer(a, first);
    expect(jwksOf(keys.follow(rule))).toEqual([['https://a.example.com/', canonical(first)]]);
    await pass();
    await fail(discovery);
    await answer(a, second);
    expect(jwksOf(keys.follow(rule))).toEqual([['https://a.example.com/', canonical(second)]]);
    expect(keys.status()).toMatchObject([{ state: 'ready', jwksUri: a }]);
  });

  it('J-12: asks an address once, however many rules name it, with the most patient one’s time', () => {
    keys.follow(
      mesh(
        { issuer: 'a', jwksUri: a },
        { issuer: 'b', jwksUri: a, timeout: '8s' },
        { issuer: 'c', jwksUri: a, timeout: '10ms' },
        { issuer: 'd', jwksUri: b, timeout: '1h' },
      ),
    );
    expect(asked.map(({ url, timeoutMs }) => [url, timeoutMs])).toEqual([
      [a, 8000],
      [b, 60_000],
    ]);
  });

  it('J-12: shares one request among places that lead to the same address', async () => {
    const rules = mesh({ issuer: 'a', jwksUri: a }, { issuer: 'https://a.example.com' });
    keys.follow(rules);
    await answer('https://a.example.com/.well-known/openid-configuration', JSON.stringify({ jwks_uri: a }));
    expect(asked.map(({ url }) => url)).toEqual([a]);
    await answer(a, first);
    expect([...keys.follow(rules).keys()]).toEqual([a, 'https://a.example.com']);
  });

  it('J-12: takes other keys at the next refresh, and tells of a change only then', async () => {
    const rule = mesh({ issuer: 'a', jwksUri: a });
    keys.follow(rule);
    await answer(a, first);
    const before = keys.follow(rule);
    expect(await pass()).toBe(20 * minute);
    await answer(a, first.replace('{"keys"', '{ "keys"'));
    expect([changes, keys.follow(rule)]).toEqual([1, before]);
    expect(keys.follow(rule)).toBe(before);
    await pass();
    await answer(a, second);
    expect(changes).toBe(2);
    expect(jwksOf(keys.follow(rule))).toEqual([[a, canonical(second)]]);
  });

  it('J-12: has at most so many requests under way, and all get their turn', async () => {
    const uri = (i: number) => `https://${i}.example.com/keys`;
    keys.follow(mesh(...Array.from({ length: 40 }, (_, i) => ({ issuer: `${i}`, jwksUri: uri(i) }))));
    const most: number[] = [];
    for (let i = 0; i < 40; i++) {
      most.push(asked.length);
      await fail(uri(i));
    }
    expect(Math.max(...most)).toBe(16);
    expect(asked).toEqual([]);
    expect(keys.status().map(({ state }) => state)).toEqual(new Array(40).fill('failed'));
  });

  it('J-9: has no keys of a provider that is away, says so, and tries again with growing pauses', async () => {
    const rules = mesh({ issuer: 'a', jwksUri: a }, { issuer: 'b', jwksUri: b });
    keys.follow(rules);
    await answer(b, second);
    timers.length = 0;
    await fail(a);
    expect([...keys.follow(rules).keys()]).toEqual([b]);
    expect(keys.diagnostics()).toEqual([
      {
        severity: 'warning',
        code: 'SEINE-JWKS-FETCH',
        message: `The keys cannot be fetched: ${a} does not answer. Until they are there, all tokens of this issuer are refused.`,
        object: { kind: 'RequestAuthentication', namespace: 'default', name: 'policy-0' },
        path: 'spec.jwtRules[0].jwksUri',
      },
    ]);
    const [before, pauses] = [changes, [] as number[]];
    for (let i = 0; i < 11; i++) {
      pauses.push((await pass()) / 1000);
      await fail(a);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    // The same failure is no change.
    expect(changes).toBe(before);
    await pass();
    await answer(a, first);
    expect([...keys.follow(rules).keys()].sort()).toEqual([a, b]);
    expect(keys.diagnostics()).toEqual([]);
    expect(fetched).toEqual([true, ...new Array<boolean>(12).fill(false), true]);
  });

  it('J-10: keeps the last good keys for a week, and tells their age', async () => {
    const rule = mesh({ issuer: 'a', jwksUri: a });
    keys.follow(rule);
    await answer(a, first);
    const good = keys.follow(rule);
    const day = 24 * 60 * minute;
    const end = now + 7 * day;
    await pass();
    await fail(a);
    expect(keys.follow(rule)).toBe(good);
    expect(keys.status()).toMatchObject([
      { state: 'stale', keys: 1, ageSeconds: 20 * 60, failures: 1, fetchedAt: '1970-01-01T00:16:40.000Z' },
    ]);
    expect(keys.diagnostics()[0]?.message).toContain('Those of 1970-01-01T00:16:40.000Z stay in force.');
    while (now + 5 * minute < end) {
      await pass();
      await fail(a);
    }
    expect(keys.follow(rule)).toBe(good);
    for (let i = 0; i < 2; i++) {
      await pass();
      await fail(a);
    }
    expect(keys.follow(rule).size).toBe(0);
    expect(keys.status()).toMatchObject([{ state: 'failed', keys: 0 }]);
  });

  it.each([
    ['what is no key set', '<html>Welcome</html>', 'is not JSON'],
    ['an error in JSON', '{"error":"busy"}', 'is not a JSON Web Key Set'],
  ])('J-10: keeps them too when it gets %s', async (_what, text, said) => {
    const rule = mesh({ issuer: 'a', jwksUri: a });
    keys.follow(rule);
    await answer(a, first);
    const good = keys.follow(rule);
    await pass();
    await answer(a, text);
    expect(keys.follow(rule)).toBe(good);
    expect(keys.diagnostics()[0]?.message).toContain(said);
  });

  it('says which keys it leaves out', async () => {
    keys.follow(mesh({ issuer: 'a', jwksUri: a }));
    await answer(a, first.replace('[', '[{"kty":"oct","k":"c2VjcmV0"},'));
    expect(keys.diagnostics().map(({ message }) => message)).toEqual([
      expect.stringContaining(`A key of ${a} is left out: keys[0] is symmetric`),
    ]);
  });

  it('refreshes as often as asked for, also after failures', async () => {
    start(500);
    keys.follow(mesh({ issuer: 'a', jwksUri: a }));
    await answer(a, first);
    expect(await pass()).toBe(500);
    await fail(a);
    expect(await pass()).toBe(500);
  });

  it('forgets what no rule names any more, also in the middle of a request', async () => {
    keys.follow(mesh({ issuer: 'a', jwksUri: a }, { issuer: 'b', jwksUri: b }));
    await answer(b, second);
    expect(keys.follow(new Map()).size).toBe(0);
    expect([timers.length, keys.status()]).toEqual([0, []]);
    const before = changes;
    await answer(a, first);
    expect([changes, timers.length]).toEqual([before, 0]);
  });

  it('does nothing any more once it is stopped', async () => {
    keys.follow(mesh({ issuer: 'a', jwksUri: a }, { issuer: 'b', jwksUri: b }));
    await answer(b, second);
    keys.stop();
    const before = changes;
    await answer(a, first);
    expect([changes, timers.length]).toEqual([before, 0]);
  });
});
