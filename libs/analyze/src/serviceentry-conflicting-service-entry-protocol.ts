import { compareText, type ConfigObject, fieldsOf, itemsOf, portOf, textOf, textsOf } from '@seine/k8s';
import type { Catalogue } from './frame/catalogue.js';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { groupBy } from './lookup/group-by.js';
import { fullName } from './lookup/names.js';
import { everywhere, scopesOf } from './lookup/scopes.js';

interface DeclaredPort {
  readonly object: ConfigObject;
  readonly scope: string;
  readonly host: string;
  readonly port: number;
  readonly protocol: string;
  readonly path: string;
}

function declaredPorts(object: ConfigObject): readonly DeclaredPort[] {
  const spec = fieldsOf(object.spec);
  const ports = itemsOf(spec['ports']).flatMap((item, i) => {
    const port = portOf(item['number']);
    const protocol = textOf(item['protocol']).toUpperCase();
    return port === undefined ? [] : [{ port, protocol, path: `spec.ports[${i}].protocol` }];
  });
  return scopesOf(textsOf(spec['exportTo']), object.metadata.namespace).flatMap((scope) =>
    textsOf(spec['hosts']).flatMap((host) => ports.map((one) => ({ object, scope, host, ...one }))),
  );
}

/** The ports that are declared together as each namespace sees them. */
function declaredTogether(catalogue: Catalogue): readonly (readonly DeclaredPort[])[] {
  const keyOf = (scope: string, { host, port }: DeclaredPort) => `${scope}/${host}:${port}`;
  const all = catalogue.all(kinds.serviceEntry).flatMap(declaredPorts);
  const groups = groupBy(all, (one) => keyOf(one.scope, one));
  return [...groups.values()].map((group) => {
    const [first] = group;
    if (!first || first.scope === everywhere) return group;
    return [...group, ...(groups.get(keyOf(everywhere, first)) ?? [])];
  });
}

export const serviceentryConflictingServiceEntryProtocol: Analyzer = {
  name: 'serviceentry.ConflictingServiceEntryProtocolAnalyzer',
  description: 'ServiceEntries that give one port of a host different protocols.',
  scope: 'mesh',
  analyze(catalogue, report) {
    const told = new Set<ConfigObject>();
    for (const group of declaredTogether(catalogue)) {
      const protocols = [...new Set(group.map(({ protocol }) => protocol))].sort(compareText);
      if (protocols.length < 2) continue;
      const serviceEntryNames = [...new Set(group.map(({ object }) => fullName(object)))].sort();
      for (const { object, host, port, path } of group) {
        if (told.has(object)) continue;
        told.add(object);
        report('ConflictingServiceEntryProtocol', object, { serviceEntryNames, host, port, protocols }, path);
      }
    }
  },
};
