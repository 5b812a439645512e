import { annotationsK8s } from './annotations-k8s.js';
import { type AnalyzerCase, checkAnalyzer, the } from './testing/check-analyzer.js';

const pod = (annotations: Readonly<Record<string, string>>, labels = {}) => [
  the('Pod shop/a', {}, { annotations, labels }),
];
const at = (name: string) => `metadata.annotations["${name}"]`;

const values: readonly (readonly [name: string, good: readonly string[], bad: readonly string[]])[] = [
  ['sidecar.istio.io/interceptionMode', ['REDIRECT', 'TPROXY', 'NONE'], ['redirect', '']],
  ['status.sidecar.istio.io/port', ['0', '15021'], ['x', '70000', '-1']],
  ['readiness.status.sidecar.istio.io/periodSeconds', ['0', '4294967295'], ['4294967296', '1s', '-1', '']],
  [
    'traffic.sidecar.istio.io/includeOutboundIPRanges',
    ['*', '', '10.0.0.0/8', '10.0.0.0/8,fd00::/8'],
    ['10.0.0.1', '10/8', 'x/8', '10.0.0.0/33'],
  ],
  ['traffic.sidecar.istio.io/excludeOutboundIPRanges', ['10.0.0.0/8'], ['*']],
  ['traffic.sidecar.istio.io/includeInboundPorts', ['*', '', '80', '80, 443'], ['80;443', '80,', 'http']],
  ['traffic.sidecar.istio.io/excludeOutboundPorts', ['80,443'], ['*']],
  ['traffic.sidecar.istio.io/excludeInterfaces', ['eth0', 'eth0, net1'], ['eth 0', 'a/b', 'a-name-that-is-too-long']],
  ['prometheus.istio.io/merge-metrics', ['true', 'False', '1'], ['yes', 'on']],
  ['proxy.istio.io/config', ['{}', 'concurrency: 2', 'image: {imageType: distroless}'], ['a: [', 'text', '- a']],
  ['sidecar.istio.io/proxyCPU', ['1', '100m', '0.5', '1e3'], ['100 m', 'lots', '1\n']],
  ['sidecar.istio.io/proxyMemory', ['128Mi', '1G'], ['128MB', '']],
];

checkAnalyzer(annotationsK8s, [
  ['annotations of others are not looked at', pod({ 'example.com/a': 'b', 'notistio.io/x': 'y', plain: 'z' }), []],
  [
    'an annotation that there is not',
    pod({ 'sidecar.istio.io/x': 'y' }),
    [`IST0108 Pod/shop/a ${at('sidecar.istio.io/x')}`],
  ],
  ['what the control plane sets', pod({ 'sidecar.istio.io/status': '{}', 'istio.io/rev': 'x' }), []],
  [
    'the old way to leave a pod out',
    pod({ 'sidecar.istio.io/inject': 'true' }),
    [`IST0135 Pod/shop/a ${at('sidecar.istio.io/inject')}`],
  ],
  ['the old way beside the new', pod({ 'sidecar.istio.io/inject': 'true' }, { 'sidecar.istio.io/inject': 'true' }), []],
  [
    'an annotation of Services on a pod',
    pod({ 'networking.istio.io/exportTo': '.' }),
    [`IST0107 Pod/shop/a ${at('networking.istio.io/exportTo')}`],
  ],
  [
    'an annotation for everything',
    [the('Namespace a', {}, { annotations: { 'galley.istio.io/analyze-suppress': 'IST0101' } })],
    [],
  ],
  [
    'the ingress class, which is of Kubernetes',
    pod({ 'kubernetes.io/ingress.class': 'istio' }),
    [`IST0107 Pod/shop/a ${at('kubernetes.io/ingress.class')}`],
  ],
  [
    'a wrong value in the wrong place is told once',
    [the('Service shop/a', {}, { annotations: { 'sidecar.istio.io/proxyCPU': 'x' } })],
    [`IST0107 Service/shop/a ${at('sidecar.istio.io/proxyCPU')}`],
  ],
  ...values.flatMap(([name, good, bad]) => [
    ...good.map((value): AnalyzerCase => [`${name}: ${value}`, pod({ [name]: value }), []]),
    ...bad.map((value): AnalyzerCase => [
      `${name}: ${value}`,
      pod({ [name]: value }),
      [`IST0125 Pod/shop/a ${at(name)}`],
    ]),
  ]),
]);
