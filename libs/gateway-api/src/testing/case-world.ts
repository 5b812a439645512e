import type { ConfigObject } from '@seine/k8s';
import type { ServiceEndpoints } from '@seine/model';

/** What the corpus of Gateway API cases takes for granted beside each input: Services, certificates, namespaces. */

export const clusterDomain = 'domain.suffix';

const ports = [
  { name: 'http', port: 80 },
  { name: 'tcp', port: 34000 },
  { name: 'tcp-other', port: 34001 },
];
const ingressPorts = [...ports.slice(0, 1), { name: 'https', port: 443 }, ...ports.slice(1)];

/** `name.namespace` of the Services in the cluster. */
const services = [
  'istio-ingressgateway.istio-system',
  'httpbin.default',
  'httpbin-apple.apple',
  'httpbin-banana.banana',
  'httpbin-second.default',
  'httpbin-wildcard.default',
  'foo-svc.default',
  'httpbin-other.default',
  'example.default',
  'echo.default',
  'httpbin.cert',
  'my-svc.service',
  'a-example.allowed-1',
  'a-example.allowed-2',
  'b-example.allowed-1',
  'svc2.allowed-1',
  'svc2.allowed-2',
  'svc1.allowed-1',
  'svc3.allowed-2',
  'svc4.default',
  'httpbin.group-namespace1',
  'httpbin.group-namespace2',
  'httpbin-zero.default',
  'httpbin.istio-system',
  'httpbin-mirror.default',
  'httpbin-foo.default',
  'httpbin-alt.default',
  'istiod.istio-system',
  'echo.istio-system',
  'httpbin-bad.default',
  'echo-1.default',
  'echo-2.default',
  'echo-port.default',
  'not-found.default',
];

/** Hosts of ServiceEntries, with their namespaces. */
const externalHosts = [
  ['example.com', 'istio-system'],
  ['google.com', 'default'],
] as const;

const keyPairs = [
  'my-cert-http.istio-system',
  'ns2-cert.ns2',
  'ns3-cert.ns3',
  'ns4-cert.ns4',
  'my-cert.istio-system',
  'my-cert-http2.istio-system',
  'cert.cert',
  'bookinfo-secret.bookinfo',
  'another-secret.bookinfo',
];

function named(text: string): { name: string; namespace: string } {
  const [name = '', namespace = ''] = text.split('.');
  return { name, namespace };
}

function aService(text: string): ConfigObject {
  const ingress = text === 'istio-ingressgateway.istio-system';
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: named(text),
    // The port number that clients of the ingress gateway see beyond these is known from its endpoints alone.
    spec: { ports },
    ...(ingress && { status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } } }),
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** PEM each. */
export interface TestCertificates {
  readonly key: string;
  readonly certificate: string;
  readonly authority: string;
}

function certificates({ key, certificate, authority }: TestCertificates): ConfigObject[] {
  const data = { 'tls.crt': base64(certificate), 'tls.key': base64(key), 'ca.crt': base64(authority) };
  const configMap = (name: string, namespace: string, content: Record<string, string>): ConfigObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace },
    data: content,
  });
  return [
    ...keyPairs.map((text) => ({ apiVersion: 'v1', kind: 'Secret', metadata: named(text), data })),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: named('malformed.istio-system'),
      data: { 'tls.crt': base64('no certificate'), 'tls.key': base64('no key') },
    },
    configMap('malformed', 'istio-system', { 'not-ca.crt': 'hello' }),
    configMap('malformed-trustbundle', 'istio-system', { 'ca.crt': 'hello' }),
    configMap('my-cert-http', 'istio-system', { 'ca.crt': authority }),
    configMap('malformed', 'default', { 'not-ca.crt': 'hello' }),
    configMap('auth-cert', 'default', { 'ca.crt': authority }),
  ];
}

/** Namespaces of the input have a label of their own: the first part of their name. */
function namespacesOf(objects: readonly ConfigObject[]): ConfigObject[] {
  const names = new Set(objects.map(({ metadata }) => metadata.namespace).filter((name) => name !== ''));
  return [...names].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, namespace: '', labels: { 'istio.io/test-name-part': name.split('-')[0] ?? '' } },
  }));
}

export function worldAround(objects: readonly ConfigObject[], pair: TestCertificates): readonly ConfigObject[] {
  const entries = externalHosts.map(([host, namespace]) => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: host.replaceAll('.', '-'), namespace },
    spec: { hosts: [host], ports: [{ number: 80, name: 'http', protocol: 'HTTP' }] },
  }));
  return [...objects, ...services.map(aService), ...entries, ...certificates(pair), ...namespacesOf(objects)];
}

const workloadPort = 8080;

/** Every port of every Service has one instance, the first at another port than the Service's. */
export function endpointsAround(): ReadonlyMap<string, ServiceEndpoints> {
  const inCluster = services.map((text) => [`${text}.svc.${clusterDomain}`, text] as const);
  const external = externalHosts.map(
    ([host, namespace]) => [host, `${host.replaceAll('.', '-')}.${namespace}`] as const,
  );
  return new Map(
    [...inCluster, ...external].map(([host, text]) => {
      const { name, namespace } = named(text);
      const own = text === 'istio-ingressgateway.istio-system' ? ingressPorts : ports;
      const byPort = new Map(
        own.map(({ port }, i) => [
          port,
          [
            {
              address: '10.0.0.1',
              port: i === 0 ? workloadPort : 0,
              labels: {},
              locality: { region: '', zone: '', subzone: '' },
              weight: 1,
              network: '',
              serviceAccount: '',
              health: 'healthy' as const,
              tlsMode: 'disabled' as const,
              workload: { name, namespace },
            },
          ],
        ]),
      );
      return [host, { host, byPort }] as const;
    }),
  );
}
