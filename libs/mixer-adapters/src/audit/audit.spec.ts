import { appendFile, mkdtemp, readdir, readFile, rename, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Adapter, Templates } from '@seine/mixer';
import { makeAdapter, problemsOf, TestContext } from '../testing/adapter.fixture.js';
import { audit } from './audit.js';
import { headFile } from './head.js';
import { describeVerification, verifyAuditLog } from './verify.js';

const name = 'audit.logentry.istio-system';
const entry = (user: string): Templates['logentry'] => ({
  instance: name,
  severity: 'info',
  timestamp: Date.UTC(2024, 0, 2),
  variables: new Map([['user', user]]),
  monitoredResourceType: '',
  monitoredResourceDimensions: new Map(),
});

let dir: string;
let file: string;
let context: TestContext;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'audit-'));
  file = path.join(dir, 'logs', 'audit.log');
  context = new TestContext({
    instances: { [name]: { template: 'logentry', maps: { variables: new Map([['user', 'STRING']]) } } },
  });
});
afterEach(() => rm(dir, { recursive: true }));

const made = (more: object = {}, kind = audit()): Promise<Adapter> =>
  makeAdapter(kind, { path: file, ...more }, context);

/** A log of so many records, its writer gone. */
async function written(count: number, more: object = {}): Promise<void> {
  const adapter = await made(more);
  for (let i = 1; i <= count; i++) await adapter.logentry!([entry(`user-${i}`)]);
  await adapter.close?.();
}

const lines = async (): Promise<string[]> => (await readFile(file, 'utf8')).trimEnd().split('\n');
const users = async () =>
  (await lines()).map((line) => (JSON.parse(line) as { variables?: { user?: string } }).variables?.user);
const replace = (changed: readonly string[]): Promise<void> =>
  writeFile(file, changed.map((line) => `${line}\n`).join(''));

