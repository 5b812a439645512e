import { annotationsAlpha } from './annotations-alpha.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const mode = { 'sidecar.istio.io/interceptionMode': 'NONE' };
const found = 'metadata.annotations["sidecar.istio.io/interceptionMode"]';
const withInit = { initContainers: [{ name: 'istio-init' }] };

checkAnalyzer(annotationsAlpha, [
  ['a beta annotation', [the('Pod shop/a', {}, { annotations: { 'proxy.istio.io/config': '{}' } })], []],
  ['an annotation that there is not', [the('Pod shop/a', {}, { annotations: { 'sidecar.istio.io/x': '' } })], []],
  ['what injection sets where the node redirects', [the('Pod shop/a', {}, { annotations: mode })], []],
  [
    'the same where the pod redirects',
    [the('Pod shop/a', withInit, { annotations: mode })],
    [`IST0136 Pod/shop/a ${found}`],
  ],
  [
    'the same on a Deployment',
    [the('Deployment shop/a', {}, { annotations: mode })],
    [`IST0136 Deployment/shop/a ${found}`],
  ],
  ['what the control plane sets', [the('Pod shop/a', {}, { annotations: { 'sidecar.istio.io/status': '{}' } })], []],
]);
