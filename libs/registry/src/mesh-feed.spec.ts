import { describe, expect, it } from '@jest/globals';
import type { ConfigObject, ObjectKey } from '@seine/k8s';
import { objectKey } from '@seine/k8s';
import { defaultMeshConfig } from '@seine/model';
import type { Store, StoreEvent, StoreSnapshot } from '@seine/ports';
import { MeshFeed, type MeshVersion } from './mesh-feed.js';

const service = (name: string): ConfigObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { clusterIP: '10.0.0.1', ports: [{ name: 'http', port: 80 }] },
});

/** A store by hand: entries are appended, the watch is broken, and snapshots fail, when the test says so. */
class BrokenStore {
  revision = 0;
  readonly objects = new Map<ObjectKey, ConfigObject>();
  failing = 0;
  watches = 0;
  #listener: ((event: StoreEvent) => void) | undefined;

  snapshot(): Promise<StoreSnapshot> {
    if (this.failing-- > 0) return Promise.reject(new Error('store is away'));
    return Promise.resolve({ revision: this.revision, objects: this.objects });
  }

  watch(_revision: number, listener: (event: StoreEvent) => void): () => void {
    this.watches++;
    this.#listener = listener;
    return () => {
      this.watches--;
      this.#listener = undefined;
    };
  }

  append(object: ConfigObject): void {
    const key = objectKey(object);
    this.objects.set(key, object);
    this.#listener?.({ type: 'entry', entry: { revision: ++this.revision, changes: [{ key, object }] } });
  }

  break(): void {
    this.#listener?.({ type: 'resync', reason: 'gap' });
  }
}

function feedOf(store: BrokenStore, onMesh: (version: MeshVersion) => void = () => undefined) {
  const errors: unknown[] = [];
  const later: (() => void)[] = [];
  const seen: MeshVersion[] = [];
  const feed = new MeshFeed({
    store: store as unknown as Store,
    config: defaultMeshConfig,
    schedule: (run) => run(),
    later: (run) => later.push(run),
    onMesh: (version) => {
      onMesh(version);
      seen.push(version);
    },
    onError: (error) => errors.push(error),
  });
  return { feed, errors, later, seen };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('MeshFeed', () => {
  it('survives a mesh that cannot be taken, and goes on with the next', async () => {
    const store = new BrokenStore();
    const { feed, errors, seen } = feedOf(store, ({ revision }) => {
      if (revision === 1) throw new Error('bug');
    });
    await feed.start();
    store.append(service('a'));
    store.append(service('b'));
    expect(errors).toHaveLength(1);
    expect(seen.map(({ revision, mesh }) => [revision, mesh.services.size])).toEqual([
      [0, 0],
      [2, 2],
    ]);
  });

  it('starts again after a gap, and tries until the store can be read', async () => {
    const store = new BrokenStore();
    const { feed, errors, later, seen } = feedOf(store);
    await feed.start();
    store.objects.set(objectKey(service('a')), service('a'));
    store.revision = 7;
    store.failing = 1;
    store.break();
    await settle();
    expect(errors).toHaveLength(1);
    later.shift()?.();
    await settle();
    expect(seen.at(-1)).toMatchObject({ revision: 7 });
    expect(store.watches).toBe(1);
  });

  it('watches no more when it is stopped during a resync', async () => {
    const store = new BrokenStore();
    const { feed } = feedOf(store);
    await feed.start();
    store.break();
    feed.stop();
    await settle();
    expect(store.watches).toBe(0);
  });
});
