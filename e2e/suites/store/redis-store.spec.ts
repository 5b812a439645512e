import fs from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type ConfigObject, objectKey } from '@seine/k8s';
import type { StoreEvent } from '@seine/ports';
import { describeStore } from '@seine/ports/testing';
import { parseRedisUrl } from '@seine/redis';
import { RedisLease, RedisStore, type RedisStoreOptions, SupersededError } from '@seine/store-redis';
import { poll } from '@seine/testing';
import { RedisServer, repositoryRoot } from '../../src/index.js';

jest.setTimeout(120_000);

let redis: RedisServer;
let prefixes = 0;
const open: { close: () => unknown }[] = [];
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const at = () => ({ address: parseRedisUrl(redis.url) });
const newPrefix = () => `{mesh-${prefixes++}}:`;

function storeAt(prefix: string, options: Partial<RedisStoreOptions> = {}): RedisStore {
  const store = new RedisStore({ redis: at(), prefix, onListenerError: () => undefined, ...options });
  open.push(store);
  return store;
}

function leaseAt(prefix: string, ttlMs: number): RedisLease {
  const lease = new RedisLease({ redis: at(), prefix, ttlMs });
  open.push(lease);
  lease.start();
  return lease;
}

const service = (name: string, labels: Readonly<Record<string, string>> = {}): ConfigObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default', labels },
  spec: { ports: [], selector: {} },
});
const put = (object: ConfigObject) => ({ key: objectKey(object), object });
const namesIn = async (store: RedisStore) =>
  [...(await store.snapshot()).objects.values()].map(({ metadata }) => metadata.name).sort();
const until = (condition: () => boolean | Promise<boolean>, what: string) => poll(condition, what, 60_000);

/** What a watcher was told, in words. */
function watch(store: RedisStore, from: number): readonly string[] {
  const told: string[] = [];
  store.watch(from, (event: StoreEvent) =>
    told.push(event.type === 'entry' ? `${event.entry.revision}:${event.entry.changes.length}` : 'resync'),
  );
  return told;
}

describeStore('RedisStore', ({ logLength }) => Promise.resolve(storeAt(newPrefix(), { logLength })));

