import { fieldsOf, itemsOf, textOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';

/** Kinds of rbac.istio.io that are gone. */
const removed: ReadonlySet<unknown> = new Set(['ClusterRbacConfig', 'RbacConfig', 'ServiceRole', 'ServiceRoleBinding']);

export const deprecation: Analyzer = {
  name: 'deprecation.DeprecationAnalyzer',
  description: 'Fields and kinds that are deprecated or gone.',
  scope: 'object',
  analyze(catalogue, report) {
    for (const object of catalogue.all(kinds.virtualService))
      itemsOf(fieldsOf(object.spec)['http']).forEach((rule, i) => {
        const percent = fieldsOf(fieldsOf(rule['fault'])['delay'])['percent'];
        if (typeof percent !== 'number' || percent <= 0) return;
        const detail = 'HTTPRoute.fault.delay.percent is deprecated; use HTTPRoute.fault.delay.percentage';
        report('Deprecated', object, { detail }, `spec.http[${i}].fault.delay.percent`);
      });
    for (const object of catalogue.all(kinds.sidecar)) {
      if (fieldsOf(fieldsOf(object.spec)['outboundTrafficPolicy'])['egressProxy'] === undefined) continue;
      const detail = 'OutboundTrafficPolicy.EgressProxy ignored';
      report('Deprecated', object, { detail }, 'spec.outboundTrafficPolicy.egressProxy');
    }
    for (const object of catalogue.all(kinds.customResourceDefinition)) {
      const spec = fieldsOf(object.spec);
      const kind = fieldsOf(spec['names'])['kind'];
      if (spec['group'] !== 'rbac.istio.io' || !removed.has(kind)) continue;
      const detail = `Custom resource type rbac.istio.io ${textOf(kind)} is removed`;
      report('Deprecated', object, { detail }, 'spec.names.kind');
    }
  },
};
