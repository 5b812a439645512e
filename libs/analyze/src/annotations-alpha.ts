import { type ConfigObject, fieldsOf, itemsOf, labelsOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { kindNameOf, kinds } from './frame/kinds.js';
import { isIstioAnnotation, knownAnnotations, setByControlPlane } from './lookup/annotations.js';
import { keyPath } from './lookup/names.js';

/** Injection sets these on every pod where a node agent, not an init container, redirects the traffic. */
const setByInjection: ReadonlySet<string> = new Set([
  'sidecar.istio.io/interceptionMode',
  'traffic.sidecar.istio.io/includeInboundPorts',
  'traffic.sidecar.istio.io/excludeInboundPorts',
  'traffic.sidecar.istio.io/includeOutboundIPRanges',
]);

function isRedirectedByNode(object: ConfigObject): boolean {
  if (kindNameOf(object) !== kinds.pod) return false;
  return !itemsOf(fieldsOf(object.spec)['initContainers']).some((container) => container['name'] === 'istio-init');
}

export const annotationsAlpha: Analyzer = {
  name: 'annotations.AlphaAnalyzer',
  description: 'Annotations of Istio whose features are still alpha.',
  scope: 'object',
  analyze(catalogue, report) {
    for (const kind of [kinds.namespace, kinds.service, kinds.pod, kinds.deployment])
      for (const object of catalogue.all(kind)) {
        const ofInjection = isRedirectedByNode(object) ? setByInjection : new Set<string>();
        for (const annotation of Object.keys(labelsOf(object.metadata.annotations))) {
          if (!isIstioAnnotation(annotation) || knownAnnotations.get(annotation)?.stage !== 'alpha') continue;
          if (setByControlPlane.has(annotation) || ofInjection.has(annotation)) continue;
          report('AlphaAnnotation', object, { annotation }, keyPath('metadata.annotations', annotation));
        }
      }
  },
};
