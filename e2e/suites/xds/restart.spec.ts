import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { documents, httpRoutesYaml, many, serviceYaml, subsetsYaml, TestMesh, to } from '../../src/index.js';

jest.setTimeout(600_000);
const url = 'http://reviews:8080/';

describe.each(['delta', 'sotw'] as const)('pilot goes and comes back (%s)', (variant) => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await TestMesh.start({
      variant,
      gateway: true,
      workloads: [{ name: 'reviews-v1', sidecar: true }, { name: 'reviews-v2' }],
      config: {
        reviews: documents(
          subsetsYaml('reviews', ['v1', 'v2']),
          httpRoutesYaml('reviews', [{ route: [to('reviews', 'v1', 50), to('reviews', 'v2', 50)] }]),
        ),
      },
    });
  });
  afterAll(() => mesh.stop());

  /** Counters that move when Envoy changes something it has. */
  const changes = async () => {
    const names = [
      'cluster_manager.cluster_removed',
      'cluster_manager.cluster_modified',
      'listener_manager.listener_modified',
      'listener_manager.listener_removed',
      'listener_manager.total_listeners_draining',
    ];
    const perEnvoy = mesh.envoys.map(async (envoy) => [
      envoy.name,
      await Promise.all(names.map((name) => envoy.stat(name))),
    ]);
    return Object.fromEntries(await Promise.all(perEnvoy)) as Record<string, number[]>;
  };

  it('X-23 [E] X-24 [E] changes and removes nothing in any Envoy when another replica takes over (5 restarts)', async () => {
    const before = await changes();
    for (let round = 0; round < 5; round++) {
      await mesh.pilot.stop('SIGKILL');
      await mesh.restartPilot();
      expect((await mesh.call(url)).status).toBe(200);
    }
    expect(await changes()).toEqual(before);
  });

  it('X-25 [E] ends within its grace time on SIGTERM, and no Envoy loses anything (3 Envoys under load)', async () => {
    const before = await changes();
    const stopped = mesh.pilot.stop('SIGTERM');
    const replies = await many(200, () => mesh.call(url));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await stopped).toBe(0);
    expect(await changes()).toEqual(before);
    await mesh.restartPilot();
  });

  it('X-38 [E] serves on with pilot gone, and takes only the differences when it is back', async () => {
    const before = await changes();
    const added = await mesh.client.stat('cluster_manager.cluster_added');
    await mesh.pilot.stop('SIGKILL');
    await poll(async () => (await mesh.client.stat('control_plane.connected_state')) === 0, 'Envoy to notice');
    mesh.write('later', serviceYaml({ name: 'later' }));
    const replies = await many(300, () => mesh.call(url));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    await mesh.restartPilot();
    await poll(async () => (await mesh.client.stat('cluster_manager.cluster_added')) === added + 1, 'the new cluster');
    expect((await mesh.call('http://later:8080/')).status).toBe(503);
    expect(await changes()).toEqual(before);
  });
});
