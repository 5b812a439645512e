import { describe, expect, it } from '@jest/globals';
import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { defaultMeshConfig } from '@seine/model';
import { buildMesh } from './build-mesh.js';

function configMap(mesh: string, name = 'istio', namespace = 'istio-system'): ConfigObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { mesh } };
}
const byKey = (...objects: ConfigObject[]) =>
  new Map<ObjectKey, ConfigObject>(objects.map((object) => [objectKey(object), object]));
const build = (...objects: ConfigObject[]) => buildMesh(undefined, byKey(...objects), defaultMeshConfig);

describe('the mesh config of a mesh', () => {
  it('is what the control plane was started with where no ConfigMap says', () => {
    expect(build().mesh.config).toBe(defaultMeshConfig);
    expect(build(configMap('accessLogFile: /x', 'istio', 'other')).mesh.config).toBe(defaultMeshConfig);
    expect(build({ ...configMap(''), data: { values: '{}' } }).mesh.config).toBe(defaultMeshConfig);
  });

  it('is that of the ConfigMap istio on top of it', () => {
    expect(build(configMap('accessLogFile: /dev/stdout\nconnectTimeout: 3s')).mesh.config).toEqual({
      ...defaultMeshConfig,
      accessLogFile: '/dev/stdout',
      connectTimeout: 3000,
    });
  });

  it.each([
    [['istio-b', 'istio-a'], 'istio-a'],
    [['istio-a', 'istio'], 'istio'],
  ])('of the ConfigMaps %j is that of %s, and the other is told of', (names, expected) => {
    const { mesh, diagnostics } = build(...names.map((name) => configMap(`accessLogFile: /${name}`, name)));
    expect(mesh.config.accessLogFile).toBe(`/${expected}`);
    expect(diagnostics).toEqual([
      expect.objectContaining({
        code: 'SEINE-UNSUPPORTED',
        message: `This mesh config is not in force: that of ConfigMap istio-system/${expected} is.`,
        object: { kind: 'ConfigMap', namespace: 'istio-system', name: names.find((name) => name !== expected) },
      }),
    ]);
  });

  it('follows edits, whether the changed keys are known or not, and keeps its identity otherwise', () => {
    const objects = byKey(configMap('accessLogFile: /a'));
    const first = buildMesh(undefined, objects, defaultMeshConfig).mesh;
    const key = objectKey(configMap(''));
    const service: ConfigObject = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'reviews', namespace: 'default' },
      spec: { ports: [{ port: 80 }] },
    };
    objects.set(objectKey(service), service);
    const second = buildMesh(first, objects, defaultMeshConfig, [objectKey(service)]).mesh;
    expect(second.services.size).toBe(1);
    expect(second.config).toBe(first.config);
    objects.set(key, configMap('accessLogFile: /b'));
    const third = buildMesh(second, objects, defaultMeshConfig, [key]).mesh;
    expect(third.config.accessLogFile).toBe('/b');
    expect(third.services.get('reviews.default.svc.cluster.local')).toBe(
      second.services.get('reviews.default.svc.cluster.local'),
    );
    objects.delete(key);
    expect(buildMesh(third, objects, defaultMeshConfig).mesh.config).toEqual(defaultMeshConfig);
  });
});
