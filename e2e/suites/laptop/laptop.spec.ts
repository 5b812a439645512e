import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import {
  binomialRange,
  documents,
  httpRoutesYaml,
  istioYaml,
  LaptopMesh,
  type LaptopWorkload,
  rawGet,
  rawRequest,
  request,
  subsetsYaml,
  tlsRequest,
  to,
} from '../../src/index.js';

jest.setTimeout(300_000);
const mesh = new LaptopMesh();
let workloads: readonly LaptopWorkload[] = [];
beforeAll(async () => {
  await mesh.start();
  workloads = await mesh.workloads();
});
afterAll(async () => {
  await mesh.interrupt();
  mesh.remove();
});

const split = (weights: Record<string, number>) =>
  documents(
    subsetsYaml('reviews', ['v1', 'v2', 'v3']),
    httpRoutesYaml('reviews', [{ route: Object.entries(weights).map(([v, weight]) => to('reviews', v, weight)) }]),
  );
const versions = async (count: number) =>
  Object.keys(await mesh.reviews(count))
    .sort()
    .join();

it('gives every workload of the sample a live Envoy', async () => {
  expect(workloads.map(({ name }) => name.replace(/-[0-9a-f]{8,}-\w{5}$/, '')).sort()).toEqual(
    expect.arrayContaining(['details-v1', 'productpage-v1', 'ratings-v1', 'reviews-v1', 'reviews-v2', 'reviews-v3']),
  );
  for (const { name, adminPort } of workloads) {
    const { body } = await request('127.0.0.1', adminPort, '/server_info');
    expect([name, (JSON.parse(body) as { state: string }).state]).toEqual([name, 'LIVE']);
  }
});

it('serves the pages that Istio’s tutorials use', async () => {
  for (const target of ['/productpage', '/api/v1/products', '/api/v1/products/0', '/api/v1/products/0/reviews'])
    expect([target, await mesh.status(target)]).toEqual([target, 200]);
  expect(await mesh.status('/no/such/page')).toBe(404);
});

it('follows an edit of the weights in the YAML', async () => {
  const file = path.join(mesh.configDir, 'reviews.yaml');
  fs.writeFileSync(file, split({ v3: 100 }));
  await poll(async () => (await versions(10)) === 'v3', 'v3 alone');
  fs.writeFileSync(file, split({ v1: 50, v2: 50 }));
  await poll(async () => (await versions(20)) === 'v1,v2', 'v1 and v2');
});

it('splits live requests as an applied VirtualService says', async () => {
  const { code, stderr } = await mesh.seinectl(['apply', '--wait', '-f', '-'], split({ v1: 80, v3: 20 }));
  expect([code, stderr]).toEqual([0, expect.anything()]);
  const counts = await mesh.reviews(1000);
  const { low, high } = binomialRange(1000, 0.2);
  expect(counts['v3']).toBeGreaterThanOrEqual(low);
  expect(counts['v3']).toBeLessThanOrEqual(high);
  expect((counts['v1'] ?? 0) + (counts['v3'] ?? 0)).toBe(1000);
});

it('restores the file’s object when the applied one is deleted', async () => {
  const deleted = await mesh.seinectl(['delete', 'virtualservice', 'reviews', '-n', 'default', '--wait']);
  expect([deleted.code, deleted.stderr]).toEqual([0, expect.anything()]);
  await poll(async () => (await versions(20)) === 'v1,v2', 'the weights of the file');
});

it('reports a broken document by file and line, and keeps its last good version in force', async () => {
  const file = path.join(mesh.configDir, 'reviews.yaml');
  fs.writeFileSync(file, split({ v2: 100 }));
  await poll(async () => (await versions(10)) === 'v2', 'v2 alone');
  fs.writeFileSync(file, split({ v2: 100 }).replace('"weight":100', '"weight":"lots"'));
  fs.writeFileSync(
    path.join(mesh.configDir, 'details.yaml'),
    httpRoutesYaml('details', [{ headers: { response: { set: { 'x-new': 'yes' } } }, route: [to('details')] }]),
  );
  await mesh.process.until(() => /reviews\.yaml:\d+.*weight/.test(mesh.process.output), 'told of the broken file');
  expect(await versions(10)).toBe('v2');
});

it('counts requests of the whole mesh, with no service to be set up', async () => {
  const rateLimit = `apiVersion: policy.seine.dev/v1alpha1
kind: RateLimit
metadata: { name: products, namespace: default }
spec:
  selector: { matchLabels: { app: productpage } }
  global: [{ requests: 3, per: 24h, timeout: 10s, match: { path: { exact: /api/v1/products/0 } } }]
`;
  expect((await mesh.seinectl(['apply', '--wait', '-f', '-'], rateLimit)).code).toBe(0);
  // 429 is mixer’s word: where it does not answer, requests get 500.
  await poll(async () => (await mesh.status('/api/v1/products/0')) === 429, 'the limit to be reached');
  expect(await mesh.status('/api/v1/products')).toBe(200);
  expect((await mesh.seinectl(['delete', 'ratelimit', 'products', '-n', 'default', '--wait'])).code).toBe(0);
  await poll(async () => (await mesh.status('/api/v1/products/0')) === 200, 'the limit to be gone');
});

