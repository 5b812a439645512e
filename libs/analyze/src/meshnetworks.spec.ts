import { meshnetworks } from './meshnetworks.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const networks = (...registries: string[]) => ({
  meshNetworks: { networks: { n: { endpoints: registries.map((fromRegistry) => ({ fromRegistry })) } } },
});
const secret = (labels: Readonly<Record<string, string>>, fields: object) =>
  the('Secret istio-system/s', undefined, { labels, ...fields });
const unknown = ['IST0126 MeshNetworks/istio-system/meshnetworks networks["n"].endpoints[0].fromRegistry'];
const remote = { 'istio/multiCluster': 'true' };

checkAnalyzer(meshnetworks, [
  ['no networks', [], []],
  ['the registry of the cluster itself', [], [], networks('Kubernetes')],
  ['a registry that there is not', [], unknown, networks('east')],
  ['a remote cluster', [secret(remote, { data: { east: 'e30=' } })], [], networks('east')],
  ['a remote cluster in plain text', [secret(remote, { stringData: { east: '{}' } })], [], networks('east')],
  ['a Secret of something else', [secret({}, { data: { east: 'e30=' } })], unknown, networks('east')],
  ['endpoints by address', [], [], { meshNetworks: { networks: { n: { endpoints: [{ fromCidr: '10.0.0.0/8' }] } } } }],
  [
    'networks of the installation',
    [
      the('ConfigMap istio-system/istio', undefined, {
        data: { meshNetworks: 'networks: {n: {endpoints: [{fromRegistry: east}]}}' },
      }),
    ],
    unknown,
  ],
]);
