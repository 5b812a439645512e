import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { documents, istioYaml, rawGet, rawRequest, type Seen, TestMesh } from '../../src/index.js';
import { meshConfigYaml, policyYaml, whenHeader } from './policy-yaml.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    identity: true,
    workloads: [{ name: 'reviews-v1', sidecar: true }],
    gateway: true,
    config: {
      front: documents(
        istioYaml('Gateway', 'front', {
          selector: { istio: 'ingressgateway' },
          servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
        }),
        istioYaml('VirtualService', 'front', {
          hosts: ['front.example.com'],
          gateways: ['front'],
          http: [{ route: [{ destination: { host: 'reviews' } }] }],
        }),
      ),
    },
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const atGateway = (spec: object) =>
  policyYaml(
    'edge',
    { selector: { matchLabels: { istio: 'ingressgateway' } }, ...spec },
    { namespace: 'istio-system' },
  );
const onlyFrom = (...remoteIpBlocks: readonly string[]) =>
  atGateway({ rules: [{ from: [{ source: { remoteIpBlocks } }] }] });

async function through(headers: Readonly<Record<string, string>>): Promise<{ status: number; seen: Seen | undefined }> {
  const { status, body } = await rawRequest(
    mesh.gatewayAddress,
    8080,
    rawGet('/', { host: 'front.example.com', ...headers }),
  );
  return { status, seen: status === 200 ? (JSON.parse(body) as Seen) : undefined };
}

/** The status for what a client claims in X-Forwarded-For. */
const claiming = async (forwardedFor: string) => (await through({ 'x-forwarded-for': forwardedFor })).status;

describe('A-19: who the client is', () => {
  it('says the connection, and not X-Forwarded-For, where no proxy before the gateway is trusted', async () => {
    await mesh.apply('policies', onlyFrom('198.51.100.7'));
    expect([await claiming('198.51.100.7'), await claiming('198.51.100.7, 198.51.100.7')]).toEqual([403, 403]);
    await mesh.apply('policies', onlyFrom('127.0.0.0/8'));
    expect([await claiming('198.51.100.7'), (await through({})).status]).toEqual([200, 200]);
  });

  it.each([
    [1, '198.51.100.7', 200],
    [1, '198.51.100.7, 203.0.113.1', 403],
    [1, '203.0.113.1, 198.51.100.7', 200],
    [2, '198.51.100.7, 203.0.113.1', 200],
    [2, '203.0.113.1, 198.51.100.7', 403],
    [2, '198.51.100.7, 203.0.113.1, 203.0.113.1', 403],
  ])('say %i trusted proxies: of "%s" comes %i', async (numTrustedProxies, forwardedFor, status) => {
    await mesh.apply('mesh-config', meshConfigYaml({ defaultConfig: { gatewayTopology: { numTrustedProxies } } }));
    await mesh.apply('policies', onlyFrom('198.51.100.7'));
    expect(await claiming(forwardedFor)).toBe(status);
  });

  it('is what the connection says to ipBlocks in any case', async () => {
    await mesh.apply('mesh-config', meshConfigYaml({ defaultConfig: { gatewayTopology: { numTrustedProxies: 1 } } }));
    await mesh.apply('policies', atGateway({ rules: [{ from: [{ source: { ipBlocks: ['127.0.0.0/8'] } }] }] }));
    expect(await claiming('198.51.100.7')).toBe(200);
    await mesh.apply('policies', atGateway({ rules: [{ from: [{ source: { ipBlocks: ['198.51.100.7'] } }] }] }));
    expect(await claiming('198.51.100.7')).toBe(403);
  });
});

describe('A-24: headers of the mesh that come from outside', () => {
  const forged = {
    'x-forwarded-client-cert':
      'By=spiffe://cluster.local/ns/default/sa/reviews;URI=spiffe://cluster.local/ns/default/sa/admin',
    'x-envoy-internal': 'true',
    'x-envoy-external-address': '10.0.0.1',
    'x-envoy-original-path': '/open',
    'x-envoy-decorator-operation': 'forged',
    'x-envoy-peer-metadata': 'forged',
    'x-envoy-peer-metadata-id': 'forged',
    'x-seine-peer': 'forged',
  };

  it('change no verdict', async () => {
    await mesh.remove('mesh-config');
    const byIdentity = { rules: [{ from: [{ source: { principals: ['cluster.local/ns/default/sa/admin'] } }] }] };
    await mesh.apply('policies', atGateway(byIdentity));
    expect((await through(forged)).status).toBe(403);
    await mesh.apply('policies', policyYaml('no', byIdentity));
    expect((await rawRequest(mesh.workloads.get('reviews-v1')!.address, 8080, rawGet('/', forged))).status).toBe(403);
    await mesh.apply('policies', onlyFrom('10.0.0.0/8'));
    expect((await through(forged)).status).toBe(403);
  });

  it('do not get past the edge', async () => {
    await mesh.apply('policies', atGateway({ action: 'DENY', rules: [whenHeader('x-never')] }));
    const { seen } = await through(forged);
    // Istio's own peer metadata means nothing here, and goes on like any header.
    const harmless = ['x-envoy-peer-metadata', 'x-envoy-peer-metadata-id'];
    for (const [name, value] of Object.entries(forged))
      if (!harmless.includes(name)) expect([name, seen?.headers[name]]).not.toEqual([name, value]);
  });
});
