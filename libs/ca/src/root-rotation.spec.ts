import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  activateRoot,
  activationRefusal,
  advanceRotation,
  type AuthorityState,
  cancelRotation,
  firstState,
  fingerprintOf,
  phaseOf,
  prepareRoot,
  readActiveSigner,
  retireRoots,
  type RootGeneration,
  type Spread,
  type StepOutcome,
  trustedRoots,
} from './root-rotation.js';
import { makeRoot } from './signer.js';

const now = Date.parse('2026-11-01T00:00:00Z');
const minute = 60_000;
const day = 86_400_000;
const everybody: Spread = { waitMs: 10 * minute, behind: [] };
let first: AuthorityState;
let second: RootGeneration;
let third: RootGeneration;

async function generation(): Promise<RootGeneration> {
  const { roots: root, ...files } = await makeRoot({ trustDomain: 'td', now, lifetimeMs: 365 * day });
  return { ...files, root };
}

beforeAll(async () => {
  first = firstState(await makeRoot({ trustDomain: 'td', now, lifetimeMs: 365 * day }));
  second = await generation();
  third = await generation();
});

function taken(outcome: StepOutcome): AuthorityState {
  if ('refusal' in outcome) throw new Error(outcome.refusal);
  return outcome.state;
}
const prepared = (auto = false) => taken(prepareRoot(first, second, { now, auto }));
const activation = (change: object = {}) => ({
  now: now + 10 * minute,
  spread: everybody,
  force: false,
  longestLeafMs: day,
  ...change,
});
const rootsOf = (state: AuthorityState) => trustedRoots(state).map(fingerprintOf);
const refusal = (text: RegExp) => ({ refusal: expect.stringMatching(text) });

describe('C-18 a rotation of the root', () => {
  it('has the new root trusted first, then signs with it, then retires the old one', () => {
    const [one, two] = [fingerprintOf(first.active.root), fingerprintOf(second.root)];
    const afterPrepare = prepared();
    expect(rootsOf(afterPrepare)).toEqual([one, two]);
    expect(fingerprintOf(readActiveSigner(afterPrepare, now).path[0]!)).toBe(one);

    const afterActivate = taken(activateRoot(afterPrepare, activation()));
    expect(rootsOf(afterActivate)).toEqual([one, two]);
    expect(fingerprintOf(readActiveSigner(afterActivate, now).path[0]!)).toBe(two);

    const afterRetire = taken(retireRoots(afterActivate, { now: now + 10 * minute + day, force: false }));
    expect(rootsOf(afterRetire)).toEqual([two]);
    expect([first, afterPrepare, afterActivate, afterRetire].map(phaseOf)).toEqual([
      'stable',
      'prepared',
      'activated',
      'stable',
    ]);
  });

  it('C-19 raises the sequence with each change of the trusted roots, and with no other', () => {
    const steps = [first, prepared(), taken(activateRoot(prepared(), activation()))];
    const last = taken(retireRoots(steps[2]!, { now: now + 2 * day, force: false }));
    expect([...steps, last, taken(cancelRotation(prepared()))].map(({ sequence }) => sequence)).toEqual([
      1, 2, 2, 3, 3,
    ]);
  });

  it('is refused before the new root has spread, unless it is forced', () => {
    const early = activation({ now: now + minute });
    expect(activateRoot(prepared(), early)).toEqual(refusal(/prepared 60 s ago.*after 600 s: wait 540 s more/));
    const behind = { ...everybody, behind: ['spiffe://td/ns/a/sa/b at 10.0.0.1'] };
    expect(activateRoot(prepared(), activation({ spread: behind }))).toEqual(
      refusal(/1 followers have not acknowledged the new root: spiffe:\/\/td\/ns\/a\/sa\/b/),
    );
    for (const change of [{ now: now + minute }, { spread: behind }])
      expect(phaseOf(taken(activateRoot(prepared(), activation({ ...change, force: true }))))).toBe('activated');
  });

  it('does not retire a root whose certificates may be in force, unless it is forced', () => {
    const activated = taken(activateRoot(prepared(), activation()));
    const early = now + 10 * minute + day - 1000;
    expect(retireRoots(activated, { now: early, force: false })).toEqual(
      refusal(/may be in force until 2026-11-02T00:10:00.000Z: wait 1 s more/),
    );
    expect(rootsOf(taken(retireRoots(activated, { now: early, force: true })))).toHaveLength(1);
  });

  it('keeps an old root for its time while the next rotation is under way', () => {
    const activated = taken(activateRoot(prepared(), activation()));
    const again = taken(prepareRoot(activated, third, { now: now + 11 * minute }));
    expect(rootsOf(again)).toHaveLength(3);
    const both = taken(activateRoot(again, activation({ now: now + 30 * minute })));
    expect(rootsOf(taken(retireRoots(both, { now: now + day + 15 * minute, force: false })))).toHaveLength(2);
  });

  it('is one at a time, and has a new root', () => {
    expect(prepareRoot(prepared(), third, { now })).toEqual(refusal(/under way already/));
    expect(prepareRoot(first, first.active, { now })).toEqual(refusal(/trusted already/));
    expect(cancelRotation(first)).toEqual(refusal(/no root is prepared/));
    expect(activateRoot(first, activation({ force: true }))).toEqual(refusal(/no root is prepared/));
    expect(retireRoots(first, { now, force: true })).toEqual(refusal(/no old root/));
  });

  it('can be given up before it signs', () => {
    expect(rootsOf(taken(cancelRotation(prepared())))).toEqual([fingerprintOf(first.active.root)]);
  });

  it('goes on by itself where it was asked to, in time and no sooner', () => {
    const step = (state: AuthorityState, at: number, spread = everybody) =>
      advanceRotation(state, { now: at, spread, longestLeafMs: day });
    expect(step(prepared(), now + day)).toEqual(prepared());
    expect(step(prepared(true), now + 9 * minute)).toEqual(prepared(true));
    expect(step(prepared(true), now + day, { ...everybody, behind: ['x'] })).toEqual(prepared(true));
    const activated = step(prepared(true), now + 10 * minute);
    expect(phaseOf(activated)).toBe('activated');
    expect(step(activated, now + day)).toBe(activated);
    expect(phaseOf(step(activated, now + day + 10 * minute))).toBe('stable');
    expect(step(first, now + 100 * day)).toBe(first);
  });

  it('says what it waits for', () => {
    expect(activationRefusal(first, now, everybody)).toMatch(/no root/);
    expect(activationRefusal(prepared(), now + 10 * minute, everybody)).toBeUndefined();
  });
});
