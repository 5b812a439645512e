import type { KindInfo } from '@seine/k8s';

/** A group whose kinds are known by name only. */
interface ForeignGroup {
  readonly group: string;
  readonly versions: readonly string[];
  readonly kinds: readonly string[];
  readonly clusterScoped?: readonly string[];
}

const groups: readonly ForeignGroup[] = [
  { group: 'inference.networking.k8s.io', versions: ['v1'], kinds: ['InferencePool'] },
  { group: 'install.istio.io', versions: ['v1alpha1'], kinds: ['IstioOperator'] },
  {
    group: 'config.istio.io',
    versions: ['v1alpha2'],
    kinds: [
      ...['attributemanifest', 'handler', 'instance', 'rule', 'adapter', 'template'],
      ...['QuotaSpec', 'QuotaSpecBinding', 'HTTPAPISpec', 'HTTPAPISpecBinding', 'EgressRule', 'RouteRule'],
      ...['bypass', 'circonus', 'cloudwatch', 'denier', 'dogstatsd', 'fluentd', 'kubernetesenv', 'listchecker'],
      ...['memquota', 'noop', 'opa', 'prometheus', 'rbac', 'redisquota', 'servicecontrol', 'signalfx'],
      ...['solarwinds', 'stackdriver', 'statsd', 'stdio', 'zipkin'],
      ...['apikey', 'authorization', 'checknothing', 'edge', 'kubernetes', 'listentry', 'logentry', 'metric'],
      ...['quota', 'reportnothing', 'servicecontrolreport', 'tracespan'],
    ],
  },
];

function pluralOf(kind: string): string {
  const word = kind.toLowerCase();
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  return /(s|x|ch)$/.test(word) ? `${word}es` : `${word}s`;
}

/** Kinds that users of Istio may have in their files, but that have no effect. */
export const foreignKinds: readonly KindInfo[] = groups.flatMap(({ group, versions, kinds, clusterScoped }) =>
  kinds.map((kind) => ({
    group,
    kind,
    plural: pluralOf(kind),
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    versions: versions.map((name, i) => ({ name, served: true, storage: i === 0 })),
    namespaced: !clusterScoped?.includes(kind),
    actedOn: false,
  })),
);
