import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeAdapter, problemsOf, TestContext, testRim } from '../testing/adapter.fixture.js';
import { list } from './list.js';

const kind = list(testRim());
const entry = (value: string) => ({ instance: 'appversion.listentry.istio-system', value });

async function codeOf(params: object, value: string): Promise<number> {
  const adapter = await makeAdapter(kind, params);
  return (await adapter.listentry!(entry(value))).code;
}

describe('listchecker', () => {
  it.each([
    ['STRINGS', 'v1', 0],
    ['STRINGS', 'V1', 7],
    ['CASE_INSENSITIVE_STRINGS', 'V1', 0],
    ['CASE_INSENSITIVE_STRINGS', 'v3', 7],
  ])('%s: %s answers %d', async (entryType, value, code) => {
    expect(await codeOf({ entryType, overrides: ['v1', 'v2'] }, value)).toBe(code);
  });

  it.each([
    ['10.57.3.4', 0],
    ['10.58.3.4', 7],
    ['nonsense', 3],
  ])('IP_ADDRESSES: %s answers %d', async (value, code) => {
    expect(await codeOf({ entry_type: 'IP_ADDRESSES', overrides: ['10.57.0.0/16'] }, value)).toBe(code);
  });

  it.each([
    ['/api/v7', 0],
    ['/health', 7],
    [`${'a'.repeat(50_000)}!`, 7],
  ])('REGEX: %.20s answers %d, in no time that grows by powers', async (value, code) => {
    expect(await codeOf({ entryType: 3, overrides: ['^/api/v[0-9]+$', '^(a+)+$'] }, value)).toBe(code);
  });

  it('a blacklist refuses what is in it', async () => {
    const adapter = await makeAdapter(kind, { overrides: ['v3'], blacklist: true, cachingInterval: '10s' });
    expect(await adapter.listentry!(entry('v3'))).toEqual({
      code: 7,
      message: 'v3 is blacklisted',
      validMs: 10_000,
      validUses: 10_000,
    });
    expect(await adapter.listentry!(entry('v1'))).toEqual({ code: 0, validMs: 10_000, validUses: 10_000 });
  });

  it.each([
    ['a provider that is no URL', { providerUrl: 'lists' }, 'providerUrl', 'no URL'],
    ['a provider over ftp', { providerUrl: 'ftp://a/b' }, 'providerUrl', 'http'],
    ['a password in a URL', { providerUrl: 'http://a:secret@b/' }, 'providerUrl', 'no user and password'],
    ['refreshing all the time', { providerUrl: 'http://a', refreshInterval: '10ms' }, 'refreshInterval', 'at least 1s'],
    ['a ttl below the interval', { providerUrl: 'http://a', ttl: '5s' }, 'ttl', 'refreshInterval'],
    ['no address', { entryType: 'IP_ADDRESSES', overrides: ['10.0.0.1', 'v1'] }, 'overrides[1]', '10.57.0.0/16'],
    ['what RE2 does not know', { entryType: 'REGEX', overrides: ['(?=a)'] }, 'overrides[0]', 'RE2'],
    ['an unknown kind of entry', { entryType: 'STRING' }, 'entryType', 'Did you mean STRINGS?'],
  ])('refuses %s', (_, params, path, message) => {
    expect(problemsOf(kind, params)).toMatchObject([{ path, message: expect.stringContaining(message) }]);
  });
});

describe('listchecker with a provider', () => {
  let server: Server;
  let url: string;
  let answer: { status: number; body: string };
  let asked: number;
  beforeEach(async () => {
    asked = 0;
    answer = { status: 200, body: 'v1\r\nv2\n\n' };
    server = createServer((_, response) => {
      asked++;
      response.writeHead(answer.status).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const provided = (context: TestContext, more: object = {}) =>
    makeAdapter(kind, { providerUrl: url, refreshInterval: '10s', ttl: '30s', ...more }, context);

  it('has the list before it answers', async () => {
    const adapter = await provided(new TestContext(), { overrides: ['own'] });
    for (const [value, code] of [
      ['v1', 0],
      ['v2', 0],
      ['own', 0],
      ['v3', 7],
    ] as const)
      expect((await adapter.listentry!(entry(value))).code).toBe(code);
    expect(asked).toBe(1);
  });

  it('has the new list after the refresh interval, and answers do not outlive the old one', async () => {
    const context = new TestContext();
    const adapter = await provided(context);
    answer = { status: 200, body: 'v3' };
    await context.pass(4000);
    expect(await adapter.listentry!(entry('v3'))).toMatchObject({ code: 7, validMs: 6000 });
    await context.pass(6000);
    expect(await adapter.listentry!(entry('v3'))).toMatchObject({ code: 0, validMs: 10_000 });
    expect(asked).toBe(2);
  });

  it('keeps the last good list for ttl, and asks again with longer and longer waits', async () => {
    const context = new TestContext();
    const adapter = await provided(context);
    answer = { status: 503, body: '' };
    await context.pass(10_000);
    expect(asked).toBe(2);
    expect(context.warnings).toEqual([expect.stringMatching(/answers 503; the last good list stays in force$/)]);
    for (const [ms, total] of [
      [999, 2],
      [1, 3],
      [1000, 3],
      [1000, 4],
      [3999, 4],
      [1, 5],
    ] as const) {
      await context.pass(ms);
      expect(asked).toBe(total);
    }
    expect((await adapter.listentry!(entry('v1'))).code).toBe(0);
    await context.pass(30_000);
    await expect(async () => adapter.listentry!(entry('v1'))).rejects.toThrow('there is no list of');
    expect(context.warnings).toContainEqual(expect.stringContaining('older than ttl'));
    answer = { status: 200, body: 'v1' };
    await context.pass(10_000);
    expect((await adapter.listentry!(entry('v1'))).code).toBe(0);
  });

  it('is made without a list, and knows its own entries', async () => {
    answer = { status: 500, body: '' };
    const context = new TestContext();
    const adapter = await provided(context, { overrides: ['own'] });
    expect((await adapter.listentry!(entry('own'))).code).toBe(0);
    await expect(async () => adapter.listentry!(entry('v1'))).rejects.toThrow('there is no list of');
    expect(context.warnings).toEqual([expect.stringContaining('there is no list yet')]);
  });

  it('a list with an entry that is none does not replace a good one', async () => {
    const context = new TestContext();
    answer.body = '10.0.0.0/8';
    const adapter = await provided(context, { entryType: 'IP_ADDRESSES' });
    answer.body = '10.0.0.0/8\n192.0.2.0/77';
    await context.pass(10_000);
    expect(context.warnings).toEqual([expect.stringContaining('"192.0.2.0/77" is neither')]);
    expect((await adapter.listentry!(entry('10.1.2.3'))).code).toBe(0);
  });

  it('a provider that is not there is named with the reason', async () => {
    server.close();
    server.closeAllConnections();
    const context = new TestContext();
    await provided(context);
    expect(context.warnings).toEqual([expect.stringContaining('ECONNREFUSED')]);
  });

  it('reads a file', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'list-'));
    const file = path.join(dir, 'list.txt');
    await writeFile(file, 'v1\n');
    const context = new TestContext();
    const adapter = await provided(context, { providerUrl: pathToFileURL(file).href });
    await writeFile(file, 'v2\n');
    await context.pass(10_000);
    expect((await adapter.listentry!(entry('v2'))).code).toBe(0);
    expect((await adapter.listentry!(entry('v1'))).code).toBe(7);
    await rm(dir, { recursive: true });
  });
});
