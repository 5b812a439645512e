import { compareText, type ConfigObject, fieldsOf, itemsOf, textOf } from '@seine/k8s';
import { deepEqual } from '@seine/memo';
import type { Catalogue } from './frame/catalogue.js';
import type { Analyzer } from './frame/finding.js';
import { kindNameOf, kinds } from './frame/kinds.js';
import { groupBy } from './lookup/group-by.js';
import { fullName } from './lookup/names.js';

/** What the cluster that the objects are from is called where it stands beside others. */
const ownCluster = 'this one';

interface PlacedService {
  readonly cluster: string;
  readonly object: ConfigObject;
}

function servicesOf(catalogue: Catalogue): readonly PlacedService[] {
  const remote = [...catalogue.remoteClusters].flatMap(([cluster, objects]) =>
    objects.filter((object) => kindNameOf(object) === kinds.service).map((object) => ({ cluster, object })),
  );
  return [...catalogue.all(kinds.service).map((object) => ({ cluster: ownCluster, object })), ...remote];
}

const isHeadless = (object: ConfigObject) => fieldsOf(object.spec)['clusterIP'] === 'None';
const typeOf = (object: ConfigObject) => textOf(fieldsOf(object.spec)['type']) || 'ClusterIP';
const portsOf = (object: ConfigObject) =>
  [...itemsOf(fieldsOf(object.spec)['ports'])].sort((a, b) => compareText(textOf(a['name']), textOf(b['name'])));

function differences(a: ConfigObject, b: ConfigObject): readonly string[] {
  return [
    ...(isHeadless(a) === isHeadless(b) ? [] : ['it is headless in some clusters only']),
    ...(typeOf(a) === typeOf(b) ? [] : ['its type differs']),
    ...(deepEqual(portsOf(a), portsOf(b)) ? [] : ['its ports differ']),
  ];
}

export const servicesMultiCluster: Analyzer = {
  name: 'services.MultiClusterServiceAnalyzer',
  description: 'Services that are defined differently in the clusters of a mesh.',
  scope: 'mesh',
  analyze(catalogue, report) {
    if (catalogue.remoteClusters.size === 0) return;
    for (const same of groupBy(servicesOf(catalogue), ({ object }) => fullName(object)).values()) {
      const [first, ...others] = same;
      if (!first) continue;
      const odd = others.filter(({ object }) => differences(first.object, object).length > 0);
      if (odd.length === 0) continue;
      const error = [...new Set(odd.flatMap(({ object }) => differences(first.object, object)))].sort().join('; ');
      const clusters = [first, ...odd].map(({ cluster }) => cluster);
      const { name: serviceName, namespace } = first.object.metadata;
      report('MultiClusterInconsistentService', first.object, { serviceName, namespace, clusters, error });
    }
  },
};