describe('identities', () => {
  const strict = istioYaml('PeerAuthentication', 'default', { mtls: { mode: 'STRICT' } }).replace(
    'networking.',
    'security.',
  );
  const sidecarOfReviews = () => {
    const { address, inboundPort } = workloads.find(({ name }) => name.startsWith('reviews-v1'))!;
    return { address, inboundPort };
  };
  const inPlainText = async () => {
    const { address, inboundPort } = sidecarOfReviews();
    return (await rawRequest(address, inboundPort, rawGet('/reviews/0'))).status;
  };
  const shown = async () => {
    const { address, inboundPort } = sidecarOfReviews();
    return await tlsRequest(address, inboundPort, { servername: 'reviews', alpn: ['istio'] });
  };

  it('come from a citadel that is there with the rest, and whose keys nobody else can read', async () => {
    const { stdout } = await mesh.seinectl(['status', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({
      xds: 'https://127.0.0.1:15012',
      citadel: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
      mixer: 'https://127.0.0.1:9091',
    });
    for (const folder of ['citadel', 'identity'])
      expect([folder, fs.statSync(path.join(mesh.stateDir, folder)).mode & 0o077]).toEqual([folder, 0]);
    expect(mesh.process.output).not.toMatch(/PRIVATE KEY/);
  });

  it('are shown by sidecars, which take plain text too where nobody says otherwise', async () => {
    expect(await inPlainText()).toBe(200);
    expect((await shown()).subjectAltName).toBe('URI:spiffe://cluster.local/ns/default/sa/bookinfo-reviews');
  });

  it('are demanded under STRICT, and the mesh goes on', async () => {
    expect((await mesh.seinectl(['apply', '--wait', '-f', '-'], strict)).code).toBe(0);
    await poll(async () => (await inPlainText()) === 0, 'plain text cut off');
    expect((await shown()).status).toBeUndefined();
    expect(await mesh.status('/api/v1/products/0/reviews')).toBe(200);
    expect((await mesh.seinectl(['delete', 'peerauthentication', 'default', '-n', 'default', '--wait'])).code).toBe(0);
    await poll(async () => (await inPlainText()) === 200, 'plain text taken again');
  });
});

it('refuses a second mesh on the same ports with one sentence', async () => {
  const second = new LaptopMesh();
  try {
    const up = await second.spawn();
    expect(await up.ended).not.toBe(0);
    expect(up.output).toMatch(/^Port \d+ .*in use.*$/m);
    expect(up.output).not.toMatch(/\n\s+at /);
  } finally {
    second.remove();
  }
});

describe('after Ctrl-C', () => {
  it('nothing is left', async () => {
    expect(await mesh.interrupt()).toBe(0);
    for (const { adminPort } of workloads)
      expect([adminPort, await isListening(adminPort)]).toEqual([adminPort, false]);
    expect(await mesh.status('/productpage')).toBe(0);
  });

  it('what was applied is there again at the next start, and gone after --fresh', async () => {
    fs.writeFileSync(path.join(mesh.configDir, 'reviews.yaml'), split({ v2: 100 }));
    await mesh.start();
    expect((await mesh.seinectl(['apply', '--wait', '-f', '-'], split({ v1: 100 }))).code).toBe(0);
    await mesh.interrupt();
    await mesh.start();
    await poll(async () => (await versions(10)) === 'v1', 'the applied weights');
    await mesh.interrupt();
    const root = fs.readFileSync(rootFile());
    await mesh.start('--fresh');
    // Whoever was given the root knows the mesh still.
    expect(fs.readFileSync(rootFile())).toEqual(root);
    const [reviews] = (await mesh.workloads()).filter(({ name }) => name.startsWith('reviews-v1'));
    expect(await verifies(reviews!, root)).toBe(true);
    await poll(async () => (await versions(10)) === 'v2', 'the weights of the file');
  });
});

function rootFile(): string {
  return path.join(mesh.stateDir, 'citadel/ca/root-cert.pem');
}

/** Whether a sidecar shows a certificate of this root. */
async function verifies({ address, inboundPort }: LaptopWorkload, root: Buffer): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    const options = { ca: root, checkServerIdentity: () => undefined, ALPNProtocols: ['istio'] };
    const socket = tls.connect({ host: address, port: inboundPort, ...options, rejectUnauthorized: false });
    socket.once('secureConnect', () => {
      resolve(socket.authorized);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

async function isListening(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
