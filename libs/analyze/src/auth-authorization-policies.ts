import { type ConfigObject, fieldsOf, itemsOf, textsOf } from '@seine/k8s';
import type { Catalogue, Workload } from './frame/catalogue.js';
import type { Analyzer, Report } from './frame/finding.js';
import { kindNameOf, kinds } from './frame/kinds.js';
import { hasSidecar, isAmbientPod } from './lookup/in-mesh.js';
import { hasLabels, policySelector, selectorText } from './lookup/selectors.js';

/** Workloads that policies can apply to: those with a proxy. Outside Kubernetes, whoever is registered has one. */
function inMesh(catalogue: Catalogue): readonly Workload[] {
  return catalogue.workloads.filter(
    (workload) =>
      kindNameOf(workload.object) === kinds.workloadEntry || hasSidecar(catalogue, workload) || isAmbientPod(workload),
  );
}

function checkWorkloads(catalogue: Catalogue, object: ConfigObject, report: Report): void {
  const { namespace } = object.metadata;
  const spec = fieldsOf(object.spec);
  // What is attached by reference selects no pods.
  if (spec['targetRef'] !== undefined || itemsOf(spec['targetRefs']).length > 0) return;
  const selector = policySelector(object);
  const meshWide = namespace === catalogue.settings.rootNamespace;
  if (meshWide && !selector) return;
  const candidates = catalogue.derive(inMesh).filter((workload) => meshWide || workload.namespace === namespace);
  if (candidates.some(({ labels }) => hasLabels(selector ?? {}, labels))) return;
  report(
    'NoMatchingWorkloadsFound',
    object,
    { labels: selectorText(selector ?? {}) || 'any' },
    selector && 'spec.selector',
  );
}

function namespaceMatches(pattern: string, namespace: string): boolean {
  if (pattern.startsWith('*')) return namespace.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return namespace.startsWith(pattern.slice(0, -1));
  return pattern.toLowerCase() === namespace.toLowerCase();
}

function checkNamespaces(catalogue: Catalogue, object: ConfigObject, report: Report): void {
  const known = catalogue.all(kinds.namespace).map(({ metadata }) => metadata.name);
  itemsOf(fieldsOf(object.spec)['rules']).forEach((rule, i) => {
    itemsOf(rule['from']).forEach((from, j) => {
      for (const field of ['namespaces', 'notNamespaces'])
        textsOf(fieldsOf(from['source'])[field]).forEach((pattern, k) => {
          if (pattern === '*' || known.some((namespace) => namespaceMatches(pattern, namespace))) return;
          report(
            'ReferencedResourceNotFound',
            object,
            { reftype: 'namespace', refval: pattern, remedy: 'a Namespace of this name must exist' },
            `spec.rules[${i}].from[${j}].source.${field}[${k}]`,
          );
        });
    });
  });
}

export const authAuthorizationPolicies: Analyzer = {
  name: 'auth.AuthorizationPoliciesAnalyzer',
  description: 'AuthorizationPolicies that select no workload, or name namespaces that do not exist.',
  scope: 'mesh',
  analyze(catalogue, report) {
    for (const object of catalogue.all(kinds.authorizationPolicy)) {
      checkWorkloads(catalogue, object, report);
      checkNamespaces(catalogue, object, report);
    }
  },
};
