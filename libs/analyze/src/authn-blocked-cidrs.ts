import { type Fields, fieldsOf, itemsOf, labelsOf, textOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { fullName } from './lookup/names.js';

const variable = 'BLOCKED_CIDRS_IN_JWKS_URIS';
const mostNames = 5;

function isSet(container: Fields): boolean {
  return itemsOf(container['env']).some((env) => env['name'] === variable && textOf(env['value']) !== '');
}

export const authnBlockedCidrs: Analyzer = {
  name: 'authn.BlockedCIDRsAnalyzer',
  description: 'Whether the control plane limits where it fetches keys from, once RequestAuthentications name places.',
  scope: 'mesh',
  analyze(catalogue, report) {
    const all = catalogue.all(kinds.requestAuthentication).map(fullName);
    if (all.length === 0) return;
    const more = all.length > mostNames ? [`and ${all.length - mostNames} more`] : [];
    for (const object of catalogue.all(kinds.deployment)) {
      if (labelsOf(object.metadata.labels)['app'] !== 'istiod') continue;
      const pod = fieldsOf(fieldsOf(fieldsOf(object.spec)['template'])['spec']);
      if (itemsOf(pod['containers']).some(isSet)) continue;
      const names = [...all.slice(0, mostNames), ...more];
      report('JwksUriFetchUnrestricted', object, { count: all.length, names }, 'spec.template.spec.containers');
    }
  },
};
