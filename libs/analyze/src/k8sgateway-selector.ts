import { fieldsOf, itemsOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { hasLabels, policySelector } from './lookup/selectors.js';

const gatewayName = 'gateway.networking.k8s.io/gateway-name';

export const k8sgatewaySelector: Analyzer = {
  name: 'k8sgateway.SelectorAnalyzer',
  description: 'Policies that select pods of Kubernetes Gateways by labels, which has no effect there.',
  scope: 'mesh',
  analyze(catalogue, report) {
    const pods = catalogue.workloads.filter(({ labels }) => labels[gatewayName] !== undefined);
    if (pods.length === 0) return;
    const policies = [kinds.authorizationPolicy, kinds.requestAuthentication, kinds.telemetry, kinds.wasmPlugin];
    for (const object of policies.flatMap((kind) => catalogue.all(kind))) {
      const spec = fieldsOf(object.spec);
      const selector = policySelector(object);
      if (!selector || spec['targetRef'] !== undefined || itemsOf(spec['targetRefs']).length > 0) continue;
      for (const { namespace, labels } of pods) {
        if (namespace !== object.metadata.namespace || !hasLabels(selector, labels)) continue;
        report('IneffectiveSelector', object, { gateway: labels[gatewayName] ?? '' }, 'spec.selector');
      }
    }
  },
};
