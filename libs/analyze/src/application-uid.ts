import { type Fields, fieldsOf, itemsOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { isOfControlPlane, proxyContainer } from './lookup/in-mesh.js';

/** The user that proxies run as; redirection leaves its traffic alone. */
const proxyUser = 1337;
const ofIstio: ReadonlySet<unknown> = new Set([proxyContainer, 'istio-operator']);

function runsAsProxy(fields: Fields): boolean {
  return fieldsOf(fields['securityContext'])['runAsUser'] === proxyUser;
}

/** Where a pod's spec makes an application run as the proxy's user; undefined where it does not. */
function pathOfUser(spec: Fields): string | undefined {
  if (runsAsProxy(spec)) return 'securityContext.runAsUser';
  const i = itemsOf(spec['containers']).findIndex((c) => !ofIstio.has(c['name']) && runsAsProxy(c));
  return i < 0 ? undefined : `containers[${i}].securityContext.runAsUser`;
}

export const applicationUid: Analyzer = {
  name: 'applicationUID.Analyzer',
  description: 'Applications that run as the user whose traffic is taken for that of the proxy.',
  scope: 'object',
  analyze(catalogue, report) {
    for (const object of [...catalogue.all(kinds.pod), ...catalogue.all(kinds.deployment)]) {
      if (isOfControlPlane(object)) continue;
      const template = fieldsOf(fieldsOf(fieldsOf(object.spec)['template'])['spec']);
      const [spec, prefix] = object.kind === 'Pod' ? [fieldsOf(object.spec), 'spec'] : [template, 'spec.template.spec'];
      const path = pathOfUser(spec);
      if (path !== undefined) report('InvalidApplicationUID', object, {}, `${prefix}.${path}`);
    }
  },
};
