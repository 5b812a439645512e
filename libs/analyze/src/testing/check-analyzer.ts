import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { analyze } from '../frame/analyze.js';
import { analyzers } from '../frame/analyzers.js';
import type { AnalyzeInput, Analyzer } from '../frame/finding.js';

const apiVersions: readonly (readonly [RegExp, string])[] = [
  [/^(VirtualService|DestinationRule|ServiceEntry|WorkloadEntry|Sidecar|Gateway)$/, 'networking.istio.io/v1'],
  [/^EnvoyFilter$/, 'networking.istio.io/v1alpha3'],
  [/^ProxyConfig$/, 'networking.istio.io/v1beta1'],
  [/^(AuthorizationPolicy|RequestAuthentication)$/, 'security.istio.io/v1'],
  [/^Service(Role|RoleBinding)$/, 'rbac.istio.io/v1alpha1'],
  [/^Telemetry$/, 'telemetry.istio.io/v1'],
  [/^WasmPlugin$/, 'extensions.istio.io/v1alpha1'],
  [/^(Deployment|StatefulSet)$/, 'apps/v1'],
  [/WebhookConfiguration$/, 'admissionregistration.k8s.io/v1'],
  [/^CustomResourceDefinition$/, 'apiextensions.k8s.io/v1'],
  [/^(HTTPRoute|GRPCRoute)$/, 'gateway.networking.k8s.io/v1'],
  [/./, 'v1'],
];

type More = Readonly<Record<string, unknown>> & {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

/** An object by `Kind namespace/name`; without namespace one of a kind that has none. */
export function the(kindAndName: string, spec: unknown = {}, more: More = {}): ConfigObject {
  const [kind = '', name = ''] = kindAndName.split(' ');
  const [namespace, own] = name.includes('/') ? name.split('/') : ['', name];
  const apiVersion = apiVersions.find(([pattern]) => pattern.test(kind))?.[1] ?? 'v1';
  const { labels, annotations, ...fields } = more;
  const metadata = { name: own ?? '', namespace: namespace ?? '', labels, annotations };
  return { apiVersion, kind, metadata, spec, ...fields };
}

/** A pod with labels that runs an application, and a proxy where wanted. */
export function aPod(name: string, labels: Readonly<Record<string, string>>, more: More = {}): ConfigObject {
  return the(`Pod ${name}`, { containers: [{ name: 'app', image: 'app' }] }, { ...more, labels });
}

/** What is analyzed, beside objects. */
type Surroundings = Omit<AnalyzeInput, 'objects'>;

/** A case: what it shows, the objects, what is found (`IST0101 Kind/namespace/name path`), and what is around. */
export type AnalyzerCase = readonly [
  what: string,
  objects: readonly ConfigObject[],
  expected: readonly string[],
  around?: Surroundings,
];

/** Runs one analyzer on each case. */
export function checkAnalyzer(analyzer: Analyzer, cases: readonly AnalyzerCase[]): void {
  describe(analyzer.name, () => {
    it('is among all analyzers', () => {
      expect(analyzers).toContain(analyzer);
    });

    it.each(cases.map((one) => [one[0], one] as const))('%s', (_, [, objects, expected, around]) => {
      const found = analyze({ ...around, objects, options: { ...around?.options, only: [analyzer.name] } });
      expect(found.map(({ code, resource, path }) => [code, resource, path].join(' ').trim()).sort()).toEqual(
        [...expected].sort(),
      );
    });
  });
}
