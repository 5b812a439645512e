import { Buffer } from 'node:buffer';
import type { DestinationRuleSpec, GatewaySpec } from '@seine/istio';
import { type ConfigObject, fieldsOf, textOf } from '@seine/k8s';
import { configMapSecretName } from '@seine/model';
import type { Context } from './context.js';
import * as internal from './internal.js';
import { configMapKind } from './references.js';

const scheme = 'configmap://';
const caSuffix = '-cacert';

function credentialsOf({ kind, spec }: ConfigObject): readonly (string | undefined)[] {
  if (kind === 'Gateway') return ((spec as GatewaySpec).servers ?? []).map(({ tls }) => tls?.caCertCredentialName);
  if (kind !== 'DestinationRule') return [];
  const { trafficPolicy } = spec as DestinationRuleSpec;
  return [trafficPolicy?.tls, ...(trafficPolicy?.portLevelSettings ?? []).map(({ tls }) => tls)].map(
    (tls) => tls?.credentialName,
  );
}

/** `namespace/name` of each ConfigMap that derived objects take certificates from. */
function configMapsOf(derived: readonly ConfigObject[]): ReadonlySet<string> {
  const names = derived.flatMap(credentialsOf).flatMap((name) => (name?.startsWith(scheme) ? [name] : []));
  return new Set(names.map((name) => name.slice(scheme.length).replace(new RegExp(`${caSuffix}$`), '')));
}

/** Proxies get certificates from Secrets: one stands in for each ConfigMap with certificates to trust. */
export function authoritySecrets(derived: readonly ConfigObject[], { inputs }: Context): readonly ConfigObject[] {
  return [...configMapsOf(derived)].flatMap((key) => {
    const [namespace = '', name = ''] = key.split('/');
    const configMap = inputs.find(configMapKind, namespace, name);
    const data = fieldsOf(configMap?.['data']);
    const certificates = textOf(data['cacert']) || textOf(data['ca.crt']);
    if (certificates === '') return [];
    return [
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          name: configMapSecretName(name),
          namespace,
          annotations: { [internal.parents]: `ConfigMap/${namespace}.${name}` },
        },
        type: 'Opaque',
        data: { 'ca.crt': Buffer.from(certificates).toString('base64') },
      },
    ];
  });
}
