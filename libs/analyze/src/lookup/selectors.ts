import { compareText, type ConfigObject, fieldsOf, type Labels, labelsOf } from '@seine/k8s';

export { hasLabels } from '../frame/catalogue.js';

/** `app=reviews,version=v1`, in order of keys. */
export function selectorText(labels: Labels): string {
  const keys = Object.keys(labels).sort(compareText);
  return keys.map((key) => `${key}=${labels[key] ?? ''}`).join(',');
}

/** The labels that a policy selects by (`spec.selector.matchLabels`); undefined where it has no selector. */
export function policySelector(object: ConfigObject): Labels | undefined {
  const selector = fieldsOf(object.spec)['selector'];
  return selector === undefined || selector === null ? undefined : labelsOf(fieldsOf(selector)['matchLabels']);
}
