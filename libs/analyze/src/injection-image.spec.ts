import { injectionImage } from './injection-image.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const values = (global: object) => JSON.stringify({ global });
const injector = (name: string, tag: string) =>
  the(`ConfigMap istio-system/${name}`, undefined, {
    data: { values: values({ hub: 'hub', tag, proxy: { image: 'proxy' } }) },
  });
const current = injector('istio-sidecar-injector', '2');
const namespace = (labels: Readonly<Record<string, string>>) => the('Namespace shop', {}, { labels });
const injected = namespace({ 'istio-injection': 'enabled' });
const pod = (image: string, annotations = {}) =>
  the('Pod shop/a', { containers: [{ name: 'istio-proxy', image }] }, { annotations, labels: { app: 'a' } });
const old = ['IST0158 Namespace/shop metadata.name'];
const distroless = { image: { imageType: 'distroless' } };

checkAnalyzer(injectionImage, [
  ['the image of now', [current, injected, pod('hub/proxy:2')], []],
  ['the image of before', [current, injected, pod('hub/proxy:1')], old],
  ['an image of its own', [current, injected, pod('hub/proxy:1', { 'sidecar.istio.io/proxyImage': 'x' })], []],
  ['nothing to compare with', [injected, pod('hub/proxy:1')], []],
  ['a namespace that is not injected', [current, namespace({}), pod('hub/proxy:1')], []],
  [
    'a full name in the values',
    [
      the('ConfigMap istio-system/istio-sidecar-injector', undefined, {
        data: { values: values({ proxy: { image: 'a/b:c' } }) },
      }),
      injected,
      pod('a/b:c'),
    ],
    [],
  ],
  [
    'the ConfigMap of a revision',
    [current, injector('istio-sidecar-injector-x', '3'), namespace({ 'istio.io/rev': 'x' }), pod('hub/proxy:2')],
    old,
  ],
  [
    'the variant of the mesh',
    [current, injected, pod('hub/proxy:2-distroless')],
    [],
    { meshConfig: { defaultConfig: distroless } },
  ],
  ['a variant that nothing asks for', [current, injected, pod('hub/proxy:2-distroless')], old],
  [
    'the variant of the root namespace',
    [current, injected, the('ProxyConfig istio-system/a', distroless), pod('hub/proxy:2-distroless')],
    [],
  ],
  [
    'the variant of the namespace',
    [current, injected, the('ProxyConfig shop/a', distroless), pod('hub/proxy:2-distroless')],
    [],
  ],
  [
    'the variant for the pod',
    [
      current,
      injected,
      the('ProxyConfig shop/a', { ...distroless, selector: { matchLabels: { app: 'a' } } }),
      pod('hub/proxy:2-distroless'),
    ],
    [],
  ],
  [
    'the variant for another pod',
    [
      current,
      injected,
      the('ProxyConfig shop/a', { ...distroless, selector: { matchLabels: { app: 'b' } } }),
      pod('hub/proxy:2-distroless'),
    ],
    old,
  ],
  [
    'the variant of the pod’s annotation',
    [current, injected, pod('hub/proxy:2-distroless', { 'proxy.istio.io/config': 'image: {imageType: distroless}' })],
    [],
  ],
]);
