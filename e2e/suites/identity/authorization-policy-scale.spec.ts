import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { documents, TestMesh, tlsRequest } from '../../src/index.js';
import { policyYaml } from './policy-yaml.js';

jest.setTimeout(300_000);
const policies = 1000;
const accounts = 1000;
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ identity: true, workloads: [{ name: 'reviews-v1', sidecar: true }] });
});
afterAll(() => mesh.stop());

const from = (principals: readonly string[]) => [{ from: [{ source: { principals } }] }];
const principal = (i: number) => `cluster.local/ns/default/sa/account-${i}`;

async function statusFor(serviceAccount: string): Promise<number | undefined> {
  const client = await mesh.svid(serviceAccount);
  const address = mesh.workloads.get('reviews-v1')?.address ?? '';
  return (await tlsRequest(address, 8080, { servername: 'reviews', client, alpn: ['istio'] })).status;
}

// What it costs is in docs/performance.md.
it(`A-27: ${policies} policies and ${accounts} principals on one workload hold, and no Envoy refuses them`, async () => {
  const many = Array.from({ length: policies - 1 }, (_, i) =>
    policyYaml(`policy-${i}`, { rules: from([principal(i)]) }),
  );
  const denied = Array.from({ length: accounts }, (_, i) => `cluster.local/ns/default/sa/denied-${i}`);
  await mesh.apply(
    'policies',
    documents(...many, policyYaml('denied', { action: 'DENY', rules: from([...denied, principal(7)]) })),
  );
  const found = await Promise.all(
    ['account-0', 'account-998', 'account-999', 'account-7', 'denied-999'].map(statusFor),
  );
  expect(found).toEqual([200, 200, 403, 403, 403]);
  for (const envoy of mesh.envoys) expect(await envoy.rejections()).toEqual({ count: 0, messages: [] });
});
