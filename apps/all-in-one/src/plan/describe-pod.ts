import { type ConfigObject, objectKey } from '@seine/k8s';
import { labelsMatch } from '@seine/model';
import type { PlannedWorkload } from './planned-workload.js';
import { withMutualTls } from '../identity/mutual-tls-label.js';
import { isGateway, isPod, ownerOf, serviceAccountOf } from './pod-fields.js';

/** The pods; of two that define one, the later, as in the registry. */
export function podsOf(objects: readonly ConfigObject[]): ConfigObject[] {
  return [...new Map(objects.filter(isPod).map((pod) => [objectKey(pod), pod])).values()];
}

export function servicesOf(objects: readonly ConfigObject[]): ConfigObject[] {
  return objects.filter((object) => object.apiVersion === 'v1' && object.kind === 'Service');
}

type Description = Pick<PlannedWorkload, 'name' | 'namespace' | 'labels' | 'service' | 'serviceAccount' | 'owner'>;

/** What a plan says of a pod wherever it is put. */
export function describePod(pod: ConfigObject, services: readonly ConfigObject[]): Description {
  const { name, namespace, labels: own = {} } = pod.metadata;
  const labels = isGateway(pod) ? own : withMutualTls(own);
  const service = serviceOf(pod, services);
  return { name, namespace, labels, service, serviceAccount: serviceAccountOf(pod), owner: ownerOf(pod) };
}

/** The first Service, by name, that selects the pod. */
function serviceOf(pod: ConfigObject, services: readonly ConfigObject[]): string {
  const { namespace, labels = {} } = pod.metadata;
  const names = services
    .filter((service) => service.metadata.namespace === namespace)
    .filter(({ spec }) => {
      const { selector = {} } = (spec ?? {}) as { selector?: Readonly<Record<string, string>> };
      return Object.keys(selector).length > 0 && labelsMatch(selector, labels);
    })
    .map((service) => service.metadata.name);
  return names.sort()[0] ?? '';
}
