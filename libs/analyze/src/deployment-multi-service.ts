import { type ConfigObject, type Fields, fieldsOf, itemsOf, labelsOf, portOf, selectorOf, textOf } from '@seine/k8s';
import type { Catalogue } from './frame/catalogue.js';
import type { Analyzer, Report } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { groupBy } from './lookup/group-by.js';
import { hasSidecar } from './lookup/in-mesh.js';
import { fullName } from './lookup/names.js';
import { hasLabels } from './lookup/selectors.js';

interface UsedPort {
  readonly service: string;
  readonly port: number;
  readonly protocol: string;
  readonly targetPort: string;
}

function portsOf(service: ConfigObject): readonly UsedPort[] {
  return itemsOf(fieldsOf(service.spec)['ports']).flatMap((item: Fields) => {
    const port = portOf(item['port']);
    if (port === undefined) return [];
    const target = item['targetPort'];
    const targetPort = target === undefined || target === 0 || target === '' ? port : (target as string | number);
    const protocol = textOf(item['protocol']) || 'TCP';
    return [{ service: fullName(service), port, protocol, targetPort: String(targetPort) }];
  });
}

const sorted = (names: Iterable<string>): readonly string[] => [...new Set(names)].sort();

function checkDeployment(object: ConfigObject, used: readonly UsedPort[], report: Report): void {
  const deployment = object.metadata.name;
  for (const [port, users] of groupBy(used, (one) => one.port)) {
    if (new Set(users.map((one) => one.protocol)).size < 2) continue;
    const services = sorted(users.map((one) => one.service));
    report('DeploymentAssociatedToMultipleServices', object, { deployment, port, services }, 'metadata.name');
  }
  for (const [targetPort, users] of groupBy(used, (one) => one.targetPort)) {
    const ports = [...new Set(users.map((one) => one.port))].sort((a, b) => a - b);
    if (ports.length < 2) continue;
    const services = sorted(users.map((one) => one.service));
    report('DeploymentConflictingPorts', object, { deployment, services, targetPort, ports }, 'metadata.name');
  }
}

function servicesByNamespace(catalogue: Catalogue): ReadonlyMap<string, readonly ConfigObject[]> {
  return groupBy(catalogue.all(kinds.service), ({ metadata }) => metadata.namespace);
}

export const deploymentMultiService: Analyzer = {
  name: 'deployment.MultiServiceAnalyzer',
  description: 'Deployments whose Services contradict each other about a port.',
  scope: 'mesh',
  analyze(catalogue, report) {
    for (const object of catalogue.all(kinds.deployment)) {
      const { name, namespace, labels } = object.metadata;
      // Waypoints are made by the control plane, with Services that are meant so.
      if (labelsOf(labels)['gateway.istio.io/managed'] === 'istio.io-mesh-controller') continue;
      const template = fieldsOf(fieldsOf(object.spec)['template']);
      const metadata = fieldsOf(template['metadata']);
      const podLabels = labelsOf(metadata['labels']);
      const spec = fieldsOf(template['spec']);
      const pod = { name, namespace, labels: podLabels, annotations: labelsOf(metadata['annotations']), spec, object };
      if (!hasSidecar(catalogue, pod)) continue;
      const services = (catalogue.derive(servicesByNamespace).get(namespace) ?? []).filter((service) => {
        const selector = selectorOf(fieldsOf(service.spec)['selector']);
        return selector !== undefined && hasLabels(selector, podLabels);
      });
      checkDeployment(object, services.flatMap(portsOf), report);
    }
  },
};
