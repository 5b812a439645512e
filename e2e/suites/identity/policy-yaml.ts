import { istioYaml } from '../../src/index.js';

export interface PolicyYaml {
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const reviews = { selector: { matchLabels: { app: 'reviews' } } };

/** An AuthorizationPolicy; of the workload `reviews` unless the spec says whose it is. */
export function policyYaml(
  name: string,
  spec: object,
  { namespace = 'default', annotations = {} }: PolicyYaml = {},
): string {
  const forWhom = 'targetRefs' in spec || 'selector' in spec ? {} : reviews;
  return istioYaml('AuthorizationPolicy', name, { ...forWhom, ...spec }, namespace)
    .replace('networking.istio.io/v1', 'security.istio.io/v1')
    .replace(`namespace: ${namespace} }`, `namespace: ${namespace}, annotations: ${JSON.stringify(annotations)} }`);
}

/** A rule on requests that have a header. */
export function whenHeader(name: string, value = '*'): object {
  return { when: [{ key: `request.headers[${name}]`, values: [value] }] };
}

/** The mesh config. */
export function meshConfigYaml(config: object): string {
  return `apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data: { mesh: ${JSON.stringify(JSON.stringify(config))} }
`;
}