describe('a mesh log that several processes share', () => {
  it('tells readers what a writer writes, and when the sources have filled it', async () => {
    const prefix = newPrefix();
    const [writer, reader] = [storeAt(prefix), storeAt(prefix)];
    expect(await reader.synced()).toBe(false);
    let synced = false;
    reader.onSynced(() => (synced = true));
    const told = watch(reader, 0);
    await writer.write([put(service('a')), put(service('b'))]);
    await writer.write([{ key: objectKey(service('a')) }]);
    await writer.markSynced();
    await until(() => told.length === 2 && synced, 'the reader to be told');
    expect(told).toEqual(['1:2', '2:1']);
    const { revision, objects } = await reader.snapshot();
    expect([revision, [...objects]]).toEqual([2, [[objectKey(service('b')), service('b')]]]);
  });

  it('lets a reader that starts later go on from a revision, while the log reaches back', async () => {
    const prefix = newPrefix();
    const writer = storeAt(prefix, { logLength: 4 });
    for (let i = 1; i <= 20; i++) await writer.write([put(service('a', { turn: String(i) }))]);
    const reader = storeAt(prefix, { logLength: 4 });
    const [near, far] = [watch(reader, 18), watch(reader, 2)];
    await until(() => near.length === 2 && far.length === 1, 'both watches');
    expect([near, far]).toEqual([['19:1', '20:1'], ['resync']]);
  });

  it('keeps the order of what several write at once, and loses nothing', async () => {
    const prefix = newPrefix();
    const writers = [storeAt(prefix), storeAt(prefix), storeAt(prefix)];
    const revisions = await Promise.all(
      Array.from({ length: 60 }, (_, i) => writers[i % 3]!.write([put(service(`s${i}`))])),
    );
    expect([...revisions].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    for (const writer of writers) expect(await namesIn(writer)).toHaveLength(60);
  });

  it('keeps the identity of what did not change, when a reader has to start again', async () => {
    const prefix = newPrefix();
    const [writer, reader] = [storeAt(prefix), storeAt(prefix)];
    await writer.write([put(service('a')), put(service('b'))]);
    await until(async () => (await reader.snapshot()).revision === 1, 'the first entry');
    const before = (await reader.snapshot()).objects.get(objectKey(service('a')));
    await redis.client.del(...(await redis.client.keys(`${prefix}*`)));
    await until(async () => (await reader.snapshot()).revision === 2, 'the log begun anew');
    expect((await reader.snapshot()).objects.get(objectKey(service('a')))).toBe(before);
  });
});

describe('a Redis that loses the mesh log', () => {
  it.each<[string, (prefix: string) => Promise<unknown>]>([
    ['is emptied', () => redis.client.flushall()],
    [
      'is killed and starts empty',
      async () => {
        await redis.kill();
        await redis.start();
      },
    ],
    ['loses the objects alone', (prefix) => redis.client.del(`${prefix}objects`)],
    ['loses what says of which revision they are', (prefix) => redis.client.del(`${prefix}meta`)],
  ])('is filled again by who wrote it, when it %s, and readers start again', async (_, lose) => {
    const prefix = newPrefix();
    const [writer, reader] = [storeAt(prefix), storeAt(prefix)];
    await writer.write([put(service('a')), put(service('b'))]);
    await writer.markSynced();
    await until(async () => (await reader.snapshot()).revision === 1, 'the first entry');
    const told = watch(reader, 1);
    await lose(prefix);
    // Nobody writes: the loss is noticed all the same.
    await until(() => told.includes('resync'), 'a resync');
    expect(await namesIn(reader)).toEqual(['a', 'b']);
    expect((await reader.snapshot()).revision).toBe(2);
    // Who comes now finds all of it.
    const newcomer = storeAt(prefix);
    expect([await namesIn(newcomer), await newcomer.synced()]).toEqual([['a', 'b'], true]);
    expect(await writer.write([put(service('c'))])).toBe(3);
    await until(async () => (await namesIn(reader)).length === 3, 'the next entry');
  });

  it('holds no write back for ever: it goes through when Redis is back, and readers know what they knew', async () => {
    const prefix = newPrefix();
    const [writer, reader] = [storeAt(prefix), storeAt(prefix)];
    await writer.write([put(service('a'))]);
    await until(async () => (await reader.snapshot()).revision === 1, 'the first entry');
    await redis.kill();
    await until(() => !reader.isUp, 'the loss of Redis');
    const writing = writer.write([put(service('b'))]);
    expect(await namesIn(reader)).toEqual(['a']);
    await redis.start();
    expect(await writing).toBe(3);
    await until(async () => (await namesIn(reader)).length === 2, 'both');
  });
});

it('needs no more rights than the documented ones, and readers may not write', async () => {
  const page = fs.readFileSync(path.join(repositoryRoot, 'docs/features/redis.md'), 'utf8');
  const writer = /user registry on >PASSWORD (~[^`]*)`/.exec(page)?.[1] ?? '';
  const reader = /for pilots\s+`([^`]*)`/.exec(page)?.[1] ?? '';
  const users = { registry: writer, pilot: `~{seine:mesh}:* ${reader}` };
  const settings = Object.entries(users).map(([name, rights]) => `user ${name} on >secret ${rights}`);
  const server = await RedisServer.start({ settings: ['user default off', ...settings] });
  const as = (user: string) => ({ address: parseRedisUrl(`redis://${user}:secret@${server.address}`) });
  try {
    const lease = new RedisLease({ redis: as('registry') });
    open.push(lease);
    lease.start();
    await lease.held();
    const write = new RedisStore({ redis: as('registry'), token: lease.token });
    const read = new RedisStore({ redis: as('pilot') });
    open.push(write, read);
    await write.write([put(service('a')), put(service('b'))]);
    await write.write([{ key: objectKey(service('b')) }]);
    await write.markSynced();
    await until(() => read.synced(), 'the reader to be told');
    expect(await namesIn(read)).toEqual(['a']);
    const refused = read.write([put(service('c'))]);
    read.close();
    await expect(refused).rejects.toThrow();
    expect(await namesIn(write)).toEqual(['a']);
    await lease.close();
  } finally {
    for (const one of open.splice(0)) await one.close();
    await server.stop();
  }
});

describe('the lease of the mesh log', () => {
  it('is one process’s at a time, and the next one’s when it is given back', async () => {
    const prefix = newPrefix();
    const first = leaseAt(prefix, 5000);
    await until(() => first.token() !== undefined, 'the lease');
    const second = leaseAt(prefix, 5000);
    const token = first.token()!;
    await first.close();
    await until(() => second.token() !== undefined, 'the lease given back');
    expect(second.token()).toBeGreaterThan(token);
    expect(first.token()).toBeUndefined();
  });

  it('has a token in each write: who has been superseded and does not know it changes nothing', async () => {
    const prefix = newPrefix();
    const lease = leaseAt(prefix, 60_000);
    await until(() => lease.token() !== undefined, 'the lease');
    const stale = lease.token()!;
    const old = storeAt(prefix, { token: () => stale });
    await old.write([put(service('a'))]);
    // As when it slept for longer than its lease.
    await redis.client.del(`${prefix}lease`);
    const next = leaseAt(prefix, 60_000);
    await until(() => next.token() !== undefined, 'the next lease');
    await expect(old.write([put(service('b'))])).rejects.toThrow(SupersededError);
    await expect(old.markSynced()).rejects.toThrow(SupersededError);
    const store = storeAt(prefix, { token: next.token });
    expect(await store.write([put(service('c'))])).toBe(2);
    expect(await namesIn(store)).toEqual(['a', 'c']);
    await expect(storeAt(prefix).write([put(service('d'))])).rejects.toThrow(SupersededError);
  });

  it('is waited for by writes', async () => {
    const prefix = newPrefix();
    const first = leaseAt(prefix, 5000);
    await first.held();
    const second = leaseAt(prefix, 5000);
    const writing = storeAt(prefix, { token: second.token }).write([put(service('a'))]);
    const store = storeAt(prefix, { token: first.token });
    expect(await store.write([put(service('b'))])).toBe(1);
    await first.close();
    expect(await writing).toBe(2);
    expect(await namesIn(store)).toEqual(['a', 'b']);
  });

  it('has tokens that rise though Redis forgets them, and stays with who had it', async () => {
    const prefix = newPrefix();
    const lease = leaseAt(prefix, 6000);
    await lease.held();
    const standby = leaseAt(prefix, 6000);
    const lookers = async () => String(await redis.client.client('LIST')).match(/ cmd=eval/g) ?? [];
    await until(async () => (await lookers()).length === 2, 'the other to have seen who leads');
    const token = lease.token()!;
    await redis.client.flushall();
    await until(() => (lease.token() ?? 0) > token || standby.token() !== undefined, 'a higher token');
    expect(standby.token()).toBeUndefined();
  });
});
