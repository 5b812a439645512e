import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  activateRoot,
  fingerprintOf,
  makeRoot,
  phaseOf,
  prepareRoot,
  type SigningFiles,
  trustedRoots,
} from '@seine/ca';
import { DenialFile } from './deny-list.js';
import { JoinGrantFiles } from './join-grant-files.js';
import { PluggedInAuthority } from './plugged-in.js';
import { RootsFile } from './roots-file.js';
import { SigningDirectory } from './signing-directory.js';
import { VersionedFile } from './versioned-file.js';

let folder: string;
let problems: string[];
let clock: number;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-state-'));
  problems = [];
  clock = Date.now();
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const now = () => clock;
const onProblem = (problem: string) => void problems.push(problem);
const openDirectory = () =>
  SigningDirectory.open({ stateDir: folder, trustDomain: 'td', now, rootLifetimeMs: 1e9, onProblem });
const root = () => makeRoot({ trustDomain: 'td', now: clock, lifetimeMs: 1e9 });

describe('a versioned file', () => {
  const open = () => new VersionedFile<{ n: number }>(folder, 'it');

  it('loses no change of two that change it at once', () => {
    const [a, b] = [open(), open()];
    a.update(() => ({ n: 1 }));
    let isMeddled = false;
    const version = a.update((value) => {
      // While a thinks, b is faster.
      if (!isMeddled) b.update((other) => ({ n: other!.n + 10 }));
      isMeddled = true;
      return { n: value!.n + 1 };
    });
    expect(version).toEqual({ revision: 3, value: { n: 12 } });
    expect(fs.readdirSync(folder)).toEqual(['it.3.json']);
  });

  it('does not take a name that became free for a new one', () => {
    const a = open();
    for (let n = 1; n <= 3; n++) a.update(() => ({ n }));
    let calls = 0;
    a.update((value) => {
      calls++;
      if (calls === 1) for (let n = 10; n < 13; n++) open().update(() => ({ n }));
      return { n: value!.n + 1 };
    });
    expect([calls, open().read()]).toEqual([2, { revision: 7, value: { n: 13 } }]);
  });

  it('is whole for its owner only, and what a killed program left is no trouble', () => {
    fs.writeFileSync(path.join(folder, '.it-abc.tmp'), '{"n":');
    fs.utimesSync(path.join(folder, '.it-abc.tmp'), 1, 1);
    open().update(() => ({ n: 1 }));
    expect(fs.readdirSync(folder)).toEqual(['it.1.json']);
    expect(fs.statSync(path.join(folder, 'it.1.json')).mode & 0o777).toBe(0o600);
  });
});

describe('the signing directory', () => {
  it('C-18 has one state for all citadels on it, whoever takes a step', async () => {
    const [a, b] = [await openDirectory(), await openDirectory()];
    const { roots, ...files } = await root();
    const heard: string[] = [];
    b.watch(() => heard.push(phaseOf(b.state())));
    expect(a.step((state) => prepareRoot(state, { ...files, root: roots }, { now: clock }))).toHaveProperty('state');
    b.refresh();
    const spread = { waitMs: 0, behind: [] };
    b.step((state) => activateRoot(state, { now: clock, spread, force: false, longestLeafMs: 1000 }));
    a.refresh();
    expect(heard).toEqual(['prepared', 'activated']);
    expect(a.state()).toEqual(b.state());
    expect(fs.readFileSync(path.join(folder, 'ca/root-cert.pem'), 'utf8')).toBe(trustedRoots(a.state()).join(''));
    expect((await openDirectory()).state()).toEqual(a.state());
  });

  it('stays in force while its storage is away, and changes nothing then', async () => {
    const keeper = await openDirectory();
    const before = keeper.state();
    fs.renameSync(path.join(folder, 'ca'), path.join(folder, 'gone'));
    fs.writeFileSync(path.join(folder, 'ca'), 'no folder');
    keeper.refresh();
    keeper.refresh();
    expect(keeper.state()).toBe(before);
    expect(problems).toEqual([expect.stringMatching(/ENOTDIR.*what is known stays in force/)]);
    const { roots, ...files } = await root();
    const prepare = () => keeper.step((state) => prepareRoot(state, { ...files, root: roots }, { now: clock }));
    expect(prepare).toThrow(/ENOTDIR|EEXIST/);
    expect(keeper.state()).toBe(before);
    fs.rmSync(path.join(folder, 'ca'));
    fs.renameSync(path.join(folder, 'gone'), path.join(folder, 'ca'));
    expect(prepare()).toHaveProperty('state');
  });

  it('takes nothing from a directory that was emptied under it', async () => {
    const keeper = await openDirectory();
    const before = keeper.state();
    fs.rmSync(path.join(folder, 'ca'), { recursive: true });
    keeper.refresh();
    expect(keeper.step((state) => ({ state }))).toEqual({ refusal: expect.any(String) });
    expect(keeper.state()).toBe(before);
  });
});

