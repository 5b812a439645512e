import type { KindInfo } from '@seine/k8s';
import { pluralOf } from './plural.js';

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
      ...[
        'EgressRule',
        'RouteRule',
        'bypass',
        'circonus',
        'cloudwatch',
        'servicecontrol',
        'servicecontrolreport',
        'signalfx',
      ],
      ...['solarwinds', 'stackdriver'],
    ],
  },
];

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
