import { type ConfigObject, fieldsOf, labelsOf, textOf } from '@seine/k8s';
import type { Catalogue, Workload } from './frame/catalogue.js';
import type { Analyzer, Report } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { containersOf, proxyContainer } from './lookup/in-mesh.js';
import { injectorConfigMap, injectorValues } from './lookup/injector-config.js';
import { fullName } from './lookup/names.js';

const injection = 'istio-injection';
const revision = 'istio.io/rev';
const dataplaneMode = 'istio.io/dataplane-mode';

function injectsByDefault(catalogue: Catalogue, ofRevision: string): boolean {
  const wanted = injectorConfigMap(ofRevision);
  const found = catalogue.all(kinds.configMap).find(({ metadata }) => metadata.name === wanted);
  return (
    found !== undefined &&
    fieldsOf(injectorValues(found)['sidecarInjectorWebhook'])['enableNamespacesByDefault'] === true
  );
}

/** Tells what is odd about the labels of a namespace. Returns whether its pods should have a proxy. */
function checkNamespace(catalogue: Catalogue, object: ConfigObject, report: Report): boolean {
  const namespace = object.metadata.name;
  const labels = labelsOf(object.metadata.labels);
  const own = labels[injection];
  const others = own === undefined || own === 'enabled' ? [revision, dataplaneMode] : [];
  const stated = [injection, ...others].filter((key) => labels[key] !== undefined);
  if (stated.length > 1) {
    const all = stated.map((key) => `${key}=${labels[key] ?? ''}`);
    report('NamespaceMultipleInjectionLabels', object, { labels: all }, 'metadata.labels');
  }
  if (labels[dataplaneMode] === 'ambient') return false;
  if ((own ?? '') === '' && labels[revision] === undefined) {
    if (injectsByDefault(catalogue, '')) report('NamespaceInjectionEnabledByDefault', object, {}, 'metadata.name');
    else report('NamespaceNotInjected', object, { namespace }, 'metadata.name');
    return false;
  }
  return own === 'enabled';
}

function lacksProxy({ spec, labels, annotations }: Workload): boolean {
  const inject = labels['sidecar.istio.io/inject'] ?? annotations['sidecar.istio.io/inject'] ?? '';
  if (inject.toLowerCase() === 'false' || spec['hostNetwork'] === true) return false;
  const proxy = containersOf(spec).find((container) => container['name'] === proxyContainer);
  return textOf(proxy?.['image']) === '';
}

export const injectionAnalyzer: Analyzer = {
  name: 'injection.Analyzer',
  description: 'Namespaces that are not injected or contradict themselves, and pods that lack the proxy.',
  scope: 'mesh',
  analyze(catalogue, report) {
    const injected = new Set<string>();
    for (const object of catalogue.all(kinds.namespace)) {
      if (object.metadata.name === catalogue.settings.rootNamespace) continue;
      if (checkNamespace(catalogue, object, report)) injected.add(object.metadata.name);
    }
    for (const pod of catalogue.pods)
      if (injected.has(pod.namespace) && lacksProxy(pod))
        report('PodMissingProxy', pod.object, { podName: fullName(pod.object) }, 'metadata.name');
  },
};
