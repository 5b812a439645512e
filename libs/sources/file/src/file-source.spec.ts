import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject, ObjectKey } from '@seine/k8s';
import { objectKey } from '@seine/k8s';
import type { SourceUpdate } from '@seine/ports';
import { FileSource } from './file-source.js';

const virtualService = (name: string, host: string) =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: ${name}\nspec:\n  hosts: [${host}]\n  http:\n  - route:\n    - destination: {host: ${host}}\n`;
const keyOf = (name: string) => `networking.istio.io/VirtualService/default/${name}`;
const hostOf = (object: ConfigObject | undefined) =>
  (object?.spec as { readonly hosts?: readonly string[] } | undefined)?.hosts?.[0];

/** Follows a source: which object is in force by origin and key, and every update. */
class Follower {
  readonly updates: SourceUpdate[] = [];
  readonly objects = new Map<string, ConfigObject>();
  readonly diagnostics = new Map<string, readonly Diagnostic[]>();
  readonly sink = (update: SourceUpdate) => {
    this.updates.push(update);
    for (const { object, origin } of update.put) this.objects.set(`${origin} ${objectKey(object)}`, object);
    for (const { key, origin } of update.deleted) this.objects.delete(`${origin} ${key}`);
    for (const [origin, list] of update.diagnostics) this.diagnostics.set(origin, list);
  };
  /** Host by object name. */
  hosts(): Readonly<Record<string, string | undefined>> {
    return Object.fromEntries([...this.objects.values()].map((object) => [object.metadata.name, hostOf(object)]));
  }
  codes(): readonly string[] {
    return [...this.diagnostics.values()].flat().map(({ code }) => code);
  }
}

async function until(condition: () => boolean): Promise<void> {
  const limit = Date.now() + 8000;
  while (!condition() && Date.now() < limit) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(condition()).toBe(true);
}

describe('FileSource', () => {
  let folder: string;
  let source: FileSource;
  let follower: Follower;
  const file = (name: string) => path.join(folder, name);
  const write = (name: string, ...documents: readonly string[]) =>
    fs.writeFileSync(file(name), documents.join('---\n'));
  const start = async () => {
    source = new FileSource({ path: folder, now: () => 42 });
    await source.start(follower.sink);
  };
  const untilHosts = (hosts: Readonly<Record<string, string>>) =>
    until(
      () => JSON.stringify(Object.entries(follower.hosts()).sort()) === JSON.stringify(Object.entries(hosts).sort()),
    );

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-files-'));
    follower = new Follower();
  });
  afterEach(async () => {
    await source.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it('hands over everything below the folder in one update, also when there is nothing', async () => {
    await start();
    expect(follower.updates).toHaveLength(1);
    await source.stop();
    fs.mkdirSync(file('deep/er'), { recursive: true });
    write('a.yaml', virtualService('a', 'one'), virtualService('b', 'two'));
    write('deep/er/c.yml', virtualService('c', 'three'));
    write(
      'd.json',
      JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'd' }, spec: { ports: [{ port: 80 }] } }),
    );
    write('notes.txt', 'not config');
    write('.hidden.yaml', virtualService('hidden', 'x'));
    follower = new Follower();
    await start();
    expect(follower.updates).toHaveLength(1);
    expect(Object.keys(follower.hosts()).sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(follower.updates[0]!.put.map(({ origin }) => origin)).toContain(`file:${file('deep/er/c.yml')}`);
    expect(follower.codes()).toEqual([]);
  });

  it('tells only the object that an edit changed', async () => {
    write('a.yaml', virtualService('a', 'one'), virtualService('b', 'two'), virtualService('c', 'three'));
    await start();
    write(
      'a.yaml',
      `# a comment\n${virtualService('a', 'one')}`,
      virtualService('b', 'new'),
      virtualService('c', 'three'),
    );
    await until(() => follower.updates.length > 1 && follower.hosts()['b'] === 'new');
    const later = follower.updates.slice(1).flatMap(({ put }) => put);
    expect(later.map(({ object, changedAt }) => [object.metadata.name, changedAt])).toEqual([['b', 42]]);
  });

  const edits: readonly [string, () => void, Readonly<Record<string, string>>][] = [
    ['a new file', () => write('new.yaml', virtualService('n', 'x')), { a: 'one', b: 'two', n: 'x' }],
    ['a file that goes', () => fs.rmSync(file('a.yaml')), {}],
    ['a document that goes', () => write('a.yaml', virtualService('b', 'two')), { b: 'two' }],
    ['a file emptied for good', () => write('a.yaml', ''), {}],
    [
      'a file replaced by a rename, as editors save',
      () => {
        fs.writeFileSync(file('a.yaml.tmp'), virtualService('a', 'renamed'));
        fs.renameSync(file('a.yaml.tmp'), file('a.yaml'));
      },
      { a: 'renamed' },
    ],
    [
      'a file renamed',
      () => {
        fs.renameSync(file('a.yaml'), file('z.yaml'));
      },
      { a: 'one', b: 'two' },
    ],
    [
      'a new folder with folders in it',
      () => {
        fs.mkdirSync(file('x/y'), { recursive: true });
        write('x/y/n.yaml', virtualService('n', 'x'));
      },
      { a: 'one', b: 'two', n: 'x' },
    ],
    [
      'a folder moved in',
      () => {
        const outside = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-moved-'));
        fs.writeFileSync(path.join(outside, 'n.yaml'), virtualService('n', 'x'));
        fs.renameSync(outside, file('moved'));
      },
      { a: 'one', b: 'two', n: 'x' },
    ],
  ];
  it.each(edits)('follows %s', async (_, edit, expected) => {
    write('a.yaml', virtualService('a', 'one'), virtualService('b', 'two'));
    await start();
    edit();
    await untilHosts(expected);
  });

  it('follows files in a folder that was made, removed and made again', async () => {
    await start();
    for (const host of ['first', 'second']) {
      fs.mkdirSync(file('sub'));
      write('sub/a.yaml', virtualService('a', host));
      await untilHosts({ a: host });
      write('sub/a.yaml', virtualService('a', `${host}-edited`));
      await untilHosts({ a: `${host}-edited` });
      fs.rmSync(file('sub'), { recursive: true });
      await untilHosts({});
    }
  });

  it('never deletes what a save leaves out for a moment', async () => {
    write('a.yaml', virtualService('a', 'one'), virtualService('b', 'two'));
    await start();
    for (let i = 0; i < 20; i++) {
      fs.truncateSync(file('a.yaml'));
      await new Promise((resolve) => setImmediate(resolve));
      write('a.yaml', virtualService('a', `host${i}`), virtualService('b', 'two'));
      await until(() => follower.hosts()['a'] === `host${i}`);
    }
    expect(follower.updates.flatMap(({ deleted }) => deleted)).toEqual([]);
  });

  it.each<[string, string, readonly string[]]>([
    ['cannot be parsed', 'apiVersion: v1\nkind: [\n', ['SEINE-YAML', 'SEINE-LAST-GOOD']],
    [
      'cannot be parsed, but names its object',
      `${virtualService('b', 'two')}  bad: : x\n`,
      ['SEINE-YAML', 'SEINE-LAST-GOOD'],
    ],
    [
      'does not say what it should',
      virtualService('b', 'two').replace('host: two', 'host: 5'),
      ['SEINE-SCHEMA', 'SEINE-LAST-GOOD'],
    ],
  ])('keeps the last good version when a document %s', async (_, broken, codes) => {
    write('a.yaml', virtualService('a', 'one'), virtualService('b', 'two'), virtualService('c', 'three'));
    await start();
    write('a.yaml', virtualService('a', 'new'), broken, virtualService('c', 'three'));
    await until(() => follower.hosts()['a'] === 'new');
    expect(follower.hosts()).toEqual({ a: 'new', b: 'two', c: 'three' });
    const [first] = follower.diagnostics.get(`file:${file('a.yaml')}`)!;
    expect(first).toMatchObject({ severity: 'error', position: { file: file('a.yaml') } });
    const lines = fs.readFileSync(file('a.yaml'), 'utf8').split('\n');
    expect(lines[first!.position!.line - 1]).toMatch(/kind: \[|bad: : x|host: 5/);
    expect(follower.codes()).toEqual(codes);
    write('a.yaml', virtualService('a', 'new'), virtualService('b', 'fixed'), virtualService('c', 'three'));
    await untilHosts({ a: 'new', b: 'fixed', c: 'three' });
    expect(follower.codes()).toEqual([]);
  });

  it('keeps what is in force when a file becomes unreadable, and when the folder goes', async () => {
    write('a.yaml', virtualService('a', 'one'));
    write('b.yaml', virtualService('b', 'two'));
    await start();
    fs.writeFileSync(file('a.yaml'), Buffer.from([0, 1, 2, 255]));
    await until(() => follower.codes().includes('SEINE-FILE'));
    fs.writeFileSync(file('a.yaml'), Buffer.alloc(10 * 1024 * 1024 + 1, '#'));
    await until(() => [...follower.diagnostics.values()].flat().some(({ message }) => message.includes('10 MB')));
    fs.rmSync(folder, { recursive: true });
    await until(() => [...follower.diagnostics.values()].flat().some(({ message }) => message.includes('is gone')));
    expect(follower.hosts()).toEqual({ a: 'one', b: 'two' });
    fs.mkdirSync(folder);
    write('a.yaml', virtualService('a', 'back'));
    await untilHosts({ a: 'back' });
  });

  it('follows links to files and folders, and survives links in a circle', async () => {
    const outside = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-outside-'));
    fs.mkdirSync(path.join(outside, 'dir'));
    const [target, inner] = [path.join(outside, 'target.yaml'), path.join(outside, 'dir/inner.yaml')];
    fs.writeFileSync(target, virtualService('linked', 'one'));
    fs.writeFileSync(inner, virtualService('inner', 'one'));
    fs.symlinkSync(target, file('link.yaml'));
    fs.symlinkSync(path.join(outside, 'dir'), file('dir'));
    fs.symlinkSync(folder, file('circle'));
    fs.symlinkSync(file('loop'), file('loop'));
    await start();
    await untilHosts({ linked: 'one', inner: 'one' });
    fs.writeFileSync(target, virtualService('linked', 'two'));
    fs.writeFileSync(inner, virtualService('inner', 'two'));
    await untilHosts({ linked: 'two', inner: 'two' });
    fs.rmSync(outside, { recursive: true });
  });

  it('follows a mounted ConfigMap, which swaps its ..data link', async () => {
    const publish = (version: string, host: string) => {
      fs.mkdirSync(file(`..${version}`));
      write(`..${version}/a.yaml`, virtualService('a', host));
      fs.symlinkSync(`..${version}`, file('..data_tmp'));
      fs.renameSync(file('..data_tmp'), file('..data'));
    };
    publish('1', 'one');
    fs.symlinkSync('..data/a.yaml', file('a.yaml'));
    await start();
    publish('2', 'two');
    await untilHosts({ a: 'two' });
    publish('3', 'three');
    await untilHosts({ a: 'three' });
  });

  it('lets the definition edited last win of two in one file', async () => {
    write('a.yaml', virtualService('a', 'first'), virtualService('a', 'second'));
    await start();
    expect(follower.hosts()).toEqual({ a: 'second' });
    expect(follower.codes()).toEqual(['SEINE-DUPLICATE-OBJECT', 'SEINE-DUPLICATE-OBJECT']);
    write('a.yaml', virtualService('a', 'first-edited'), virtualService('a', 'second'));
    await untilHosts({ a: 'first-edited' });
    write('a.yaml', virtualService('a', 'first-edited'), virtualService('a', 'second'), virtualService('b', 'x'));
    await untilHosts({ a: 'first-edited', b: 'x' });
  });

  it('reads one file alone', async () => {
    write('a.yaml', virtualService('a', 'one'));
    write('b.yaml', virtualService('b', 'two'));
    source = new FileSource({ path: file('a.yaml') });
    await source.start(follower.sink);
    write('b.yaml', virtualService('b', 'three'));
    write('a.yaml', virtualService('a', 'edited'));
    await untilHosts({ a: 'edited' });
  });

  it('refuses to start on a folder that is not there', async () => {
    source = new FileSource({ path: file('nowhere') });
    await expect(source.start(follower.sink)).rejects.toThrow('does not exist');
  });

  it('goes on when its receiver fails', async () => {
    const errors: unknown[] = [];
    source = new FileSource({ path: folder, onError: (error) => errors.push(error) });
    let fail = true;
    await source.start((update) => {
      if (fail) throw new Error('a broken receiver');
      follower.sink(update);
    });
    expect(errors).toEqual([new Error('a broken receiver')]);
    fail = false;
    const key: ObjectKey = keyOf('a');
    write('a.yaml', virtualService('a', 'one'));
    await until(() => [...follower.objects.keys()].some((known) => known.endsWith(key)));
  });
});
