import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type Asked, isAllowed, RandomPolicies } from '@seine/testing';
import { documents, many, rawRequest, TestMesh } from '../../src/index.js';
import { meshConfigYaml, policyYaml } from './policy-yaml.js';

jest.setTimeout(600_000);
const policySets = 250;
const requestsEach = 8;
let mesh: TestMesh;
let address: string;

beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1', sidecar: true }],
    services: [
      {
        name: 'reviews',
        ports: [
          { name: 'http', port: 80, targetPort: 8080 },
          { name: 'http-other', port: 8081 },
        ],
      },
    ],
    // As the documentation has it; what the default adds is tested by itself.
    config: { 'mesh-config': meshConfigYaml({ pathNormalization: { normalization: 'BASE' } }) },
  });
  address = mesh.workloads.get('reviews-v1')?.address ?? '';
});
afterAll(() => mesh.stop());

async function passes({ method, target, host, headers, sourceIp, remoteIp, port }: Asked): Promise<boolean> {
  const all = { host, ...headers, 'x-forwarded-for': remoteIp, 'content-length': '0', connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const bytes = `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
  const { status, body } = await rawRequest(address, port, bytes, { from: sourceIp });
  if (status === 403) expect(body).toBe('RBAC: access denied');
  // On the second port nobody listens behind the proxy: who may reaches 503.
  else expect(status).toBe(port === 8080 ? 200 : 503);
  return status !== 403;
}

it(`A-8, A-9: of ${policySets * requestsEach} generated cases a real Envoy decides each as the policies say`, async () => {
  const random = new RandomPolicies(8);
  const verdicts = { allowed: 0, denied: 0 };
  for (let i = 0; i < policySets; i++) {
    const policies = random.policies();
    await mesh.apply('policies', documents(...policies.map((spec, j) => policyYaml(`policy-${j}`, spec))));
    const requests = Array.from({ length: requestsEach }, () => random.request({ identities: false }));
    const found = await many(requestsEach, (j) => passes(requests[j]!), 4);
    requests.forEach((asked, j) => {
      const allowed = isAllowed(policies, asked);
      verdicts[allowed ? 'allowed' : 'denied']++;
      if (found[j] !== allowed)
        throw new Error(
          `case ${i}.${j} should be ${allowed ? 'allowed' : 'denied'}: ${JSON.stringify({ policies, asked })}`,
        );
    });
  }
  expect(verdicts.allowed).toBeGreaterThan(400);
  expect(verdicts.denied).toBeGreaterThan(400);
  expect(await mesh.envoy('reviews-v1').rejections()).toEqual({ count: 0, messages: [] });
});
