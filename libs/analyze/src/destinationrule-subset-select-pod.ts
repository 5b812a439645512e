import { type ConfigObject, fieldsOf, itemsOf, type Labels, labelsOf, textOf } from '@seine/k8s';
import { fullyQualify } from '@seine/model';
import type { Catalogue, Workload } from './frame/catalogue.js';
import type { Analyzer, Report } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { findHost, hostIndex, type KnownHost } from './lookup/hosts.js';
import { hasLabels } from './lookup/selectors.js';

const ofLocality = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone', 'topology.istio.io/subzone'];

/** The labels of an endpoint: those of its pod, and where its node stands. */
function endpointLabels(catalogue: Catalogue, { labels, spec }: Workload): Labels {
  const nodeName = textOf(spec['nodeName']);
  if (nodeName === '') return labels;
  const node = labelsOf(catalogue.find(kinds.node, '', nodeName)?.metadata.labels);
  const places = ofLocality.flatMap((key) => (node[key] ? [[key, node[key]] as const] : []));
  return { ...labels, ...Object.fromEntries(places), 'kubernetes.io/hostname': nodeName };
}

/** The labels of all that a host may send traffic to. */
function endpointsOf(catalogue: Catalogue, { object, selector, endpoints }: KnownHost): readonly Labels[] {
  // A Service without selector has its endpoints from elsewhere: any workload may be one.
  const behind = selector ? catalogue.workloadsIn(object.metadata.namespace) : catalogue.workloads;
  if (!selector && object.kind === 'ServiceEntry') return endpoints;
  const selected = behind.filter(({ labels }) => hasLabels(selector ?? {}, labels));
  return [...endpoints, ...selected.map((workload) => endpointLabels(catalogue, workload))];
}

function checkSubsets(catalogue: Catalogue, object: ConfigObject, host: KnownHost, report: Report): void {
  const subsets = itemsOf(fieldsOf(object.spec)['subsets']);
  if (subsets.length === 0) return;
  const endpoints = endpointsOf(catalogue, host);
  subsets.forEach((subset, i) => {
    const labels = labelsOf(subset['labels']);
    // Without labels a subset is the whole host, under a policy of its own.
    if (Object.keys(labels).length === 0 || endpoints.some((endpoint) => hasLabels(labels, endpoint))) return;
    const path = `spec.subsets[${i}]`;
    report('DestinationRuleSubsetNotSelectPods', object, { subset: textOf(subset['name']) }, path);
  });
}

export const destinationruleSubsetSelectPod: Analyzer = {
  name: 'destinationrule.SubsetSelectPodAnalyzer',
  description: 'DestinationRules for hosts that do not exist, and subsets that select no workload.',
  scope: 'mesh',
  analyze(catalogue, report) {
    for (const object of catalogue.all(kinds.destinationRule)) {
      const host = textOf(fieldsOf(object.spec)['host']);
      if (host === '') continue;
      const found = findHost(catalogue, object, host);
      if (found) checkSubsets(catalogue, object, found, report);
      else if (
        !catalogue.derive(hostIndex).covers(fullyQualify(host, object.metadata.namespace, catalogue.clusterDomain))
      )
        report('UnknownDestinationRuleHost', object, { host }, 'spec.host');
    }
  },
};
