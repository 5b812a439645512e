import {
  compareText,
  type ConfigObject,
  type Fields,
  fieldsOf,
  itemsOf,
  type Labels,
  labelsOf,
  textOf,
  textsOf,
} from '@seine/k8s';

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

function holds(expression: Fields, labels: Labels): boolean {
  const key = textOf(expression['key']);
  const value = labels[key];
  const values = textsOf(expression['values']);
  switch (expression['operator']) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

/** Whether a LabelSelector of Kubernetes (matchLabels, matchExpressions) selects labels; one left out selects all. */
export function labelSelectorMatches(selector: unknown, labels: Labels): boolean {
  if (selector === undefined || selector === null) return true;
  const { matchLabels, matchExpressions } = fieldsOf(selector);
  const wanted = Object.entries(labelsOf(matchLabels));
  return (
    wanted.every(([key, value]) => labels[key] === value) &&
    itemsOf(matchExpressions).every((expression) => holds(expression, labels))
  );
}
