import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { binomialRange, documents, istioYaml, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
const url = 'http://store.example.com/';
const at = (region: string, zone: string) => ({
  'topology.kubernetes.io/region': region,
  'topology.kubernetes.io/zone': zone,
});
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    locality: { region: 'r1', zone: 'z1', subzone: '' },
    workloads: [
      { name: 'store-near', labels: at('r1', 'z1') },
      { name: 'store-zone', labels: at('r1', 'z2') },
      { name: 'store-far', labels: at('r2', 'z1') },
    ],
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const places = { 'store-near': 'r1/z1', 'store-zone': 'r1/z2', 'store-far': 'r2/z1' };
const entry = (names: readonly (keyof typeof places)[]) =>
  istioYaml('ServiceEntry', 'store', {
    hosts: ['store.example.com'],
    location: 'MESH_INTERNAL',
    resolution: 'STATIC',
    ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 8080 }],
    endpoints: names.map((name) => ({ address: mesh.workloads.get(name)?.address, locality: places[name] })),
  });
const rule = (localityLbSetting: unknown) =>
  istioYaml('DestinationRule', 'store', {
    host: 'store.example.com',
    trafficPolicy: {
      loadBalancer: { localityLbSetting },
      outlierDetection: { consecutive5xxErrors: 3, interval: '1s', baseEjectionTime: '60s' },
    },
  });

it.each<[string, (keyof typeof places)[], keyof typeof places]>([
  ['the own zone first', ['store-near', 'store-zone', 'store-far'], 'store-near'],
  ['then the own region', ['store-zone', 'store-far'], 'store-zone'],
  ['then any other', ['store-far'], 'store-far'],
])('failover: %s', async (_, endpoints, expected) => {
  await mesh.apply('store', documents(entry(endpoints), rule({ enabled: true })));
  expect(await mesh.split(60, url)).toEqual({ [expected]: 60 });
});

it('distribute: by weight within the binomial bound', async () => {
  const distribute = [{ from: 'r1/z1/*', to: { 'r1/z1/*': 70, 'r2/z1/*': 30 } }];
  await mesh.apply('store', documents(entry(['store-near', 'store-far']), rule({ enabled: true, distribute })));
  const counts = await mesh.split(1200, url);
  const { low, high } = binomialRange(1200, 0.3);
  expect(counts['store-far']).toBeGreaterThanOrEqual(low);
  expect(counts['store-far']).toBeLessThanOrEqual(high);
});

it('trafficDistribution: a Service that prefers the own zone, without any rule', async () => {
  const service = (trafficDistribution: string) => `apiVersion: v1
kind: Service
metadata: { name: near, namespace: default }
spec: { selector: { app: store }, trafficDistribution: ${trafficDistribution}, ports: [{ name: http, port: 8080 }] }
`;
  await mesh.apply('near', service('PreferSameZone'));
  expect(await mesh.split(60, 'http://near:8080/')).toEqual({ 'store-near': 60 });
});
