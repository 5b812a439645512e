import { type ConfigObject, fieldsOf, itemsOf, labelsOf, portOf, textOf } from '@seine/k8s';
import { servicePortProtocol } from '@seine/model';
import type { Analyzer, Report } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { isOfControlPlane } from './lookup/in-mesh.js';

/** Labels that tell a Service which a controller made for a gateway: nobody can rename its ports. */
const managed: ReadonlySet<string> = new Set([
  'istio.io-gateway-controller',
  'istio.io-mesh-controller',
  'istio.io-eastwest-controller',
]);

function checkPorts(object: ConfigObject, report: Report): void {
  const spec = fieldsOf(object.spec);
  const isExternalName = spec['type'] === 'ExternalName';
  itemsOf(spec['ports']).forEach((item, i) => {
    const port = portOf(item['port']);
    if (port === undefined) return;
    const name = textOf(item['name']);
    const appProtocol = textOf(item['appProtocol']) || undefined;
    const protocol = servicePortProtocol({ name, port, appProtocol, protocol: textOf(item['protocol']) || undefined });
    if (protocol !== 'auto' && !(name === 'tcp' && isExternalName)) return;
    const path = `spec.ports[${i}]`;
    if (isExternalName) {
      report('ExternalNameServiceTypeInvalidPortName', object, {}, path);
      return;
    }
    const targetPort = String((item['targetPort'] as string | number | undefined) ?? port);
    report('PortNameIsNotUnderNamingConvention', object, { portName: name, port, targetPort }, path);
  });
}

export const servicePortName: Analyzer = {
  name: 'service.PortNameAnalyzer',
  description: 'Ports of Services that do not say what they speak.',
  scope: 'object',
  analyze(catalogue, report) {
    for (const object of catalogue.all(kinds.service)) {
      const maker = labelsOf(object.metadata.labels)['gateway.istio.io/managed'];
      if (!isOfControlPlane(object) && !(maker !== undefined && managed.has(maker))) checkPorts(object, report);
    }
  },
};
