import { expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { describeStore } from '@seine/ports/testing';
import { MemoryStore } from './memory-store.js';

const ignoreErrors = () => undefined;

describeStore('MemoryStore', ({ logLength }) =>
  Promise.resolve(new MemoryStore({ logLength, onListenerError: ignoreErrors })),
);

it('freezes what it is given, and hands errors of listeners to its owner', async () => {
  const errors: unknown[] = [];
  const store = new MemoryStore({ onListenerError: (error) => errors.push(error) });
  store.watch(0, () => {
    throw new Error('broken');
  });
  const object: ConfigObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a', namespace: 'b' } };
  await store.write([{ key: '/Service/b/a', object }]);
  expect(Object.isFrozen(object.metadata)).toBe(true);
  expect(errors).toEqual([new Error('broken')]);
});
