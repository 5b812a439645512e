import { type MixerInstanceSpec, normalizeValue, oldTemplateSchema } from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import { memo } from '@seine/memo';
import type { Diagnostic } from '@seine/diagnostics';
import type { Vocabulary } from '../attributes/value-type.js';
import type { Expression } from '../expressions/compile-expression.js';
import { below, Problems } from './problems.js';

/** Fields of the template `kubernetes`, and the attributes that say the same. */
function outputsOf(side: 'source' | 'destination'): readonly (readonly [string, string])[] {
  const fields = {
    pod_uid: 'uid',
    pod_ip: 'ip',
    pod_name: 'name',
    labels: 'labels',
    namespace: 'namespace',
    service_account_name: 'serviceAccount',
    service: 'service.host',
    owner: 'owner',
    workload_uid: 'workload.uid',
    workload_name: 'workload.name',
    workload_namespace: 'workload.namespace',
    container_name: 'container.name',
    cluster_id: 'cluster.id',
  };
  return Object.entries(fields).map(([field, attribute]) => [`${side}_${field}`, `${side}.${attribute}`]);
}

/** Addresses of machines, which no attribute says: they are never known. */
const hostAddresses = ['source', 'destination'].map(
  (side) => [`${side}_host_ip`, `kubernetes.${side}_host_ip`] as const,
);

const outputs: ReadonlyMap<string, string> = new Map([
  ...outputsOf('source'),
  ...outputsOf('destination'),
  ...hostAddresses,
]);

const withHosts = memo(
  'mixer-kubernetes-vocabulary',
  (vocabulary: Vocabulary): Vocabulary =>
    new Map([...vocabulary, ...hostAddresses.map(([, name]) => [name, 'IP_ADDRESS'] as const)]),
);

export interface CompiledBindings {
  readonly attributes: readonly { readonly attribute: string; readonly value: Expression }[];
  readonly problems: readonly Diagnostic[];
}

/** `attributeBindings` of an instance of the template `kubernetes`: `$out.source_pod_name` is the attribute `source.name`. */
export const compileBindings = memo(
  'mixer-bindings',
  (object: ConfigObject, vocabulary: Vocabulary): CompiledBindings => {
    const problems = new Problems(object);
    const schema = object.kind === 'kubernetes' ? oldTemplateSchema(object.kind) : undefined;
    const spec = (schema ? normalizeValue(schema, object.spec ?? {}) : object.spec) as MixerInstanceSpec | undefined;
    const { attributeBindings = {} } = spec ?? {};
    const attributes = Object.entries(attributeBindings).flatMap(([attribute, text]) => {
      const path = below('spec.attributeBindings', attribute);
      const type = vocabulary.get(attribute);
      if (type === undefined) {
        problems.error(path, `there is no attribute ${attribute}: an attributemanifest must say of which type it is`);
        return [];
      }
      const unknown: string[] = [];
      const plain = text.replaceAll(/\$out\.(\w+)/g, (_, field: string) => {
        const known = outputs.get(field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
        if (known === undefined) unknown.push(field);
        return known ?? field;
      });
      if (unknown.length > 0) {
        problems.error(
          path,
          `the template kubernetes gives no ${unknown.join(', ')}; it gives ${[...outputs.keys()].join(', ')}`,
        );
        return [];
      }
      const value = problems.expression(path, plain, withHosts(vocabulary), [type]);
      return value ? [{ attribute, value }] : [];
    });
    return { attributes, problems: problems.found };
  },
);
