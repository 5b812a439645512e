import { type ConfigObject, labelsOf } from '@seine/k8s';
import type { Analyzer, Report } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { annotationProblem } from './lookup/annotation-values.js';
import { isIstioAnnotation, knownAnnotations, setByControlPlane } from './lookup/annotations.js';
import { keyPath } from './lookup/names.js';

const inject = 'sidecar.istio.io/inject';

function checkAnnotation(object: ConfigObject, annotation: string, value: string, report: Report): void {
  const path = keyPath('metadata.annotations', annotation);
  const known = knownAnnotations.get(annotation);
  if (!known) {
    report('UnknownAnnotation', object, { annotation }, path);
    return;
  }
  // Who also has the label that came after the annotation keeps the old one on purpose.
  const replaced = annotation === inject && labelsOf(object.metadata.labels)[inject] !== undefined;
  if (known.deprecated && !replaced) {
    const extra = annotation === inject ? ` in favor of the "${inject}" label` : '';
    report('DeprecatedAnnotation', object, { annotation, extra }, path);
  }
  if (known.kinds.includes('Any')) return;
  if (!known.kinds.includes(object.kind)) {
    report('MisplacedAnnotation', object, { annotation, kind: known.kinds }, path);
    return;
  }
  const problem = annotationProblem(annotation, value);
  if (problem !== undefined) report('InvalidAnnotation', object, { annotation, problem }, path);
}

export const annotationsK8s: Analyzer = {
  name: 'annotations.K8sAnalyzer',
  description: 'Annotations of Istio on Kubernetes objects: unknown, misplaced, deprecated, or with a wrong value.',
  scope: 'object',
  analyze(catalogue, report) {
    for (const kind of [kinds.namespace, kinds.service, kinds.pod, kinds.deployment])
      for (const object of catalogue.all(kind))
        for (const [annotation, value] of Object.entries(labelsOf(object.metadata.annotations)))
          if (isIstioAnnotation(annotation) && !setByControlPlane.has(annotation))
            checkAnnotation(object, annotation, value, report);
  },
};