describe('a plugged-in CA', () => {
  const write = ({ certificate, key, chain, roots }: SigningFiles): void => {
    const files = { 'ca-cert.pem': certificate, 'ca-key.pem': key, 'cert-chain.pem': chain, 'root-cert.pem': roots };
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
  };
  const open = () => new PluggedInAuthority({ folder, longestLeafMs: 1000, now, onProblem, onChange: () => undefined });

  it('C-18 signs with a new root when that has spread, and trusts both meanwhile', async () => {
    const [first, second] = [await root(), await root()];
    write(first);
    const keeper = open();
    write(second);
    keeper.refresh();
    expect([phaseOf(keeper.state()), keeper.state().active.certificate]).toEqual(['prepared', first.certificate]);
    expect(trustedRoots(keeper.state()).map(fingerprintOf)).toEqual([first.roots, second.roots].map(fingerprintOf));
    expect(keeper.state().prepared).toMatchObject({ auto: true });
  });

  it('signs at once below a root that is trusted already, and lets a root go when its certificates have ended', async () => {
    const [first, second] = [await root(), await root()];
    write({ ...first, roots: first.roots + second.roots });
    const keeper = open();
    write(second);
    keeper.refresh();
    const state = keeper.state();
    expect([state.active.certificate, state.sequence]).toEqual([second.certificate, 2]);
    expect(state.retiring.map(({ root: pem }) => fingerprintOf(pem))).toEqual([fingerprintOf(first.roots)]);
    expect(state.retiring[0]!.until).toBe(clock + 1000);
  });

  it('keeps what it has while its files do not go together', async () => {
    const [first, second] = [await root(), await root()];
    write(first);
    const keeper = open();
    fs.writeFileSync(path.join(folder, 'ca-cert.pem'), second.certificate);
    keeper.refresh();
    keeper.refresh();
    expect(keeper.state().active.certificate).toBe(first.certificate);
    expect(problems).toEqual([expect.stringMatching(/ca-key.pem is not the key.*what is known stays in force/)]);
    fs.rmSync(path.join(folder, 'root-cert.pem'));
    keeper.refresh();
    expect(problems.at(-1)).toMatch(/ENOENT/);
    write(second);
    keeper.refresh();
    expect(keeper.state().prepared?.generation.certificate).toBe(second.certificate);
  });

  it('is no place to make roots', async () => {
    write(await root());
    expect(open().fixed).toMatch(/replace its files/);
  });
});

describe('the roots of an external authority', () => {
  it('follow their file, and stay while it is broken', async () => {
    const file = path.join(folder, 'roots.pem');
    const [one, two] = [(await root()).roots, (await root()).roots];
    fs.writeFileSync(file, one);
    const keeper = new RootsFile({ file, onProblem });
    fs.writeFileSync(file, 'junk');
    keeper.refresh();
    expect(trustedRoots(keeper.state())).toEqual([one]);
    expect(problems).toEqual([expect.stringMatching(/holds no certificate/)]);
    fs.writeFileSync(file, one + two);
    keeper.refresh();
    expect([trustedRoots(keeper.state()), keeper.state().sequence]).toEqual([[one, two], 2]);
    expect(keeper.step()).toEqual({ refusal: expect.stringMatching(/external authority/) });
  });
});

describe('denials', () => {
  const denial = (name: string) => ({ spiffeId: `spiffe://td/ns/a/sa/${name}`, reason: 'lost', since: '2026-11-01' });

  it('outlive a restart, and are one list for all citadels', () => {
    const [a, b] = [new DenialFile(folder, onProblem), new DenialFile(folder, onProblem)];
    let heard = 0;
    b.onChange(() => heard++);
    a.add(denial('one'));
    a.add(denial('one'));
    b.add(denial('two'));
    expect([heard, a.isDenied(denial('two').spiffeId)]).toEqual([1, false]);
    a.refresh();
    expect(a.list()).toEqual({ revision: 2, denied: [denial('one'), denial('two')] });
    expect(a.remove(denial('one').spiffeId)).toBe(true);
    expect(a.remove(denial('one').spiffeId)).toBe(false);
    expect(new DenialFile(folder, onProblem).list().denied).toEqual([denial('two')]);
  });

  it('free nobody when the list is lost, and a broken one ends the start', () => {
    const list = new DenialFile(folder, onProblem);
    list.add(denial('one'));
    fs.rmSync(path.join(folder, 'denied'), { recursive: true });
    list.refresh();
    expect(list.isDenied(denial('one').spiffeId)).toBe(true);
    fs.mkdirSync(path.join(folder, 'denied'));
    fs.writeFileSync(path.join(folder, 'denied/denied.1.json'), '[');
    expect(() => new DenialFile(folder, onProblem)).toThrow(SyntaxError);
  });
});

describe('join grants', () => {
  it('are used up by one citadel of those that share them', () => {
    const grants = [new JoinGrantFiles(folder), new JoinGrantFiles(folder)];
    const grant = { identity: { trustDomain: 'td', namespace: 'a', serviceAccount: 'b' }, expiresAt: clock + 1 };
    const [old, fresh] = ['0'.repeat(64), '1'.repeat(64)];
    grants[0]!.put(old, { ...grant, expiresAt: clock });
    grants[0]!.put(fresh, grant);
    grants[1]!.tidy(clock);
    expect(grants.map((each) => each.take(old))).toEqual([undefined, undefined]);
    expect(grants.map((each) => each.take(fresh))).toEqual([grant, undefined]);
    expect(fs.readdirSync(path.join(folder, 'join'))).toEqual([]);
  });
});