describe('audit', () => {
  it('writes who did what, each record with the hash of the one before', async () => {
    await written(3);
    const records = (await lines()).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records[0]).toEqual({
      seq: 1,
      time: '2024-01-02T00:00:00.000Z',
      handler: 'h.istio-system',
      instance: name,
      severity: 'info',
      variables: { user: 'user-1' },
      prev: '0'.repeat(64),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(records.map(({ prev }) => prev).slice(1)).toEqual(records.map(({ hash }) => hash).slice(0, 2));
    const verified = await verifyAuditLog(file);
    expect(verified).toMatchObject({
      ok: true,
      records: 3,
      first: { seq: 0 },
      last: { seq: 3, hash: records[2]!['hash'] },
    });
  });

  it('goes on where it ended', async () => {
    await written(2);
    await written(2);
    expect((await lines()).map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([1, 2, 3, 4]);
    expect(await verifyAuditLog(file)).toMatchObject({ ok: true, records: 4 });
    expect(context.warnings).toEqual([]);
  });

  it('keeps the order of many at once, from two handlers', async () => {
    const kind = audit();
    const [a, b] = [await made({}, kind), await made({}, kind)];
    await Promise.all(
      Array.from({ length: 200 }, async (_, i) => (i % 2 === 0 ? a : b).logentry!([entry(String(i)), entry(`${i}+`)])),
    );
    await a.close?.();
    await b.logentry!([entry('last')]);
    await b.close?.();
    expect(await users()).toEqual([...Array.from({ length: 200 }, (_, i) => [String(i), `${i}+`]).flat(), 'last']);
    expect(await verifyAuditLog(file)).toMatchObject({ ok: true, records: 401 });
  });

  it.each(['INTERVAL', 'NEVER'])('fsync %s writes as well', async (fsync) => {
    const adapter = await made({ fsync });
    await adapter.logentry!([entry('a')]);
    await context.pass(1000);
    expect(context.timers).toHaveLength(fsync === 'INTERVAL' ? 1 : 0);
    expect(await verifyAuditLog(file)).toMatchObject({ ok: true, records: 1 });
    await adapter.close?.();
  });

  it('replaces what is too long by its hash', async () => {
    const adapter = await made();
    await adapter.logentry!([entry('x'.repeat(1_000_000))]);
    await adapter.close?.();
    expect(JSON.parse((await lines())[0]!)).toMatchObject({
      variables: { cut: 1_000_010, sha256: expect.any(String) },
    });
    expect(await verifyAuditLog(file)).toMatchObject({ ok: true });
  });

  it.each([
    ['no path', {}, 'path'],
    ['a policy that is none', { path: 'a', fsync: 'SOMETIMES' }, 'fsync'],
  ])('refuses %s', (_, params, at) => {
    expect(problemsOf(audit(), params)).toMatchObject([{ path: at }]);
  });

  it('a place where no file can be is an error', async () => {
    await writeFile(path.join(dir, 'plain'), '');
    await expect(made({ path: path.join(dir, 'plain', 'audit.log') })).rejects.toThrow();
  });
});

describe('verifyAuditLog finds', () => {
  const count = 20;
  beforeEach(() => written(count, { fsync: 'NEVER' }));

  it('every edit of a character, at its line', async () => {
    const before = await lines();
    for (let line = 0; line < count; line++) {
      const text = before[line]!;
      for (const at of [1, 8, text.indexOf('user-'), text.indexOf('"prev"') + 9, text.length - 10, text.length - 1]) {
        const edited = `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`;
        await replace(before.with(line, edited));
        expect(await verifyAuditLog(file)).toMatchObject({ ok: false, line: line + 1 });
      }
    }
  });

  it('every line that is taken out, or several of them', async () => {
    const before = await lines();
    for (let length = 1; length <= count; length += 3)
      for (let from = 0; from + length <= count; from++) {
        await replace(before.toSpliced(from, length));
        expect(await verifyAuditLog(file)).toMatchObject({ ok: false, line: from + 1 });
      }
  });

  it('every two lines that change places, and every line that is put in', async () => {
    const before = await lines();
    for (let from = 0; from < count; from++)
      for (let to = from + 1; to < count; to++) {
        await replace(before.with(from, before[to]!).with(to, before[from]!));
        expect(await verifyAuditLog(file)).toMatchObject({ ok: false, line: from + 1 });
        await replace(before.toSpliced(to, 0, before[from]!));
        expect(await verifyAuditLog(file)).toMatchObject({ ok: false, line: to + 1 });
      }
  });

  it('an end that is gone, and a head that is made to fit it', async () => {
    const before = await lines();
    await replace(before.slice(0, 15));
    expect(describeVerification(file, await verifyAuditLog(file))).toBe(
      `${file}:16: records 16 to 20 are missing: the log is cut off here`,
    );
    const head = JSON.parse(await readFile(headFile(file), 'utf8')) as { last: { seq: number; hash: string } };
    head.last = { seq: 15, hash: (JSON.parse(before[14]!) as { hash: string }).hash };
    await writeFile(headFile(file), JSON.stringify(head));
    expect(await verifyAuditLog(file)).toMatchObject({
      ok: false,
      message: expect.stringContaining('.head was changed'),
    });
  });

  it('another log in its place', async () => {
    const other = path.join(dir, 'other.log');
    await made({ path: other }).then(async (adapter) => {
      for (let i = 0; i < count; i++) await adapter.logentry!([entry('nobody')]);
      await adapter.close?.();
    });
    await rename(other, file);
    expect(await verifyAuditLog(file)).toMatchObject({ ok: false, line: count });
  });

  it('nothing where nothing was done', async () => {
    expect(describeVerification(file, await verifyAuditLog(file))).toMatch(
      /: 20 records, all as they were written, the last 20 /,
    );
  });
});

describe('with a key', () => {
  const keyFile = () => path.join(dir, 'key');
  beforeEach(() => writeFile(keyFile(), 'a secret of more than sixteen bytes'));

  it('a chain that was made anew without the key is found', async () => {
    await written(3, { keyFile: keyFile() });
    expect(await verifyAuditLog(file, { keyFile: keyFile() })).toMatchObject({ ok: true, records: 3 });
    await rm(path.dirname(file), { recursive: true });
    await written(3);
    expect(await verifyAuditLog(file)).toMatchObject({ ok: true });
    expect(await verifyAuditLog(file, { keyFile: keyFile() })).toMatchObject({ ok: false, line: 1 });
  });

  it('a key that is too short is refused', async () => {
    await writeFile(keyFile(), 'short');
    await expect(made({ keyFile: keyFile() })).rejects.toThrow('16 or more');
  });
});

describe('an audit log that is not as it was left', () => {
  const aside = async () => (await readdir(path.dirname(file))).filter((name) => name.includes('.broken-'));

  it('loses a last line that was not whole, and goes on', async () => {
    await written(2);
    await appendFile(file, '{"seq":3,"time":"20');
    await written(1);
    expect(await users()).toEqual(['user-1', 'user-2', 'user-1']);
    expect(await verifyAuditLog(file)).toMatchObject({ ok: true, records: 3 });
    expect(context.warnings).toEqual([expect.stringContaining('not whole')]);
  });

  it.each([
    ['cut', (all: string[]) => all.slice(0, 2), 'records 3 to 4 are missing'],
    ['edited at its end', (all: string[]) => all.with(3, all[3]!.replace('user-4', 'user-5')), 'not what it was'],
    ['something else', () => ['hello'], 'no record'],
  ])('is put aside where it is %s, and a new one says so', async (_, change, reason) => {
    await written(4);
    await replace(change(await lines()));
    await written(1);
    expect(await aside()).toHaveLength(1);
    const [note, record] = (await lines()).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(note).toMatchObject({ seq: 5, note: expect.stringContaining(reason) });
    expect(record).toMatchObject({ seq: 6, variables: { user: 'user-1' } });
    expect(await verifyAuditLog(file)).toMatchObject({ ok: true, records: 2, first: { seq: 4 } });
    expect(context.warnings).toEqual([expect.stringContaining('put aside')]);
  });

  it('is put aside when it changes under the writer', async () => {
    const adapter = await made();
    await adapter.logentry!([entry('a')]);
    await appendFile(file, 'somebody else was here\n');
    await adapter.logentry!([entry('b')]);
    await adapter.close?.();
    expect(await aside()).toHaveLength(1);
    expect(await users()).toEqual([undefined, 'b']);
  });

  it('goes on in a new file when it is moved away, and both fit together', async () => {
    const adapter = await made();
    await adapter.logentry!([entry('a')]);
    const moved = `${file}.1`;
    await rename(file, moved);
    await adapter.logentry!([entry('b')]);
    await adapter.close?.();
    const first = await verifyAuditLog(moved);
    expect(first).toMatchObject({ ok: true, records: 1 });
    expect(await verifyAuditLog(file)).toMatchObject({ ok: true, records: 2, first: { seq: 1 } });
    expect(await verifyAuditLog(file, { after: first.ok ? first.last : undefined })).toMatchObject({ ok: true });
    expect((await lines())[0]).toContain('"note":"the records up to 1 are in a file that was moved away');
  });

  it('says in itself that it was emptied', async () => {
    await written(3);
    await truncate(file, 0);
    await written(1);
    expect((await lines())[0]).toContain('"note":"the records up to 3 ');
    await unlink(headFile(file));
    expect(await verifyAuditLog(file)).toMatchObject({ ok: false, line: 1 });
  });
});
