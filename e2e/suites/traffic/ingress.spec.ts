import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { documents, secretYaml, type Seen, TestAuthority, TestMesh, tlsRequest } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    gateway: true,
    workloads: [{ name: 'reviews-v1' }, { name: 'ratings-v1' }, { name: 'details-v1' }],
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const ingress = (name: string, spec: object, annotations: Record<string, string> = {}) =>
  `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${name}, namespace: default, annotations: ${JSON.stringify(annotations)} }
spec: ${JSON.stringify(spec)}
`;
const ingressClassName = 'istio';
const backend = (name: string, port: object = { number: 8080 }) => ({ service: { name, port } });
const at = (value: string, pathType: 'Exact' | 'Prefix' | 'ImplementationSpecific', name: string) => ({
  path: value,
  pathType,
  backend: backend(name),
});
const workloadAt = async (host: string, target: string) => {
  const { status, body } = await mesh.callGateway(host, target);
  return status === 200 ? (JSON.parse(body) as Seen).workload : status;
};

describe('paths', () => {
  beforeAll(async () => {
    const rules = [
      {
        host: 'shop.example.com',
        http: {
          paths: [
            at('/', 'Prefix', 'ratings'),
            at('/reviews', 'Prefix', 'reviews'),
            at('/reviews/all', 'Exact', 'details'),
            at('/any/*', 'ImplementationSpecific', 'details'),
          ],
        },
      },
    ];
    await mesh.apply('ingress', ingress('shop', { ingressClassName, rules }));
  });

  it.each([
    ['/', 'ratings-v1'],
    ['/reviews', 'reviews-v1'],
    ['/reviews/', 'reviews-v1'],
    ['/reviews/1', 'reviews-v1'],
    ['/reviewsmore', 'ratings-v1'],
    ['/reviews/all', 'details-v1'],
    ['/reviews/all/more', 'reviews-v1'],
    ['/any/thing', 'details-v1'],
  ])('%s goes to %s', async (target, expected) => {
    expect(await workloadAt('shop.example.com', target)).toBe(expected);
  });

  it('of other hosts are nobody’s', async () => {
    expect(await workloadAt('elsewhere.net', '/')).toBe(404);
  });
});

it('joins what several Ingresses say of a host', async () => {
  const rule = (value: string, name: string) => [
    { host: 'shop.example.com', http: { paths: [at(value, 'Prefix', name)] } },
  ];
  await mesh.apply(
    'ingress',
    documents(
      ingress('one', { ingressClassName, rules: rule('/a', 'reviews') }),
      ingress('two', { ingressClassName, rules: rule('/b', 'ratings') }),
    ),
  );
  expect(await workloadAt('shop.example.com', '/a')).toBe('reviews-v1');
  expect(await workloadAt('shop.example.com', '/b')).toBe('ratings-v1');
});

it('gives what no rule takes to the default backend', async () => {
  const rules = [{ host: 'shop.example.com', http: { paths: [at('/a', 'Exact', 'reviews')] } }];
  const defaultBackend = backend('ratings', { name: 'http' });
  await mesh.apply('ingress', ingress('shop', { ingressClassName, rules, defaultBackend }));
  expect(await workloadAt('shop.example.com', '/a')).toBe('reviews-v1');
  expect(await workloadAt('shop.example.com', '/b')).toBe('ratings-v1');
  expect(await workloadAt('elsewhere.net', '/')).toBe('ratings-v1');
});

it('takes Ingresses of its own class only', async () => {
  const rules = (name: string) => [{ host: `${name}.example.com`, http: { paths: [at('/', 'Prefix', 'reviews')] } }];
  const ingressClass = (name: string, controller: string) =>
    `apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: ${name} }
spec: { controller: ${controller} }
`;
  await mesh.apply(
    'ingress',
    documents(
      ingressClass('edge', 'istio.io/ingress-controller'),
      ingressClass('other', 'example.com/controller'),
      ingress('edge', { ingressClassName: 'edge', rules: rules('edge') }),
      ingress('other', { ingressClassName: 'other', rules: rules('other') }),
      ingress('none', { rules: rules('none') }),
      ingress('old', { rules: rules('old') }, { 'kubernetes.io/ingress.class': 'istio' }),
    ),
  );
  expect(await workloadAt('edge.example.com', '/')).toBe('reviews-v1');
  expect(await workloadAt('old.example.com', '/')).toBe('reviews-v1');
  // Envoy acknowledges routes before the last of its workers has them.
  await poll(
    async () => (await workloadAt('other.example.com', '/')) === 404,
    'the host of another class to be unknown',
  );
  expect(await workloadAt('none.example.com', '/')).toBe(404);
});

it('ends TLS with the certificate of a Secret', async () => {
  const certificate = new TestAuthority(path.join(mesh.folder, 'authority')).issue('shop.example.com');
  // The port that the gateway's workload listens on for the Service's 443.
  const httpsPort = 8443;
  const service = `apiVersion: v1
kind: Service
metadata: { name: ingress-https, namespace: istio-system }
spec:
  selector: { istio: ingressgateway }
  ports: [{ name: https, port: 443, targetPort: ${httpsPort} }]
`;
  const rules = [{ host: 'shop.example.com', http: { paths: [at('/', 'Prefix', 'reviews')] } }];
  const tls = [{ hosts: ['shop.example.com'], secretName: 'shop' }];
  await mesh.apply(
    'ingress',
    documents(
      service,
      secretYaml('shop', { 'tls.crt': certificate.cert, 'tls.key': certificate.key }),
      ingress('shop', { ingressClassName, rules, tls }),
    ),
  );
  expect(await tlsRequest(mesh.gatewayAddress, httpsPort, { servername: 'shop.example.com' })).toMatchObject({
    status: 200,
    workload: 'reviews-v1',
    fingerprint: new X509Certificate(certificate.cert).fingerprint256,
  });
  expect(await workloadAt('shop.example.com', '/')).toBe('reviews-v1');
});
