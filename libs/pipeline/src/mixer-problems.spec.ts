import { expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { defaultMeshConfig } from '@seine/model';
import { diagnosticsOfProxies } from './compiler.js';
import { aKubernetesService, anIstioObject, aPod } from './testing/config-objects.js';
import { MeshUnderTest } from './testing/mesh-under-test.js';

const mixer = (kind: string, name: string, spec: object): ConfigObject => ({
  ...anIstioObject(kind, { name, namespace: 'istio-system' }, spec),
  apiVersion: 'config.istio.io/v1alpha2',
});
const rule = (match: string) => mixer('rule', 'no', { match, actions: [{ handler: 'no', instances: ['no'] }] });
const asking = rule('source.labels["version"] == "v3"');

const world = (more: readonly ConfigObject[], config = defaultMeshConfig) => {
  const reviews = { name: 'reviews', namespace: 'default' };
  return new MeshUnderTest(
    [
      aKubernetesService({ ...reviews, clusterIP: '10.96.0.1' }),
      aPod({ ...reviews, ip: '10.1.0.1', labels: { app: 'reviews' } }),
      mixer('handler', 'no', { compiledAdapter: 'denier' }),
      mixer('instance', 'no', { compiledTemplate: 'checknothing' }),
      ...more,
    ],
    config,
  );
};
const told = (mesh: MeshUnderTest) => diagnosticsOfProxies(mesh.mesh, mesh.proxies()).map(({ message }) => message);

it('says that a mixer is missing that proxies have to ask', () => {
  expect(told(world([asking]))).toEqual([
    'The proxy of reviews.default has to ask mixer, and there is no Service mixer.istio-system.svc.cluster.local with the port 9091: ' +
      'requests that its rules may be about get 503 there. "seinectl explain policy" tells which rules these are.',
  ]);
  const open = world([asking], { ...defaultMeshConfig, policyCheckFailOpen: true });
  expect(told(open).join()).toContain('pass unchecked');
});

it.each<[string, readonly ConfigObject[]]>([
  ['the proxy decides by itself', [rule('request.method == "PUT"')]],
  ['no rule is about it', [rule('destination.labels["app"] == "ratings" && source.labels["version"] == "v3"')]],
  [
    'there is one',
    [
      asking,
      aKubernetesService({
        name: 'mixer',
        namespace: 'istio-system',
        clusterIP: '10.96.0.2',
        ports: [{ name: 'grpc', port: 9091 }],
      }),
    ],
  ],
])('says nothing where %s', (_, objects) => {
  expect(told(world(objects))).toEqual([]);
});
