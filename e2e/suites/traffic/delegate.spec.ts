import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { documents, istioYaml, type Seen, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  const gateway = istioYaml('Gateway', 'ingress', {
    selector: { istio: 'ingressgateway' },
    servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
  });
  mesh = await TestMesh.start({
    gateway: true,
    workloads: [{ name: 'productpage-v1' }, { name: 'reviews-v1' }],
    config: { gateway },
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

it('routes what a root VirtualService hands to its delegates', async () => {
  const root = {
    hosts: ['bookinfo.com'],
    gateways: ['ingress'],
    http: [
      { match: [{ uri: { prefix: '/productpage' } }], delegate: { name: 'productpage', namespace: 'default' } },
      { match: [{ uri: { prefix: '/reviews' } }], delegate: { name: 'reviews', namespace: 'default' } },
    ],
  };
  const delegate = (name: string) =>
    istioYaml('VirtualService', name, {
      http: [
        { match: [{ uri: { prefix: `/${name}/old` } }], rewrite: { uri: `/${name}/new` }, route: [to(name)] },
        { match: [{ uri: { prefix: `/${name}` } }], route: [to(name)] },
      ],
    });
  await mesh.apply(
    'root',
    documents(istioYaml('VirtualService', 'root', root), delegate('productpage'), delegate('reviews')),
  );
  const seen = async (target: string) => JSON.parse((await mesh.callGateway('bookinfo.com', target)).body) as Seen;
  expect(await seen('/productpage/x')).toMatchObject({ workload: 'productpage-v1', path: '/productpage/x' });
  expect(await seen('/reviews/1')).toMatchObject({ workload: 'reviews-v1', path: '/reviews/1' });
  expect(await seen('/reviews/old/1')).toMatchObject({ workload: 'reviews-v1', path: '/reviews/new/1' });
  expect((await mesh.callGateway('bookinfo.com', '/other')).status).toBe(404);
});
