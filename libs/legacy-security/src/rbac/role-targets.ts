import type { AccessRule, ServiceRole } from '@seine/istio';
import type { Labels } from '@seine/k8s';
import type { Inputs } from '../input.js';
import type { Messages } from '../messages.js';
import type { Service } from '../service.js';
import type { Enforcement } from './enforcement.js';
import { matchesWildcard } from './wildcard.js';

/** Workloads that one entry of `services` means. */
export interface RoleTarget {
  /** As Istio's converter names it: `service-productpage-rule0-target1`. */
  readonly name: string;
  readonly selector: Labels;
}

/** What the constraints of a rule say of the workload that is called. */
interface Constraints {
  /** Labels to select by beside those of the service, one entry for each way to satisfy the constraints. */
  readonly labels: readonly Labels[];
  readonly isFor: (service: Service) => boolean;
  readonly saysNothing: boolean;
}

const labelKey = /^destination\.labels\[([^\]]+)\]$/;

function isDestination(key: string): boolean {
  return key === 'destination.name' || key === 'destination.namespace';
}

/** Whether a constraint is on the workload that is called, not on the request. */
export function isOnWorkload(key: string): boolean {
  return isDestination(key) || labelKey.test(key);
}

function everyWay(ways: readonly Labels[], key: string, values: readonly string[]): readonly Labels[] {
  return ways.flatMap((labels) =>
    values.flatMap((value) =>
      labels[key] === undefined || labels[key] === value ? [{ ...labels, [key]: value }] : [],
    ),
  );
}

function constraintsOf(rule: AccessRule, role: ServiceRole, path: string, messages: Messages): Constraints {
  let labels: readonly Labels[] = [{}];
  const tests: ((service: Service) => boolean)[] = [];
  (rule.constraints ?? []).forEach(({ key = '', values = [] }, i) => {
    const label = labelKey.exec(key)?.[1];
    if (label !== undefined) {
      const plain = values.filter((value) => !value.includes('*'));
      if (plain.length < values.length)
        messages.warn(
          role,
          `${path}.constraints[${i}].values`,
          'Workloads cannot be selected by a part of a label’s value: values with * allow nothing.',
        );
      labels = everyWay(labels, label, plain);
    } else if (isDestination(key)) {
      const field = key === 'destination.name' ? 'name' : 'namespace';
      tests.push((service) => values.some((value) => matchesWildcard(value, service[field])));
    }
  });
  const saysNothing = tests.length === 0 && labels.length === 1 && Object.keys(labels[0] ?? {}).length === 0;
  return { labels, isFor: (service) => tests.every((test) => test(service)), saysNothing };
}

/** Whether an entry of `services` means a service: by its short name or its full one. */
function means(pattern: string, { name, namespace, host }: Service): boolean {
  const names = [name, `${name}.${namespace}`, `${name}.${namespace}.svc`, host];
  return names.some((one) => matchesWildcard(pattern, one));
}

/** The workloads that a rule of a role is for, as far as roles decide who may call them. */
export function roleTargets(
  role: ServiceRole,
  at: number,
  inputs: Inputs,
  enforcement: Enforcement,
  messages: Messages,
): readonly RoleTarget[] {
  const rule = role.spec.rules?.[at] ?? {};
  const path = `spec.rules[${at}]`;
  const { namespace } = role.metadata;
  const constraints = constraintsOf(rule, role, path, messages);
  return (rule.services ?? []).flatMap((pattern, i) => {
    const stem = `service-${pattern.replaceAll('*', 'wildcard')}-rule${at}-target`;
    if (pattern === '*' && constraints.saysNothing && enforcement.wholeNamespace(namespace))
      return [{ name: `${stem}0`, selector: {} }];
    const meant = inputs.services(namespace).filter((service) => means(pattern, service));
    if (meant.length === 0)
      messages.warn(role, `${path}.services[${i}]`, `There is no Service ${pattern} in namespace ${namespace}.`);
    const selectors = meant
      .filter((service) => enforcement.service(service) && constraints.isFor(service))
      .flatMap(({ selector = {} }) => constraints.labels.flatMap((labels) => merged(selector, labels)));
    return selectors.map((selector, j) => ({ name: `${stem}${j}`, selector }));
  });
}

/** Both sets of labels; none where they contradict each other, or where a service selects nothing. */
function merged(a: Labels, b: Labels): readonly Labels[] {
  const agrees = Object.entries(b).every(([key, value]) => a[key] === undefined || a[key] === value);
  return agrees && Object.keys(a).length > 0 ? [{ ...a, ...b }] : [];
}
