import { fieldsOf, itemsOf, textOf, textsOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';

export const virtualserviceDelegate: Analyzer = {
  name: 'virtualservice.DelegateAnalyzer',
  description: 'VirtualServices that hand routes to others which do not exist, or are no delegates. Not in istioctl.',
  scope: 'mesh',
  analyze(catalogue, report) {
    for (const object of catalogue.all(kinds.virtualService))
      itemsOf(fieldsOf(object.spec)['http']).forEach((rule, i) => {
        const delegate = fieldsOf(rule['delegate']);
        const name = textOf(delegate['name']);
        if (name === '') return;
        const namespace = textOf(delegate['namespace']) || object.metadata.namespace;
        const found = catalogue.find(kinds.virtualService, namespace, name);
        if (found && textsOf(fieldsOf(found.spec)['hosts']).length === 0) return;
        const remedy = found
          ? 'the VirtualService has hosts of its own, and only one without can be a delegate'
          : 'a VirtualService without hosts must have this name';
        const about = { reftype: 'delegate', refval: `${namespace}/${name}`, remedy };
        report('ReferencedResourceNotFound', object, about, `spec.http[${i}].delegate.name`);
      });
  },
};
