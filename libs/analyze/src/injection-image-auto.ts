import { type Fields, fieldsOf, itemsOf, labelSelectorMatches, labelsOf, textOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { namespaceLabels, proxyContainer } from './lookup/in-mesh.js';

/** Index of the container that leaves its image to injection, or -1. */
function autoImage(podSpec: Fields): number {
  return itemsOf(podSpec['containers']).findIndex(({ name, image }) => name === proxyContainer && image === 'auto');
}

export const injectionImageAuto: Analyzer = {
  name: 'injection.ImageAutoAnalyzer',
  description: 'Pods and Deployments with `image: auto` that no injection fills in.',
  scope: 'mesh',
  analyze(catalogue, report) {
    for (const { object, spec, name } of catalogue.pods) {
      const i = autoImage(spec);
      if (i < 0) continue;
      const about = { resourceType: 'Pod', resourceName: name };
      report('ImageAutoWithoutInjectionError', object, about, `spec.containers[${i}].image`);
    }
    const webhooks = catalogue
      .all(kinds.mutatingWebhook)
      .flatMap((object) => itemsOf(object['webhooks']))
      .filter((webhook) => textOf(webhook['name']).endsWith('istio.io'));
    for (const object of catalogue.all(kinds.deployment)) {
      const template = fieldsOf(fieldsOf(object.spec)['template']);
      const i = autoImage(fieldsOf(template['spec']));
      if (i < 0) continue;
      const ofNamespace = namespaceLabels(catalogue, object.metadata.namespace) ?? {};
      const ofPod = labelsOf(fieldsOf(template['metadata'])['labels']);
      const injected = webhooks.some(
        ({ namespaceSelector, objectSelector }) =>
          labelSelectorMatches(namespaceSelector, ofNamespace) && labelSelectorMatches(objectSelector, ofPod),
      );
      if (injected) continue;
      const about = { resourceType: 'Deployment', resourceName: object.metadata.name };
      report('ImageAutoWithoutInjectionWarning', object, about, `spec.template.spec.containers[${i}].image`);
    }
  },
};
