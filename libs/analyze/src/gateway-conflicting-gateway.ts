import { type ConfigObject, fieldsOf, itemsOf, type Labels, labelsOf, portOf, textOf, textsOf } from '@seine/k8s';
import type { Catalogue } from './frame/catalogue.js';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { fullName } from './lookup/names.js';
import { hasLabels, selectorText } from './lookup/selectors.js';

interface Server {
  readonly port: number;
  readonly bind: string;
  readonly hosts: readonly string[];
  readonly path: string;
}

interface GatewayServers {
  readonly object: ConfigObject;
  readonly selector: Labels;
  readonly text: string;
  readonly servers: readonly Server[];
}

function serversOf(object: ConfigObject): readonly Server[] {
  return itemsOf(fieldsOf(object.spec)['servers']).map((server, i) => ({
    port: portOf(fieldsOf(server['port'])['number']) ?? 0,
    bind: textOf(server['bind']),
    hosts: textsOf(server['hosts']),
    path: `spec.servers[${i}]`,
  }));
}

/** Whether two Gateways stand on the same workloads: by one selector, or by two of which one says more. */
function standTogether(catalogue: Catalogue, a: GatewayServers, b: GatewayServers): boolean {
  if (a.text === b.text) return true;
  if (!a.text.includes(b.text) && !b.text.includes(a.text)) return false;
  return catalogue.workloads.some(({ labels }) => hasLabels(a.selector, labels) && hasLabels(b.selector, labels));
}

/** Whether two servers claim one host on one address and port. */
function claimSame(a: Server, b: Server): boolean {
  return a.port === b.port && a.bind === b.bind && a.hosts.some((host) => b.hosts.includes(host));
}

export const gatewayConflictingGateway: Analyzer = {
  name: 'gateway.ConflictingGatewayAnalyzer',
  description: 'Gateways that serve the same host on the same port of the same workloads.',
  scope: 'mesh',
  analyze(catalogue, report) {
    const gateways: readonly GatewayServers[] = catalogue.all(kinds.gateway).map((object) => {
      const selector = labelsOf(fieldsOf(object.spec)['selector']);
      return { object, selector, text: selectorText(selector), servers: serversOf(object) };
    });
    for (const one of gateways) {
      const others = gateways.filter((other) => other !== one && standTogether(catalogue, one, other));
      for (const server of one.servers) {
        const against = others.filter((other) => other.servers.some((theirs) => claimSame(server, theirs)));
        if (against.length === 0) continue;
        const gateway = against.map(({ object }) => fullName(object)).sort();
        const about = { gateway, selector: one.text, portnumber: server.port, hosts: server.hosts };
        report('ConflictingGateways', one.object, about, `${server.path}.hosts`);
      }
    }
  },
};
