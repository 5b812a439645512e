import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { binomialRange, documents, istioYaml, many, type Seen, subsetsYaml, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    gateway: true,
    workloads: [{ name: 'reviews-v1' }, { name: 'reviews-v2' }, { name: 'service1-v1' }, { name: 'service2-v1' }],
    config: { subsets: subsetsYaml('reviews', ['v1', 'v2']) },
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const gateway = (hosts: string[], more: Record<string, unknown> = {}) =>
  istioYaml('Gateway', 'ingress', {
    selector: { istio: 'ingressgateway' },
    servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts, ...more }],
  });
const routes = (name: string, hosts: string[], http: unknown[]) =>
  istioYaml('VirtualService', name, { hosts, gateways: ['ingress'], http });
const workloadOf = async (host: string, target: string) => {
  const { status, body } = await mesh.callGateway(host, target);
  return status === 200 ? (JSON.parse(body) as Seen).workload : status;
};

describe('hosts', () => {
  it('serves the hosts of its VirtualServices, and no others', async () => {
    await mesh.apply(
      'gateway',
      documents(
        gateway(['*.example.com', 'bare.org']),
        routes('one', ['one.example.com'], [{ route: [to('service1')] }]),
        routes('two', ['bare.org'], [{ route: [to('service2')] }]),
      ),
    );
    expect(await workloadOf('one.example.com', '/')).toBe('service1-v1');
    expect(await workloadOf('one.example.com:80', '/')).toBe('service1-v1');
    expect(await workloadOf('bare.org', '/')).toBe('service2-v1');
    expect(await workloadOf('two.example.com', '/')).toBe(404);
    expect(await workloadOf('elsewhere.net', '/')).toBe(404);
  });

  it('prefers the exact host to the wildcard', async () => {
    await mesh.apply(
      'gateway',
      documents(
        gateway(['*']),
        routes('any', ['*'], [{ route: [to('service1')] }]),
        routes('exact', ['a.example.com'], [{ route: [to('service2')] }]),
      ),
    );
    expect(await workloadOf('a.example.com', '/')).toBe('service2-v1');
    expect(await workloadOf('b.example.com', '/')).toBe('service1-v1');
  });
});

it('spreads two services by URI prefix behind one gateway', async () => {
  const http = ['service1', 'service2'].map((name) => ({
    match: [{ uri: { prefix: `/${name}` } }],
    rewrite: { uri: '/' },
    route: [to(name)],
  }));
  await mesh.apply('gateway', documents(gateway(['*']), routes('services', ['*'], http)));
  expect(await workloadOf('any', '/service1/a')).toBe('service1-v1');
  expect(await workloadOf('any', '/service2/a')).toBe('service2-v1');
  expect(await workloadOf('any', '/')).toBe(404);
});

it('splits by weight within the binomial bound', async () => {
  const route = [to('reviews', 'v1', 80), to('reviews', 'v2', 20)];
  await mesh.apply('gateway', documents(gateway(['*']), routes('reviews', ['*'], [{ route }])));
  const seen = await many(1200, () => workloadOf('any', '/'));
  const { low, high } = binomialRange(1200, 0.2);
  const second = seen.filter((workload) => workload === 'reviews-v2').length;
  expect(second).toBeGreaterThanOrEqual(low);
  expect(second).toBeLessThanOrEqual(high);
  expect(seen.filter((workload) => workload === 'reviews-v1').length).toBe(1200 - second);
});

it('redirects to HTTPS when told so', async () => {
  await mesh.apply(
    'gateway',
    documents(
      gateway(['*'], { tls: { httpsRedirect: true } }),
      routes('services', ['*'], [{ route: [to('service1')] }]),
    ),
  );
  const { status, headers } = await mesh.callGateway('a.example.com', '/x');
  expect(status).toBe(301);
  expect(headers.location).toBe('https://a.example.com/x');
});

it('does not take part in routes of the mesh', async () => {
  const http = [
    { match: [{ headers: { x: { exact: '1' } } }], route: [to('reviews', 'v2')] },
    { route: [to('reviews', 'v1')] },
  ];
  const spec = { hosts: ['reviews'], http };
  await mesh.apply(
    'gateway',
    documents(
      gateway(['*']),
      routes('all', ['*'], [{ route: [to('service1')] }]),
      istioYaml('VirtualService', 'mesh', spec),
    ),
  );
  expect(await workloadOf('reviews', '/')).toBe('service1-v1');
  expect(await mesh.split(20, 'http://reviews:8080/')).toEqual({ 'reviews-v1': 20 });
});
