import { type ConfigObject, fieldsOf, itemsOf, labelsOf, textOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { keyPath } from './lookup/names.js';

/** Registries that are always there, beside one for each remote cluster. */
const builtIn = ['Kubernetes', 'External', 'Mock'];

function remoteClusters(secret: ConfigObject): readonly string[] {
  if (labelsOf(secret.metadata.labels)['istio/multiCluster'] !== 'true') return [];
  return [...Object.keys(fieldsOf(secret['data'])), ...Object.keys(fieldsOf(secret['stringData']))];
}

export const meshnetworks: Analyzer = {
  name: 'meshnetworks.MeshNetworksAnalyzer',
  description: 'Mesh networks that name service registries which do not exist.',
  scope: 'mesh',
  analyze(catalogue, report) {
    const known = [...builtIn, ...catalogue.all(kinds.secret).flatMap(remoteClusters)];
    const metadata = { name: 'meshnetworks', namespace: catalogue.settings.rootNamespace };
    const object = { apiVersion: 'v1', kind: 'MeshNetworks', metadata };
    for (const [network, value] of Object.entries(catalogue.settings.networks))
      itemsOf(fieldsOf(value)['endpoints']).forEach((endpoint, i) => {
        const serviceregistry = textOf(endpoint['fromRegistry']);
        if (serviceregistry === '' || known.includes(serviceregistry)) return;
        const path = `${keyPath('networks', network)}.endpoints[${i}].fromRegistry`;
        report('UnknownMeshNetworksServiceRegistry', object, { serviceregistry, network, known }, path);
      });
  },
};
