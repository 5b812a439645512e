import { type Fields, fieldsOf, itemsOf, type Labels, labelsOf, textOf, textsOf } from './read-fields.js';

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

/** Whether a LabelSelector asks for nothing. */
export function isEmptySelector(selector: unknown): boolean {
  const { matchLabels, matchExpressions } = fieldsOf(selector);
  return Object.keys(labelsOf(matchLabels)).length + itemsOf(matchExpressions).length === 0;
}
