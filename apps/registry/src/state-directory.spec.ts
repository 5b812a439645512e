import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ConfigObject, objectKey } from '@seine/k8s';
import { contentHash } from './content-hash.js';
import { StateDirectory } from './state-directory.js';

const service = (name: string, namespace = 'default'): ConfigObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { ports: [{ port: 80, name: 'http' }] },
});

describe('StateDirectory', () => {
  let root: string;
  let state: StateDirectory;
  beforeEach(async () => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-state-'));
    state = new StateDirectory(path.join(root, 'deep', 'state'));
    await state.open();
  });
  afterEach(() => fs.rmSync(root, { recursive: true }));

  it('gives back what was written, to the millisecond', async () => {
    const applied = { object: service('a'), changedAt: 1_700_000_000_123, hides: ['h1', 'h2'] };
    await state.write(applied);
    await state.write({ object: service('b'), changedAt: 5, hides: [] });
    expect(await state.load()).toEqual({
      applied: [applied, { object: service('b'), changedAt: 5, hides: [] }],
      diagnostics: [],
    });
    await state.write({ ...applied, changedAt: 6 });
    await state.delete(objectKey(service('b')));
    await state.delete(objectKey(service('never written')));
    expect((await state.load()).applied).toEqual([{ ...applied, changedAt: 6 }]);
  });

  it.each<[string, string, string]>([
    ['a path', '../../../etc/passwd', 'default'],
    ['a hidden file', '.a', '.b'],
    ['very much', 'a'.repeat(253), 'b'.repeat(63)],
  ])('stays in its folder, and keeps apart, what is named like %s', async (_, name, namespace) => {
    await state.write({ object: service(name, namespace), changedAt: 1, hides: [] });
    await state.write({ object: service(`${name}x`, namespace), changedAt: 1, hides: [] });
    const names = fs.readdirSync(state.folder);
    expect(names).toHaveLength(2);
    for (const file of names) expect(file.length).toBeLessThan(255);
    expect(fs.readdirSync(root, { recursive: true })).toHaveLength(4);
  });

  it('loads a file written by hand, and leaves out what a crash left behind', async () => {
    fs.writeFileSync(path.join(state.folder, 'mine.yaml'), JSON.stringify(service('mine')));
    fs.writeFileSync(path.join(state.folder, '.half.yaml.new'), 'kind: [');
    const { applied, diagnostics } = await state.load();
    expect([applied.map(({ object }) => object), diagnostics]).toEqual([[service('mine')], []]);
    expect(applied[0]?.changedAt).toBeGreaterThan(1_600_000_000_000);
    await state.clear();
    expect(fs.readdirSync(state.folder)).toEqual([]);
  });
});

describe('contentHash', () => {
  it.each<[unknown, unknown, boolean]>([
    [{ a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 }, true],
    [{ a: 1 }, { a: 2 }, false],
    [[1, 2], [2, 1], false],
    [null, {}, false],
  ])('of %j and %j', (a, b, equal) => {
    expect(contentHash(a) === contentHash(b)).toBe(equal);
  });
});
