import { k8sgatewaySelector } from './k8sgateway-selector.js';
import { aPod, checkAnalyzer, the } from './testing/check-analyzer.js';

const pod = aPod('shop/gw', { app: 'gw', 'gateway.networking.k8s.io/gateway-name': 'g' });
const selector = { matchLabels: { app: 'gw' } };
const policy = (kind: string, spec: object, namespace = 'shop') => the(`${kind} ${namespace}/p`, spec);

checkAnalyzer(k8sgatewaySelector, [
  ...['AuthorizationPolicy', 'RequestAuthentication', 'Telemetry', 'WasmPlugin'].map(
    (kind) =>
      [`${kind} by labels`, [pod, policy(kind, { selector })], [`IST0166 ${kind}/shop/p spec.selector`]] as const,
  ),
  [
    'two pods of one Gateway are told once',
    [pod, aPod('shop/gw2', pod.metadata.labels ?? {}), policy('Telemetry', { selector })],
    ['IST0166 Telemetry/shop/p spec.selector'],
  ],
  ['by reference', [pod, policy('Telemetry', { targetRef: { kind: 'Gateway', name: 'g' } })], []],
  ['by references', [pod, policy('Telemetry', { selector, targetRefs: [{ kind: 'Gateway', name: 'g' }] })], []],
  ['other pods', [pod, policy('Telemetry', { selector: { matchLabels: { app: 'x' } } })], []],
  ['pods of another namespace', [pod, policy('Telemetry', { selector }, 'other')], []],
  ['pods of no Gateway', [aPod('shop/gw', { app: 'gw' }), policy('Telemetry', { selector })], []],
]);
