import {
  type ConfigObject,
  type Fields,
  fieldsOf,
  itemsOf,
  type Labels,
  labelsOf,
  portOf,
  selectorOf,
} from '@seine/k8s';
import type { Catalogue, Workload } from './frame/catalogue.js';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { gatewayWorkloads, reportNoGatewayPods } from './lookup/gateway-pods.js';
import { groupBy } from './lookup/group-by.js';
import { containersOf } from './lookup/in-mesh.js';
import { hasLabels, selectorText } from './lookup/selectors.js';

/** The numbers under which a port of a Service may be meant: its own, and the one it leads to. */
function numbersOf(port: Fields, workload: Workload): readonly number[] {
  const own = portOf(port['port']);
  const target = port['targetPort'];
  const named = containersOf(workload.spec)
    .flatMap((container) => itemsOf(container['ports']))
    .find((item) => item['name'] === target);
  const number =
    typeof target === 'string' ? (portOf(Number(target)) ?? portOf(named?.['containerPort'])) : portOf(target);
  return [own, number].filter((n) => n !== undefined);
}

interface SelectingService {
  readonly selector: Labels;
  readonly ports: readonly Fields[];
}

/** The Services that select workloads, with their TCP ports, by namespace. */
function selectingServices(catalogue: Catalogue): ReadonlyMap<string, readonly SelectingService[]> {
  const byNamespace = groupBy(catalogue.all(kinds.service), ({ metadata }) => metadata.namespace);
  const read = ({ spec }: ConfigObject): readonly SelectingService[] => {
    const selector = selectorOf(fieldsOf(spec)['selector']);
    const ports = itemsOf(fieldsOf(spec)['ports']).filter((port) => (port['protocol'] ?? 'TCP') === 'TCP');
    return selector ? [{ selector, ports }] : [];
  };
  return new Map([...byNamespace].map(([namespace, services]) => [namespace, services.flatMap(read)]));
}

function exposedPorts(catalogue: Catalogue, workloads: readonly Workload[]): ReadonlySet<number> {
  const services = catalogue.derive(selectingServices);
  const exposed = new Set<number>();
  for (const workload of workloads)
    for (const { selector, ports } of services.get(workload.namespace) ?? [])
      if (hasLabels(selector, workload.labels))
        for (const port of ports) for (const number of numbersOf(port, workload)) exposed.add(number);
  return exposed;
}

function serversOf(object: ConfigObject): readonly Fields[] {
  return itemsOf(fieldsOf(object.spec)['servers']);
}

export const gatewayIngressGatewayPort: Analyzer = {
  name: 'gateway.IngressGatewayPortAnalyzer',
  description: 'Gateways that select no workload, or listen on ports that no Service of their workload exposes.',
  scope: 'mesh',
  analyze(catalogue, report) {
    for (const object of catalogue.all(kinds.gateway)) {
      const workloads = gatewayWorkloads(catalogue, object);
      if (workloads.length === 0) {
        reportNoGatewayPods(object, report);
        continue;
      }
      const exposed = exposedPorts(catalogue, workloads);
      const selector = selectorText(labelsOf(fieldsOf(object.spec)['selector']));
      serversOf(object).forEach((server, i) => {
        const port = portOf(fieldsOf(server['port'])['number']);
        if (port === undefined || exposed.has(port)) return;
        report('GatewayPortNotDefinedOnService', object, { port, selector }, `spec.servers[${i}].port.number`);
      });
    }
  },
};
