import { labelsOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { keyPath } from './lookup/names.js';

const bundleVersion = 'gateway.networking.k8s.io/bundle-version';

/** The release of the Gateway API from which a kind has the shape that is acted on. */
const minimums: ReadonlyMap<string, readonly [number, number, number]> = new Map([
  ['grpcroutes.gateway.networking.k8s.io', [1, 1, 0]],
  ['backendtlspolicies.gateway.networking.k8s.io', [1, 4, 0]],
  ['tlsroutes.gateway.networking.k8s.io', [1, 5, 0]],
  ['tcproutes.gateway.networking.k8s.io', [1, 6, 0]],
]);

/** Major, minor and patch of a version; pre-releases count as their release. */
function parseVersion(text: string): readonly number[] | undefined {
  const found = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+].*)?$/.exec(text.trim());
  return found?.slice(1).map((part: string | undefined) => Number(part ?? 0));
}

function isBelow(version: readonly number[], minimum: readonly number[]): boolean {
  const i = minimum.findIndex((part, n) => part !== version[n]);
  return i >= 0 && (version[i] ?? 0) < (minimum[i] ?? 0);
}

export const k8sgatewayCrdVersion: Analyzer = {
  name: 'k8sgateway.CRDVersionAnalyzer',
  description: 'Kinds of the Gateway API that are installed in a version too old to be acted on.',
  scope: 'object',
  analyze(catalogue, report) {
    for (const object of catalogue.all(kinds.customResourceDefinition)) {
      const crd = object.metadata.name;
      const minimum = minimums.get(crd);
      const installed = labelsOf(object.metadata.annotations)[bundleVersion];
      const version = installed === undefined ? undefined : parseVersion(installed);
      if (!minimum || !version || !isBelow(version, minimum)) continue;
      const about = { crd, installedVersion: installed ?? '', minimumVersion: minimum.join('.') };
      report('GatewayAPICRDVersionBelowMinimum', object, about, keyPath('metadata.annotations', bundleVersion));
    }
  },
};
