import { k8sgatewayCrdVersion } from './k8sgateway-crd-version.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const crd = (version: string | undefined, kind = 'tlsroutes') =>
  the(
    `CustomResourceDefinition ${kind}.gateway.networking.k8s.io`,
    {},
    version === undefined ? {} : { annotations: { 'gateway.networking.k8s.io/bundle-version': version } },
  );
const old = [
  'IST0176 CustomResourceDefinition/tlsroutes.gateway.networking.k8s.io metadata.annotations["gateway.networking.k8s.io/bundle-version"]',
];

checkAnalyzer(k8sgatewayCrdVersion, [
  ...['v1.4.0', 'v1.4.9', 'v0.9.9', '1.4', 'v1.4.9-rc.1'].map((version) => [version, [crd(version)], old] as const),
  ...['v1.5.0', 'v1.5.1', 'v1.10.0', 'v2.0.0', 'v1.5.0-rc.2', '1.5'].map(
    (version) => [version, [crd(version)], []] as const,
  ),
  ['no version', [crd(undefined)], []],
  ['a version that cannot be read', [crd('new')], []],
  ['a kind that was always so', [crd('v0.1.0', 'gateways')], []],
]);
