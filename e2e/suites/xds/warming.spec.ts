import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import {
  documents,
  httpRoutesYaml,
  istioYaml,
  request,
  serviceYaml,
  subsetsYaml,
  TestMesh,
  to,
} from '../../src/index.js';

jest.setTimeout(1_200_000);
const url = 'http://reviews:8080/';

describe.each(['delta', 'sotw'] as const)('clusters that warm (%s)', (variant) => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await TestMesh.start({ variant, workloads: [{ name: 'reviews-v1' }] });
  });
  afterAll(() => mesh.stop());

  const warm = () => poll(async () => (await mesh.client.stat('cluster_manager.warming_clusters')) === 0, 'all warm');

  it('X-16 [E] warms a cluster without endpoints', async () => {
    await mesh.apply('empty', serviceYaml({ name: 'empty' }));
    await warm();
    const reply = await mesh.call('http://empty:8080/');
    expect(reply.status).toBe(503);
    expect(reply.body).toContain('no healthy upstream');
  });

  it('X-17 [E] warms each cluster that changes (300 changes)', async () => {
    const connections = (n: number) => ({ connectionPool: { tcp: { maxConnections: 1000 + n } } });
    for (let round = 0; round < 300; round++) {
      await mesh.apply('rule', subsetsYaml('reviews', ['v1'], connections(round)));
      if (round % 10 === 0) await warm();
    }
    await warm();
    expect((await mesh.call(url)).status).toBe(200);
    expect((await mesh.client.rejections()).count).toBe(0);
  });

  it('X-20 [E] loses no request while a route moves to a new cluster and the old one goes (200 flips under load)', async () => {
    // Each flip makes a subset of a new name, moves the route to it, and removes the last one, all in one file.
    const flip = (n: number) =>
      documents(
        istioYaml('DestinationRule', 'reviews', {
          host: 'reviews',
          subsets: [{ name: `flip-${n}`, labels: { version: 'v1' } }],
        }),
        httpRoutesYaml('reviews', [{ route: [to('reviews', `flip-${n}`)] }]),
      );
    await mesh.remove('rule');
    await mesh.apply('flip', flip(0));
    const failures: string[] = [];
    let calls = 0;
    let running = true;
    const load = Promise.all(
      Array.from({ length: 3 }, async () => {
        while (running) {
          const { status, body } = await mesh.call(url);
          calls++;
          if (status !== 200) failures.push(`${status} ${body}`);
        }
      }),
    );
    for (let n = 1; n <= 200; n++) await mesh.apply('flip', flip(n));
    running = false;
    await load;
    expect(failures).toEqual([]);
    expect(calls).toBeGreaterThan(1000);
    const left = await mesh.client.stats('^cluster\\.outbound\\|8080\\|flip-.*membership_total$');
    expect(left.size).toBe(1);
  });
});

describe('D-14', () => {
  it('D-14 [E] leaves no cluster warming when pilot dies during a roll-out (50 rounds)', async () => {
    const mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1' }] });
    try {
      for (let round = 1; round <= 50; round++) {
        const { ports } = mesh.pilot;
        const connectionPool = { tcp: { maxConnections: 100 + round } };
        mesh.write('rule', subsetsYaml('reviews', ['v1', `v${round + 1}`], { connectionPool }));
        // Some rounds end before it is pushed, some in the middle, some after.
        await request('127.0.0.1', ports.admin, '/debug/syncz');
        await mesh.pilot.stop('SIGKILL');
        await mesh.restartPilot();
        await poll(async () => (await mesh.client.stat('cluster_manager.warming_clusters')) === 0, 'all warm', 30_000);
        expect((await mesh.call(url)).status).toBe(200);
      }
    } finally {
      await mesh.stop();
    }
  });
});
