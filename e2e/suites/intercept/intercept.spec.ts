import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import type { TestProcess } from '../../src/index.js';
import { canIntercept, isAlive, NamespacedMesh } from './namespaced-mesh.js';

jest.setTimeout(300_000);

const page = 'http://127.0.0.1:8080/productpage';
const reviews = 'http://127.0.0.1:8080/api/v1/products/0/reviews';

// Where redirection is not to be had, that is what must be said; everything else needs the real thing.
if (canIntercept()) {
  describe('a mesh in network namespaces', () => {
    let mesh: NamespacedMesh;
    beforeAll(async () => {
      mesh = await NamespacedMesh.start('--intercept');
      await mesh.untilReady();
    });
    afterAll(() => mesh.stop());

    const appOf = (role: string): number =>
      mesh.children().find(({ command }) => command.trimEnd().endsWith(`main.js ${role}`))?.pid ?? 0;

    it('serves the page through the gateway', async () => {
      const [answer] = await mesh.fetch(page);
      expect(answer).toMatchObject({ status: 200 });
      expect(answer?.body).toContain('William Shakespeare');
      expect(answer?.body).toMatch(/Reviews served by <code>reviews-v[123]-/);
    });

    it('splits calls that the application makes without knowing of a proxy', async () => {
      const answers = await mesh.fetch(reviews, 150);
      const counts = ['v1', 'v2', 'v3'].map((v) => answers.filter(({ body }) => body.includes(`reviews-${v}`)).length);
      // A third each; five standard deviations of a binomial distribution (n = 150) are 29.
      for (const count of counts) expect(Math.abs(count - 50)).toBeLessThan(30);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(150);
    });

    it('resolves mesh names by Envoy alone', async () => {
      expect(await mesh.stat('productpage', 'dns_filter.*known_domain_queries$')).toBeGreaterThan(0);
      const script = "require('dns').lookup('details', (e, address) => console.log(address))";
      const address = await mesh.run(appOf('productpage'), [process.execPath, '-e', script]);
      expect(address).toMatch(/^240\.240\./);
    });

    it('takes in what comes to a pod, by its own port', async () => {
      const before = await mesh.stat('details', 'inbound.*9080.*upstream_rq_total$');
      const answers = await mesh.fetch('http://127.0.0.1:8080/api/v1/products/0', 10);
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
      expect((await mesh.stat('details', 'inbound.*9080.*upstream_rq_total$')) - before).toBe(10);
    });

    it('hands calls to an address on to that very address', async () => {
      const text = await mesh.run(appOf('ratings'), ['ip', '-4', '-o', 'address', 'show', 'dev', 'eth0']);
      const address = /inet ([\d.]+)\//.exec(text)?.[1] ?? '';
      const before = await mesh.stat('details', 'PassthroughCluster.*upstream_cx_total$');
      const [answer] = await mesh.fetch(`http://${address}:9080/ratings/0`, 1, appOf('details'));
      expect(answer).toEqual({ status: 200, body: '{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}' });
      expect((await mesh.stat('details', 'PassthroughCluster.*upstream_cx_total$')) - before).toBe(1);
    });

    it('runs each Envoy as the user that the rules let through', async () => {
      const envoys = mesh.children().filter(({ command }) => command.includes('/envoy -c '));
      const rules = await mesh.run(appOf('reviews'), ['iptables-save', '-t', 'nat']);
      expect(rules).toContain('--uid-owner 1337 -j RETURN');
      expect(envoys).toHaveLength(9);
      const users = await Promise.all(
        envoys.map(({ pid }) => mesh.run(mesh.process.pid, ['ps', '-o', 'uid=', '-p', String(pid)])),
      );
      expect(new Set(users.map((text) => text.trim()))).toEqual(new Set(['1337']));
    });
  });

  describe.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('after %s', (signal) => {
    it('nothing is left of it', async () => {
      const mesh = await NamespacedMesh.start('--intercept');
      let witness: TestProcess | undefined;
      try {
        await mesh.untilReady();
        const pids = mesh.children().map(({ pid }) => pid);
        expect(pids.length).toBeGreaterThan(20);
        // The network namespace of the mesh lasts as long as somebody is in it.
        const { pid } = (witness = await NamespacedMesh.witness(mesh.process.pid));
        await mesh.process.stop(signal);
        await poll(() => pids.every((child) => !isAlive(child)), 'the end of all children');
        // The kernel takes a namespace apart some time after its last process has ended.
        const links = (): Promise<string> => mesh.run(pid, ['ip', '-o', 'link', 'show']);
        await poll(async () => !(await links()).includes('seine0'), 'the end of the network');
      } finally {
        await witness?.stop();
        await mesh.stop();
      }
    });
  });
} else {
  it('says in one sentence why it cannot be', async () => {
    const mesh = await NamespacedMesh.start('--intercept');
    expect(await mesh.process.ended).toBe(1);
    expect(mesh.process.output.trim()).toMatch(/^--intercept needs [^\n]+$/);
    await mesh.stop();
  });
}
