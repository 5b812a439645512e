import type { Pod } from './pod.js';

/** Whom a pod belongs to, as metrics and `seinectl` name it. */
export interface Owner {
  readonly name: string;
  readonly kind: string;
  readonly apiVersion: string;
}

/**
 * The Deployment behind a ReplicaSet, the CronJob behind a Job, or whatever made the pod: found by how Kubernetes makes
 * names, as Istio's injector does, because the webhook cannot wait for a look at the owner.
 */
export function ownerOf({ metadata }: Pod): Owner | undefined {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (!owner) return undefined;
  const { name, kind, apiVersion } = owner;
  const hash = metadata.labels?.['pod-template-hash'];
  if (kind === 'ReplicaSet' && hash !== undefined && name.endsWith(`-${hash}`))
    return { name: name.slice(0, -hash.length - 1), kind: 'Deployment', apiVersion: 'apps/v1' };
  const [, cronJob] = /^(.+)-\d{8,}$/.exec(name) ?? [];
  if (kind === 'Job' && cronJob !== undefined) return { name: cronJob, kind: 'CronJob', apiVersion: 'batch/v1' };
  return { name, kind, apiVersion };
}

/** The workload's name: its owner's, or the pod's own; of a pod that is not named yet, how its name begins. */
export function workloadNameOf(pod: Pod): string {
  const { name, generateName = '' } = pod.metadata;
  return ownerOf(pod)?.name ?? name ?? generateName.replace(/-$/, '');
}
