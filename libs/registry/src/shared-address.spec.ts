import { describe, expect, it } from '@jest/globals';
import { type ConfigObject, objectKey } from '@seine/k8s';
import { defaultMeshConfig, workloadKeyAt } from '@seine/model';
import { buildMesh } from './build-mesh.js';

const pod = (name: string, port: number): ConfigObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { app: name } },
  spec: { containers: [{ ports: [{ name: 'http', containerPort: port }] }] },
  status: { podIP: '127.0.0.1' },
});
const service = (name: string): ConfigObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { selector: { app: name }, ports: [{ name: 'http', port: 9080, targetPort: 'http' }] },
});
const objectsOf = (...objects: ConfigObject[]): ReadonlyMap<string, ConfigObject> =>
  new Map(objects.map((object) => [objectKey(object), object]));

const all = [pod('b', 2), pod('a', 1), service('a'), service('b')];
const before = buildMesh(undefined, objectsOf(...all), defaultMeshConfig).mesh;

describe('workloads at one address', () => {
  it('are all there, each with its own ports', () => {
    expect([...before.workloads].map(([key, w]) => [key, w.name, w.inbound.map((p) => p.targetPort)])).toEqual([
      ['127.0.0.1', 'a', [1]],
      [workloadKeyAt('127.0.0.1', 'default', 'b'), 'b', [2]],
    ]);
  });

  it('move up when the first goes', () => {
    const { mesh } = buildMesh(
      before,
      objectsOf(...all.filter((o) => o.kind !== 'Pod' || o.metadata.name !== 'a')),
      defaultMeshConfig,
    );
    expect([...mesh.workloads.keys()]).toEqual(['127.0.0.1']);
    expect(mesh.workloads.get('127.0.0.1')).toBe(before.workloads.get(workloadKeyAt('127.0.0.1', 'default', 'b')));
  });
});
