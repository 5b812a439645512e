import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { documents, rawGet, rawRequest, TestMesh } from '../../src/index.js';
import { policyYaml } from './policy-yaml.js';

jest.setTimeout(600_000);
const swaps = 500;
/** What the two cores of a build machine bear beside the Envoys; as the calls wait for each other, some hundred a second. */
const callers = 6;
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1', sidecar: true }] });
});
afterAll(() => mesh.stop());

const rules = (spec: object) => ({ rules: [{ to: [{ operation: spec }] }] });

/** Each lets /open through and /closed not, each in its own way: going from one to another must never do otherwise. */
const forms: readonly string[] = [
  policyYaml('a', { action: 'DENY', ...rules({ paths: ['/closed'] }) }),
  policyYaml('b', rules({ paths: ['/open'] })),
  policyYaml('c', { action: 'CUSTOM', provider: { name: 'nobody' }, ...rules({ paths: ['/closed'] }) }),
  documents(
    policyYaml('a', { action: 'DENY', ...rules({ notPaths: ['/open'] }) }),
    policyYaml('b', rules({ notPaths: ['/x'] })),
  ),
  policyYaml('b', rules({ notPaths: ['/closed'] })),
];

it(`A-25: in ${swaps} swaps of policies under load there is no moment without one, and none with too much`, async () => {
  await mesh.apply('policies', forms[0]!);
  const address = mesh.workloads.get('reviews-v1')!.address;
  const counts = new Map<string, number>();
  let isRunning = true;
  const caller = async (i: number) => {
    while (isRunning) {
      const path = Math.random() < 0.5 ? '/open' : '/closed';
      // Over connections that are there already, and new ones.
      const { status } =
        i % 2 === 0
          ? await mesh.call(`http://reviews:8080${path}`)
          : await rawRequest(address, 8080, rawGet(path, { host: 'reviews' }));
      const key = `${path} ${status}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  };
  const running = Array.from({ length: callers }, (_, i) => caller(i));
  try {
    for (let i = 1; i <= swaps; i++) {
      const form = forms[i % forms.length]!;
      if (i % 10 !== 0) {
        await mesh.apply('policies', form);
        continue;
      }
      // As two objects of two files: the new one is there before the old one goes.
      await mesh.apply('next', form.replaceAll('name: ', 'name: next-').replaceAll('next-nobody', 'nobody'));
      await mesh.remove('policies');
      await mesh.apply('policies', form);
      await mesh.remove('next');
    }
  } finally {
    isRunning = false;
    await Promise.all(running);
  }
  expect([...counts.keys()].sort()).toEqual(['/closed 403', '/open 200']);
  expect(counts.get('/closed 403')).toBeGreaterThan(swaps);
  expect(counts.get('/open 200')).toBeGreaterThan(swaps);
  // The swaps cost no connection: listeners have only a place for the rules.
  expect(await mesh.envoy('reviews-v1').stat('listener_manager.listener_modified')).toBe(0);
  for (const envoy of mesh.envoys) expect(await envoy.rejections()).toEqual({ count: 0, messages: [] });
});
