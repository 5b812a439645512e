import { type ConfigObject, fieldsOf, labelsOf, textOf } from '@seine/k8s';
import type { Catalogue, Workload } from '../frame/catalogue.js';
import { kinds } from '../frame/kinds.js';
import { parseFields } from './mesh-settings.js';
import { hasLabels, policySelector } from './selectors.js';

const imageTypeOf = (fields: unknown): string => textOf(fieldsOf(fieldsOf(fields)['image'])['imageType']);

/**
 * The variant of the proxy image that a pod gets (`distroless`, …), empty for the plain one: of the mesh, of ProxyConfigs
 * of the root namespace, of the pod's namespace and for the pod, and of its annotation; the narrower wins.
 */
export function proxyImageType(catalogue: Catalogue, { namespace, labels, annotations }: Workload): string {
  const { rootNamespace, imageType } = catalogue.settings;
  const configs = catalogue.all(kinds.proxyConfig);
  const of = (wanted: (object: ConfigObject) => boolean) => configs.filter(wanted).map(({ spec }) => imageTypeOf(spec));
  const own = (object: ConfigObject) => object.metadata.namespace === namespace && namespace !== rootNamespace;
  const candidates = [
    imageType,
    ...of((object) => object.metadata.namespace === rootNamespace),
    ...of((object) => own(object) && policySelector(object) === undefined),
    ...of((object) => own(object) && selects(object, labels)),
    imageTypeOf(parseFields(annotations['proxy.istio.io/config'] ?? '')),
  ];
  const narrowest = candidates.filter((type) => type !== '').at(-1) ?? '';
  return narrowest === 'default' ? '' : narrowest;
}

function selects(object: ConfigObject, labels: Workload['labels']): boolean {
  const selector = policySelector(object);
  return selector !== undefined && hasLabels(labelsOf(selector), labels);
}
