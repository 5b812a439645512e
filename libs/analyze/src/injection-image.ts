import { type ConfigObject, labelsOf, textOf } from '@seine/k8s';
import type { Catalogue, Workload } from './frame/catalogue.js';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { groupBy } from './lookup/group-by.js';
import { containersOf, proxyContainer } from './lookup/in-mesh.js';
import { injectedImage, injectorConfigMap, injectorValues, isInjectorConfigMap } from './lookup/injector-config.js';
import { proxyImageType } from './lookup/proxy-image-type.js';

/** The ConfigMap that pods of a namespace are injected from; undefined where there is no injection. */
function configMapFor(namespace: ConfigObject): string | undefined {
  const labels = labelsOf(namespace.metadata.labels);
  const revision = labels['istio.io/rev'];
  if (revision === undefined && labels['istio-injection'] !== 'enabled') return undefined;
  return injectorConfigMap(revision ?? 'default');
}

function runsOther(catalogue: Catalogue, pod: Workload, image: string): boolean {
  // A pod may name its own image, and then has it.
  if (pod.annotations['sidecar.istio.io/proxyImage']) return false;
  const variant = `${image}-${proxyImageType(catalogue, pod)}`;
  const proxies = containersOf(pod.spec).filter((container) => container['name'] === proxyContainer);
  return proxies.map((proxy) => textOf(proxy['image'])).some((running) => running !== image && running !== variant);
}

export const injectionImage: Analyzer = {
  name: 'injection.ImageAnalyzer',
  description: 'Pods that run another proxy image than injection puts in now.',
  scope: 'mesh',
  analyze(catalogue, report) {
    const configMaps = catalogue.all(kinds.configMap).filter(isInjectorConfigMap);
    const images = new Map(configMaps.map((object) => [object.metadata.name, injectedImage(injectorValues(object))]));
    if (images.size === 0) return;
    const pods = groupBy(catalogue.pods, ({ namespace }) => namespace);
    for (const namespace of catalogue.all(kinds.namespace)) {
      const image = images.get(configMapFor(namespace) ?? '');
      if (image === undefined || image === '') continue;
      const others = (pods.get(namespace.metadata.name) ?? []).filter((pod) => runsOther(catalogue, pod, image));
      if (others.length === 0) continue;
      const podNames = others.map(({ name }) => name).sort();
      report('PodsIstioProxyImageMismatchInNamespace', namespace, { podNames }, 'metadata.name');
    }
  },
};
