import type { gatewayApi } from '@seine/istio';

type Labels = Readonly<Record<string, string>>;

/** Whether a Kubernetes label selector selects; an empty one selects all. */
export function selects(selector: gatewayApi.LabelSelector, labels: Labels): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return equal && (selector.matchExpressions ?? []).every((expression) => holds(expression, labels));
}

type Expression = NonNullable<gatewayApi.LabelSelector['matchExpressions']>[number];

function holds({ key, operator, values }: Expression, labels: Labels): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && (values?.includes(value) ?? false);
    case 'NotIn':
      return value === undefined || !values?.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** Labels of a namespace, with the one that every namespace has. */
export function namespaceLabels(name: string, labels: Labels | undefined): Labels {
  return { ...labels, 'kubernetes.io/metadata.name': name };
}
