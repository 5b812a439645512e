import type { KeyObject } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  issueCertificate,
  makeCertificateRequest,
  makeRoot,
  makeWorkloadKey,
  readCertificateRequest,
  readSigner,
  type Signer,
  type WorkloadIdentity,
} from '@seine/ca';
import { retryDelay } from './backoff.js';
import { AuthorityError, type HeldCertificate, type Proof, WorkloadCertificate } from './workload-certificate.js';

/** Thirty hours of tries make thousands of requests. */
jest.setTimeout(60_000);

const identity: WorkloadIdentity = { trustDomain: 'td', namespace: 'default', serviceAccount: 'reviews' };
const start = Date.parse('2030-01-01T00:00:00Z');
const hour = 3_600_000;

/** Timers that fire when the test says so. */
class FakeClock {
  time = start;
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();

  readonly now = () => this.time;
  readonly later = (run: () => void, ms: number) => {
    const timer = { at: this.time + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  get pending(): number {
    return this.#timers.size;
  }

  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.run();
      await settled();
    }
    this.time = end;
  }

  /** The wall clock moves and timers do not notice, as when a laptop sleeps. */
  jump(ms: number): void {
    this.time += ms;
  }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

let keys: readonly KeyObject[];
let signer: Signer;
let rootsOf: ReadonlyMap<string, readonly string[]>;
let otherSigner: Signer;
let otherRoot: string;

beforeAll(async () => {
  keys = await Promise.all([makeWorkloadKey('ecdsa-p256'), makeWorkloadKey('ecdsa-p256')]);
  const options = { trustDomain: 'td', now: start, lifetimeMs: 1000 * hour };
  const [files, other] = [await makeRoot(options), await makeRoot(options)];
  signer = readSigner(files, start);
  rootsOf = new Map([['td', [files.certificate]]]);
  otherSigner = readSigner(other, start);
  otherRoot = other.certificate;
});

describe('WorkloadCertificate', () => {
  let clock: FakeClock;
  let token: string | undefined;
  let bundles: ReadonlyMap<string, readonly string[]>;
  let proofs: string[];
  let issued: HeldCertificate[];
  let failed: { readonly reason: string; readonly at: number; readonly waitMs: number }[];
  let asked: number[];
  /** What citadel does; throws when it is away. */
  let answer: (request: ReturnType<typeof readCertificateRequest>, proof: Proof) => readonly string[];
  let certificate: WorkloadCertificate;
  let random: number;

  let lifetimeMs: number;

  const issue = (request: ReturnType<typeof readCertificateRequest>, by = signer, of = identity) =>
    issueCertificate(by, { identity: of, request, lifetimeMs, now: clock.now() }).chain;
  const away = () => {
    throw new Error('away');
  };

  beforeEach(() => {
    clock = new FakeClock();
    lifetimeMs = 24 * hour;
    token = 'token';
    bundles = rootsOf;
    [proofs, issued, failed, asked] = [[], [], [], []];
    answer = (request) => issue(request);
    random = 0.5;
    certificate = new WorkloadCertificate({
      identity,
      makeKey: () => Promise.resolve(keys[asked.length % 2]!),
      ask: (csr, proof) => {
        asked.push(clock.now());
        proofs.push(proof.by);
        // As over a network: never at once.
        return Promise.resolve().then(() => answer(readCertificateRequest(csr), proof));
      },
      token: () => token,
      bundles: () => bundles,
      onIssued: (held) => issued.push(held),
      onFailed: (reason, waitMs) => failed.push({ reason, waitMs, at: clock.now() }),
      now: clock.now,
      random: () => random,
      later: clock.later,
    });
  });
  const run = async () => {
    certificate.start();
    await settled();
  };

  it('asks by token, then renews by its own certificate with another key', async () => {
    await run();
    await clock.advance(13 * hour);
    expect(proofs).toEqual(['token', 'certificate']);
    expect(issued[0]!.key).not.toBe(issued[1]!.key);
    expect(issued[0]!.chain).toHaveLength(1);
    expect(failed).toEqual([]);
  });

  it.each([
    [0, 0.49],
    [0.5, 0.5],
    [0.999999, 0.51],
  ])('S-4 renews at half of the life, one hundredth to and fro: random %d', async (value, part) => {
    random = value;
    await run();
    await clock.advance(part * 24 * hour - 1000);
    expect(asked).toHaveLength(1);
    await clock.advance(2000);
    expect(asked).toHaveLength(2);
  });

  it('S-4 keeps what it has while citadel is away, and backs off with jitter until it expires', async () => {
    await run();
    answer = away;
    await clock.advance(24 * hour - 1);
    expect(certificate.isInForce).toBe(true);
    expect(certificate.held).toBe(issued[0]);
    expect(issued).toHaveLength(1);
    const waits = failed.map(({ waitMs }) => waitMs);
    expect(waits.slice(0, 4)).toEqual([375, 750, 1500, 3000]);
    expect(Math.max(...waits)).toBe(45_000);
    // In hurry near the end.
    expect(waits.at(-1)).toBeLessThan(2000);
    await clock.advance(2);
    expect(certificate.isInForce).toBe(false);
    expect(certificate.held).toBe(issued[0]);
  });

  it('S-5 recovers by the token within ten seconds after its certificate has expired', async () => {
    await run();
    answer = away;
    await clock.advance(30 * hour);
    expect(certificate.isInForce).toBe(false);
    expect(proofs.at(-1)).toBe('token');
    token = 'fresh';
    answer = (request, proof) => (proof.by === 'token' && proof.token === 'fresh' ? issue(request) : []);
    await clock.advance(10_000);
    expect(certificate.isInForce).toBe(true);
  });

  it('does not ask without a token, and asks at once when there is one', async () => {
    token = undefined;
    await run();
    await clock.advance(60_000);
    expect(asked).toEqual([]);
    expect(failed.at(-1)!.reason).toBe('there is no token to ask with');
    token = 'late';
    certificate.tokenChanged();
    await settled();
    expect([asked.length, certificate.isInForce]).toEqual([1, true]);
    // A certificate in force needs no token.
    certificate.tokenChanged();
    await settled();
    expect(asked).toHaveLength(1);
  });

  it('goes over to the token when its certificate is not believed, and back', async () => {
    await run();
    answer = () => {
      throw new AuthorityError('no', true);
    };
    await clock.advance(12 * hour + 5000);
    expect(proofs.slice(0, 5)).toEqual(['token', 'certificate', 'token', 'certificate', 'token']);
  });

  it('wakes up late after the machine has slept', async () => {
    await run();
    clock.jump(48 * hour);
    expect(certificate.isInForce).toBe(false);
    await clock.advance(30_000);
    expect(certificate.isInForce).toBe(true);
  });

  it('S-3 holds a certificate of a new root back until the root is trusted', async () => {
    await run();
    answer = (request) => issue(request, otherSigner);
    await clock.advance(12 * hour + 100);
    expect([asked.length, issued.length]).toEqual([2, 1]);
    expect(failed.at(-1)!.reason).toMatch(/does not chain to a root of td/);
    bundles = new Map([['td', [...rootsOf.get('td')!, otherRoot]]]);
    certificate.rootsChanged();
    await settled();
    // Without asking again: a join token would be used up by then.
    expect([asked.length, issued.length]).toEqual([2, 2]);
  });

  it('replaces a certificate whose root is trusted no more', async () => {
    await run();
    bundles = new Map([['td', [otherRoot]]]);
    answer = (request) => issue(request, otherSigner);
    certificate.rootsChanged();
    await settled();
    expect([asked.length, issued.length, failed]).toEqual([2, 2, []]);
  });

  it.each<[string, (request: ReturnType<typeof readCertificateRequest>) => readonly string[], RegExp]>([
    ['of somebody else', (r) => issue(r, signer, { ...identity, serviceAccount: 'admin' }), /sa\/admin where spiffe/],
    [
      'for another key',
      () => issueCertificate(signer, { identity, request: requestOf(keys[1]!), lifetimeMs: hour, now: start }).chain,
      /not for the key/,
    ],
    [
      'that has expired',
      (r) => issueCertificate(signer, { identity, request: r, lifetimeMs: -1000, now: start }).chain,
      /certificate is over \(.* by this machine’s clock.*is it right\?/,
    ],
    ['that is none', () => ['junk'], /not for the key/],
    ['and gets nothing', () => [], /not for the key/],
  ])('does not take a certificate %s', async (_name, wrong, reason) => {
    answer = wrong;
    await run();
    expect(failed[0]!.reason).toMatch(reason);
    expect([issued, certificate.isInForce]).toEqual([[], false]);
    answer = (request) => issue(request);
    await clock.advance(1000);
    expect(certificate.isInForce).toBe(true);
  });

  it.each([
    [0, 9_800],
    [0.5, 10_000],
    [0.75, 10_100],
  ])('S-4: renews at 0.5 ± 0.01 of 20 s: random %d, %d ms', async (spread, expected) => {
    lifetimeMs = 20_000;
    random = spread;
    await run();
    // Certificates count whole seconds, and begin at one here.
    await clock.advance(expected - 1);
    expect(asked).toHaveLength(1);
    await clock.advance(2);
    expect(asked).toHaveLength(2);
    expect(Math.abs(asked[1]! - start - expected)).toBeLessThanOrEqual(1);
  });

  it('S-4: tries again with growing, spread pauses until 20 s are over, and S-5: is back within 10 s of the authority', async () => {
    lifetimeMs = 20_000;
    await run();
    answer = away;
    let turn = 0;
    // Not the same each time, as jitter is.
    const spreads = [0, 0.9, 0.3, 0.7, 0.1];
    while (clock.now() < start + 60_000) {
      random = spreads[turn++ % spreads.length]!;
      await clock.advance(100);
    }
    const during = failed.filter(({ at }) => at < start + 20_000);
    expect(during.length).toBeGreaterThan(4);
    expect(new Set(during.map(({ waitMs }) => waitMs)).size).toBeGreaterThan(2);
    expect(certificate.isInForce).toBe(false);
    expect(failed.every(({ waitMs }) => waitMs <= 8_000)).toBe(true);
    // It has expired: only the token counts now.
    expect(proofs.at(-1)).toBe('token');
    answer = (request) => issue(request);
    await clock.advance(8_000);
    expect(certificate.isInForce).toBe(true);
  });

  it.each([
    ['behind', -hour, /not in force yet .*this machine’s clock, which says 2029-12-31T23:00:00.000Z: is it right\?/],
    ['ahead', hour, /is over .*this machine’s clock, which says 2030-01-01T01:00:00.000Z: is it right\?/],
  ])('says that the clock is an hour %s, and is well as soon as it is set', async (_where, shift, reason) => {
    lifetimeMs = 1000_000;
    clock.jump(shift);
    let wrong = shift;
    answer = (request) => issueCertificate(signer, { identity, request, lifetimeMs, now: clock.now() - wrong }).chain;
    await run();
    expect(failed[0]!.reason).toMatch(reason);
    expect(certificate.isInForce).toBe(false);
    clock.jump(-shift);
    wrong = 0;
    certificate.rootsChanged();
    await settled();
    expect(certificate.isInForce).toBe(true);
  });

  it('goes on after a restart with what was kept, without a token, and renews it when it is due', async () => {
    await run();
    const [kept] = issued;
    certificate.stop();
    token = undefined;
    clock.jump(6 * hour);
    expect(certificate.resume(kept!)).toBeUndefined();
    expect([asked.length, issued.at(-1)!.serial]).toEqual([1, kept!.serial]);
    await clock.advance(7 * hour);
    expect(proofs).toEqual(['token', 'certificate']);
  });

  it('says why what was kept cannot be used, and asks by the token', async () => {
    await run();
    const [kept] = issued;
    certificate.stop();
    clock.jump(25 * hour);
    expect(certificate.resume(kept!)).toMatch(/is over/);
    await settled();
    expect(proofs).toEqual(['token', 'token']);
    certificate.stop();
    expect(certificate.resume({ ...issued[1]!, key: keys[0]! === issued[1]!.key ? keys[1]! : keys[0]! })).toMatch(
      /not for the key/,
    );
  });

  it('is silent before it starts and after it stops', async () => {
    certificate.tokenChanged();
    certificate.rootsChanged();
    await settled();
    expect(asked).toEqual([]);
    await run();
    certificate.stop();
    certificate.rootsChanged();
    await clock.advance(48 * hour);
    expect([asked.length, clock.pending]).toEqual([1, 0]);
  });

  it('takes no answer that comes after the stop', async () => {
    certificate.start();
    certificate.stop();
    await settled();
    expect([issued, clock.pending]).toEqual([[], 0]);
  });
});

function requestOf(key: KeyObject) {
  return readCertificateRequest(makeCertificateRequest(key));
}

describe('retryDelay', () => {
  it.each([
    // failures, remaining, random → milliseconds
    [1, hour, 0, 250],
    [1, hour, 0.5, 375],
    [3, hour, 0, 1000],
    [20, hour, 0, 30_000],
    [2000, hour, 1, 60_000],
    [20, 80_000, 0, 5_000],
    [20, 100, 0, 500],
    [20, 0, 0, 4_000],
    [20, -hour, 1, 8_000],
  ])('%d failures, %d ms left, random %d: %d ms', (failures, remaining, random, expected) => {
    expect(retryDelay(failures, remaining, random)).toBe(expected);
  });
});
