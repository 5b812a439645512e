import { expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import type { Source, SourceUpdate } from '@seine/ports';
import { admitted } from './admitted-source.js';

const object: ConfigObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'default' } };

it('admits what a source puts, first and later, and leaves the rest as it is', async () => {
  let tell: (update: SourceUpdate) => void = () => undefined;
  let stopped = false;
  const source: Source = {
    name: 'files',
    start: (sink) => {
      tell = sink;
      return Promise.resolve();
    },
    stop: () => {
      stopped = true;
      return Promise.resolve();
    },
  };
  const seen: SourceUpdate[] = [];
  const labelled = { ...object, metadata: { ...object.metadata, labels: { a: 'b' } } };
  const wrapped = admitted(source, () => labelled);
  await wrapped.start((update) => seen.push(update));
  const put = [{ object, origin: { kind: 'file' as const, file: 'a.yaml', line: 1 }, changedAt: 1 }];
  const update = { put, deleted: [], diagnostics: new Map() } as unknown as SourceUpdate;
  tell(update);
  expect(seen).toEqual([{ ...update, put: [{ ...put[0], object: labelled }] }]);
  await wrapped.stop();
  expect([wrapped.name, stopped]).toEqual(['files', true]);
});
