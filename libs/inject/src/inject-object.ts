import { fieldsOf } from '@seine/k8s';
import { decideInjection } from './decide-injection.js';
import { injectPod } from './inject-pod.js';
import type { InjectionSettings } from './injection-settings.js';
import type { Pod } from './pod.js';
import type { AnnotationProblem } from './traffic-capture.js';

/** An object of a manifest, as parsed. */
export interface Manifest {
  readonly kind?: unknown;
  readonly metadata?: unknown;
  readonly spec?: unknown;
  readonly [field: string]: unknown;
}

export interface InjectedObject {
  readonly object: Manifest;
  /** Whether its pods get a proxy; undefined where it has none. */
  readonly injected: boolean | undefined;
  /** Why, or why not. */
  readonly reason: string;
  readonly problems: readonly AnnotationProblem[];
  readonly warnings: readonly string[];
}

/** Kinds that have pods, and where in them. */
const places: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  Deployment: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  ReplicationController: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};

/**
 * Injects the pods of one object of a manifest, as the webhook will when they are made.
 * @param namespace the namespace that it goes to where it names none, and the labels of namespaces
 */
export function injectObject(
  object: Manifest,
  namespace: { readonly fallback: string; readonly labelsOf: (name: string) => Readonly<Record<string, string>> },
  settings: InjectionSettings,
): InjectedObject {
  const place = places[String(object.kind)];
  const pod = place && (at(object, place) as Pod | undefined);
  if (!pod || !Array.isArray(fieldsOf(pod.spec)['containers']))
    return { object, injected: undefined, reason: 'it has no pods', problems: [], warnings: [] };
  const metadata = fieldsOf(object.metadata);
  const name = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : namespace.fallback;
  const whole: Pod = { ...pod, metadata: fieldsOf(pod.metadata) };
  const decision = decideInjection(whole, { name, labels: namespace.labelsOf(name) }, settings);
  const { reason, warnings } = decision;
  if (!decision.inject) return { object, injected: false, reason, problems: [], warnings };
  const workloadName = typeof metadata['name'] === 'string' ? metadata['name'] : undefined;
  const request = { pod: whole, namespace: name, ...(workloadName !== undefined && { workloadName }) };
  const outcome = injectPod(request, settings);
  if ('problems' in outcome) return { object, injected: false, reason, problems: outcome.problems, warnings };
  return { object: withAt(object, place, outcome.pod) as Manifest, injected: true, reason, problems: [], warnings };
}

function at(object: Manifest, place: readonly string[]): unknown {
  return place.reduce<unknown>((value, field) => fieldsOf(value)[field], object);
}

function withAt(value: unknown, [field, ...rest]: readonly string[], inner: unknown): unknown {
  if (field === undefined) return { ...fieldsOf(value), ...fieldsOf(inner) };
  return { ...fieldsOf(value), [field]: withAt(fieldsOf(value)[field], rest, inner) };
}
