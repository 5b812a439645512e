import { isEmptySelector, labelSelectorMatches } from '@seine/k8s';
import { annotation, annotationsOf, labelsOf, type Pod } from './pod.js';

/** What says which pods get a proxy (Helm values `sidecarInjectorWebhook.*`, `revision`). */
export interface InjectionPolicy {
  readonly revision: string;
  /** Whether `istio-injection=enabled` and pods that name no revision are this one's. */
  readonly isDefaultRevision: boolean;
  /** Whether namespaces that say nothing are injected. */
  readonly enableNamespacesByDefault: boolean;
  /** `disabled`: only pods that ask for it. */
  readonly policy: 'enabled' | 'disabled';
  /** LabelSelectors of Kubernetes; one that asks for nothing takes no pod. */
  readonly neverInjectSelector: readonly object[];
  readonly alwaysInjectSelector: readonly object[];
  /** Where the control plane runs: never injected, or it could not start again. */
  readonly rootNamespace: string;
}

export interface InjectionDecision {
  readonly inject: boolean;
  /** Why, for people. */
  readonly reason: string;
  readonly warnings: readonly string[];
}

/** Namespaces of Kubernetes itself. */
const systemNamespaces: ReadonlySet<string> = new Set([
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'local-path-storage',
]);

const yes: ReadonlySet<string> = new Set(['y', 'yes', 'true', 'on']);
const no: ReadonlySet<string> = new Set(['n', 'no', 'false', 'off']);

const decided = (inject: boolean, reason: string, warnings: readonly string[] = []): InjectionDecision => ({
  inject,
  reason,
  warnings,
});

/**
 * Whether a pod gets a proxy, by the labels of its namespace, its own labels and annotations, and the policy: what
 * Istio's webhook selectors and `injectRequired` say together.
 */
export function decideInjection(
  pod: Pod,
  namespace: { readonly name: string; readonly labels: Readonly<Record<string, string>> },
  policy: InjectionPolicy,
): InjectionDecision {
  const never = whyNever(pod, namespace.name, policy);
  if (never !== undefined) return decided(false, never);
  const wish = wishOf(pod);
  const answer = whoseNamespace(pod, namespace.labels, policy);
  if (answer !== undefined) return { ...answer, warnings: wish.warnings };
  if (wish.asks !== undefined)
    return decided(wish.asks, `${wish.by} says ${wish.asks ? 'true' : 'false'}`, wish.warnings);
  const labels = labelsOf(pod);
  if (isAnyOf(policy.neverInjectSelector, labels))
    return decided(false, 'neverInjectSelector takes its labels', wish.warnings);
  if (isAnyOf(policy.alwaysInjectSelector, labels))
    return decided(true, 'alwaysInjectSelector takes its labels', wish.warnings);
  return decided(policy.policy === 'enabled', `the policy is ${policy.policy}`, wish.warnings);
}

function isAnyOf(selectors: readonly object[], labels: Readonly<Record<string, string>>): boolean {
  return selectors.some((selector) => !isEmptySelector(selector) && labelSelectorMatches(selector, labels));
}

function whyNever({ spec }: Pod, namespace: string, { rootNamespace }: InjectionPolicy): string | undefined {
  if (spec.hostNetwork === true) return 'hostNetwork: its traffic is that of the node';
  if (systemNamespaces.has(namespace)) return `${namespace} is a namespace of Kubernetes itself`;
  if (namespace === rootNamespace) return `${namespace} is the control plane’s own namespace`;
  if (spec.nodeSelector?.['kubernetes.io/os'] === 'windows') return 'there is no proxy for Windows nodes';
  return undefined;
}

/** What the pod asks for; its label counts more than its annotation. */
function wishOf(pod: Pod): { readonly asks?: boolean; readonly by: string; readonly warnings: readonly string[] } {
  const label = labelsOf(pod)[annotation.inject];
  const by = `the ${label === undefined ? 'annotation' : 'label'} ${annotation.inject}`;
  const said = (label ?? annotationsOf(pod)[annotation.inject] ?? '').toLowerCase();
  if (yes.has(said)) return { asks: true, by, warnings: [] };
  if (no.has(said)) return { asks: false, by, warnings: [] };
  const warnings = said === '' ? [] : [`${by} is '${said}', which is neither true nor false: it does not count`];
  return { by, warnings };
}

/** What the labels of the namespace and the revision say, as the selectors of Istio's four webhooks do; undefined = go on. */
function whoseNamespace(
  pod: Pod,
  labels: Readonly<Record<string, string>>,
  policy: InjectionPolicy,
): Pick<InjectionDecision, 'inject' | 'reason'> | undefined {
  const { revision, isDefaultRevision, enableNamespacesByDefault } = policy;
  const refuse = (reason: string) => ({ inject: false, reason });
  const { 'istio-injection': injection, 'istio.io/rev': namespaceRevision } = labels;
  if (injection === 'enabled')
    return isDefaultRevision ? undefined : refuse(`istio-injection=enabled is not for revision ${revision}`);
  if (injection !== undefined) return refuse(`its namespace has istio-injection=${injection}`);
  if (namespaceRevision !== undefined)
    return isOwn(namespaceRevision, policy) ? undefined : refuse(`its namespace is of revision ${namespaceRevision}`);
  const podRevision = labelsOf(pod)['istio.io/rev'];
  if (podRevision !== undefined)
    return isOwn(podRevision, policy) ? undefined : refuse(`it is of revision ${podRevision}`);
  if (!isDefaultRevision) return refuse(`nothing asks for revision ${revision}`);
  // The API server asks the webhook about single pods by this label alone.
  if (enableNamespacesByDefault || labelsOf(pod)[annotation.inject] === 'true') return undefined;
  return refuse('its namespace is not labelled istio-injection=enabled');
}

function isOwn(name: string, { revision, isDefaultRevision }: InjectionPolicy): boolean {
  return name === revision || (name === 'default' && isDefaultRevision);
}
