import { beforeEach, describe, expect, it } from '@jest/globals';
import { type ConfigObject, objectKey } from '@seine/k8s';
import type { Change, Store, StoreEvent } from '../store.js';

/** What a store under test is made with. */
export interface StoreContractOptions {
  /** How many entries the store's log must keep; older ones may be gone. */
  readonly logLength: number;
}

export type StoreFactory = (options: StoreContractOptions) => Promise<Store>;

function virtualService(name: string, host: string): ConfigObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, namespace: 'default' },
    spec: { hosts: [host] },
  };
}

function put(object: ConfigObject): Change {
  return { key: objectKey(object), object };
}

/** Waits until a condition holds; a store over a network tells its watchers later than at once. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !condition(); turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(condition()).toBe(true);
}

function revisions(events: readonly StoreEvent[]): readonly (number | 'resync')[] {
  return events.map((event) => (event.type === 'entry' ? event.entry.revision : 'resync'));
}

/** The behaviour every `Store` has, whatever keeps its data. Call it at the top of a spec file. */
export function describeStore(name: string, factory: StoreFactory): void {
  describe(`${name}: the contract of a store`, () => {
    let store: Store;
    const watch = (from: number) => {
      const events: StoreEvent[] = [];
      const stop = store.watch(from, (event) => events.push(event));
      return { events, stop };
    };
    beforeEach(async () => {
      store = await factory({ logLength: 4 });
    });
    describeWrites(() => store);
    describeWatches(() => store, watch);
    describeListeners(() => store, watch);
    describeSync(() => store);
  });
}

function describeWrites(store: () => Store): void {
  it('starts empty, at revision 0', async () => {
    const snapshot = await store().snapshot();
    expect([snapshot.revision, snapshot.objects.size]).toEqual([0, 0]);
  });

  it('holds what was written when the write resolves', async () => {
    const [a, b] = [virtualService('a', 'x'), virtualService('b', 'x')];
    expect(await store().write([put(a), put(b)])).toBe(1);
    expect(await store().write([{ key: objectKey(a) }])).toBe(2);
    const { revision, objects } = await store().snapshot();
    expect(revision).toBe(2);
    expect([...objects]).toEqual([[objectKey(b), b]]);
  });

  it('does not change a snapshot that was taken', async () => {
    await store().write([put(virtualService('a', 'x'))]);
    const before = await store().snapshot();
    await store().write([put(virtualService('b', 'x'))]);
    expect([before.revision, before.objects.size]).toEqual([1, 1]);
  });

  it.each<[string, () => readonly Change[]]>([
    ['an equal object', () => [put(virtualService('a', 'x'))]],
    ['a delete of what is not there', () => [{ key: objectKey(virtualService('b', 'x')) }]],
    ['nothing', () => []],
    ['a change and its undoing', () => [put(virtualService('a', 'y')), put(virtualService('a', 'x'))]],
  ])('makes no entry of %s', async (_, changes) => {
    await store().write([put(virtualService('a', 'x'))]);
    expect(await store().write(changes())).toBe(1);
  });

  it('keeps the identity of an object written again', async () => {
    await store().write([put(virtualService('a', 'x'))]);
    const key = objectKey(virtualService('a', 'x'));
    const before = (await store().snapshot()).objects.get(key);
    await store().write([put(virtualService('a', 'x')), put(virtualService('b', 'x'))]);
    expect((await store().snapshot()).objects.get(key)).toBe(before);
  });

  it('takes the last of several changes of one object', async () => {
    await store().write([put(virtualService('a', 'x')), put(virtualService('a', 'y'))]);
    const { objects } = await store().snapshot();
    expect([...objects.values()]).toEqual([virtualService('a', 'y')]);
  });

  it('orders writes that are not awaited', async () => {
    const writes = ['x', 'y', 'z'].map((host) => store().write([put(virtualService('a', host))]));
    expect(await Promise.all(writes)).toEqual([1, 2, 3]);
    expect([...(await store().snapshot()).objects.values()]).toEqual([virtualService('a', 'z')]);
  });
}

type Watch = (from: number) => { readonly events: readonly StoreEvent[]; readonly stop: () => void };

/** Writes one object `count` times, each time with another host. */
async function writeHostsTo(store: Store, count: number): Promise<void> {
  for (let i = 1; i <= count; i++) await store.write([put(virtualService('a', `host${i}`))]);
}

function describeWatches(store: () => Store, watch: Watch): void {
  const writeHosts = (count: number) => writeHostsTo(store(), count);

  it('tells entries in order, those already there first', async () => {
    await writeHosts(2);
    const { events, stop } = watch(0);
    await writeHosts(3);
    await until(() => events.length >= 5);
    stop();
    expect(revisions(events)).toEqual([1, 2, 3, 4, 5]);
    expect(events[1]).toEqual({
      type: 'entry',
      entry: { revision: 2, changes: [put(virtualService('a', 'host2'))] },
    });
  });

  it('tells only what comes after the given revision', async () => {
    await writeHosts(2);
    const { events, stop } = watch(2);
    await store().write([{ key: objectKey(virtualService('a', '')) }]);
    await until(() => events.length >= 1);
    stop();
    expect(events).toEqual([
      { type: 'entry', entry: { revision: 3, changes: [{ key: objectKey(virtualService('a', '')) }] } },
    ]);
  });

  it('is never called from within watch', async () => {
    await writeHosts(1);
    const { events, stop } = watch(0);
    expect(events).toEqual([]);
    await until(() => events.length === 1);
    stop();
  });

  it('ends with a resync where the log no longer reaches back, or never came so far', async () => {
    await writeHosts(9);
    for (const from of [0, 42]) {
      const { events } = watch(from);
      await until(() => events.length > 0);
      await store().write([put(virtualService('b', `after ${from}`))]);
      expect(revisions(events)).toEqual(['resync']);
    }
  });

  it('tells nothing after stop', async () => {
    const stopped = watch(0);
    const other = watch(0);
    stopped.stop();
    await writeHosts(1);
    await until(() => other.events.length === 1);
    other.stop();
    expect(stopped.events).toEqual([]);
  });
}

function describeListeners(store: () => Store, watch: Watch): void {
  it('goes on telling everyone when a listener throws', async () => {
    const seen: number[] = [];
    const stopBroken = store().watch(0, (event) => {
      if (event.type === 'entry') seen.push(event.entry.revision);
      throw new Error('a broken listener');
    });
    const other = watch(0);
    await writeHostsTo(store(), 2);
    await until(() => other.events.length === 2 && seen.length === 2);
    stopBroken();
    other.stop();
    expect(seen).toEqual([1, 2]);
  });

  it('keeps the order when a listener writes', async () => {
    const writes: Promise<number>[] = [];
    const stopWriter = store().watch(0, (event) => {
      if (event.type === 'entry' && event.entry.revision === 1)
        writes.push(store().write([put(virtualService('b', 'x'))]));
    });
    const other = watch(0);
    await writeHostsTo(store(), 1);
    await until(() => other.events.length === 2);
    await Promise.all(writes);
    stopWriter();
    other.stop();
    expect(revisions(other.events)).toEqual([1, 2]);
  });
}

function describeSync(store: () => Store): void {
  it('says once to each listener that the sources have filled it', async () => {
    const told: string[] = [];
    store().onSynced(() => told.push('early'));
    store().onSynced(() => told.push('stopped'))();
    expect(await store().synced()).toBe(false);
    await store().markSynced();
    await store().markSynced();
    expect(await store().synced()).toBe(true);
    store().onSynced(() => told.push('late'));
    await until(() => told.length === 2);
    expect(told).toEqual(['early', 'late']);
  });
}
