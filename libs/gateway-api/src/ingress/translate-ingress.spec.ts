import { describe, expect, it } from '@jest/globals';
import type { VirtualServiceSpec } from '@seine/istio';
import { type ConfigObject, objectKey } from '@seine/k8s';
import type { IngressOptions, IngressSpec } from './ingress-input.js';
import { translateIngress } from './translate-ingress.js';

const options: IngressOptions = { clusterDomain: 'cluster.local', rootNamespace: 'istio-system' };

function anIngress(spec: IngressSpec, more: Partial<ConfigObject['metadata']> = {}): ConfigObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'shop', namespace: 'default', ...more },
    spec,
  };
}

const ofClass = { ingressClassName: 'istio' };
const backend = (name: string, number = 80) => ({ service: { name, port: { number } } });

function aClass(name: string, controller: string): ConfigObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name, namespace: '' },
    spec: { controller },
  };
}

/** The VirtualService for a host, as `match → backend`. */
function routesOf(objects: readonly ConfigObject[], host: string, more: Partial<IngressOptions> = {}): string[] {
  const found = translateIngress(objects, { ...options, ...more }).objects.find(
    ({ kind, spec }) => kind === 'VirtualService' && (spec as VirtualServiceSpec).hosts?.includes(host),
  );
  return ((found?.spec as VirtualServiceSpec | undefined)?.http ?? []).map(({ match, route }) => {
    const [kind, value] = Object.entries(match?.[0]?.uri ?? { any: '' })[0] ?? [];
    const { host: to = '', port } = route?.[0]?.destination ?? {};
    return `${kind} ${value} ${to.split('.')[0]}:${port?.number}`;
  });
}

describe('which Ingresses are ours', () => {
  const rules = [{ http: { paths: [{ backend: backend('web') }] } }];
  it.each<[string, IngressSpec, Record<string, string>, IngressOptions['ingressControllerMode'], boolean]>([
    ['no class', {}, {}, undefined, false],
    ['no class, where all are ours', {}, {}, 'DEFAULT', true],
    ['the annotation', {}, { 'kubernetes.io/ingress.class': 'istio' }, undefined, true],
    ['the annotation of another', {}, { 'kubernetes.io/ingress.class': 'nginx' }, 'DEFAULT', false],
    ['the annotation, switched off', {}, { 'kubernetes.io/ingress.class': 'istio' }, 'OFF', false],
    ['a class of ours', { ingressClassName: 'edge' }, {}, undefined, true],
    ['a class of another', { ingressClassName: 'nginx' }, {}, 'DEFAULT', false],
    ['a class that is not there', { ingressClassName: 'lost' }, {}, 'DEFAULT', false],
    ['our class, which nobody made', { ingressClassName: 'istio' }, {}, undefined, true],
  ])('%s', (_, spec, annotations, mode, expected) => {
    const objects = [
      aClass('edge', 'istio.io/ingress-controller'),
      aClass('nginx', 'k8s.io/ingress-nginx'),
      anIngress({ ...spec, rules }, { annotations }),
    ];
    expect(routesOf(objects, '*', { ingressControllerMode: mode }).length > 0).toBe(expected);
  });
});

describe('paths', () => {
  it.each<[string, string, 'Exact' | 'Prefix' | 'ImplementationSpecific' | undefined, string]>([
    ['an exact one', '/a', 'Exact', 'exact /a'],
    ['a prefix', '/a', 'Prefix', 'prefix /a'],
    ['without a type', '/a', undefined, 'exact /a'],
    ['ImplementationSpecific', '/a', 'ImplementationSpecific', 'exact /a'],
    ['with a star', '/a/*', 'ImplementationSpecific', 'prefix /a'],
    ['with dot and star', '/a.*', undefined, 'prefix /a'],
    ['every path', '/*', undefined, 'any '],
    ['none', '', undefined, 'any '],
  ])('%s', (_, path, pathType, expected) => {
    const paths = [{ path, ...(pathType && { pathType }), backend: backend('web') }];
    expect(routesOf([anIngress({ ...ofClass, rules: [{ http: { paths } }] })], '*')).toEqual([`${expected} web:80`]);
  });

  it('are tried longest first, exact ones before prefixes, of all Ingresses for the host together', () => {
    const rule = (path: string, pathType: 'Exact' | 'Prefix', name: string) => ({
      host: 'shop.example.com',
      http: { paths: [{ path, pathType, backend: backend(name) }] },
    });
    const first = anIngress({ ...ofClass, rules: [rule('/', 'Prefix', 'root'), rule('/cart', 'Prefix', 'cart')] });
    const second = anIngress(
      { ...ofClass, rules: [rule('/cart', 'Exact', 'empty'), rule('/cart/pay', 'Prefix', 'pay')] },
      { name: 'other' },
    );
    expect(routesOf([first, second], 'shop.example.com')).toEqual([
      'prefix /cart/pay pay:80',
      'exact /cart empty:80',
      'prefix /cart cart:80',
      'prefix / root:80',
    ]);
  });
});

describe('backends', () => {
  const rules = [{ host: 'a.example.com', http: { paths: [{ path: '/a', backend: backend('web') }] } }];

  it('take what no path takes, on known hosts and on others', () => {
    const objects = [anIngress({ ...ofClass, rules, defaultBackend: backend('fallback', 8080) })];
    expect(routesOf(objects, 'a.example.com')).toEqual(['exact /a web:80', 'any  fallback:8080']);
    expect(routesOf(objects, '*')).toEqual(['any  fallback:8080']);
  });

  it('have ports by name', () => {
    const service: ConfigObject = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { ports: [{ name: 'http', port: 8081 }] },
    };
    const named = (name: string) => ({ service: { name: 'web', port: { name } } });
    const paths = [
      { path: '/known', backend: named('http') },
      { path: '/lost', backend: named('https') },
    ];
    expect(routesOf([service, anIngress({ ...ofClass, rules: [{ http: { paths } }] })], '*')).toEqual([
      'exact /known web:8081',
    ]);
  });
});

describe('TLS', () => {
  it('is ended for the hosts of each Secret, for those of younger Ingresses too', () => {
    const rules = [{ host: 'a.example.com', http: { paths: [{ backend: backend('web') }] } }];
    const plain = anIngress({ ...ofClass, rules });
    const secret = { hosts: ['a.example.com'], secretName: 'cert' };
    const secured = anIngress({ ...ofClass, rules, tls: [secret, { hosts: ['lost'] }] }, { name: 'tls' });
    const { objects } = translateIngress([plain, secured], options);
    const virtualService = objects.find(({ kind }) => kind === 'VirtualService')?.spec as VirtualServiceSpec;
    expect(virtualService.gateways).toEqual([
      'istio-system/shop-istio-autogenerated-k8s-ingress-default',
      'istio-system/tls-istio-autogenerated-k8s-ingress-default',
    ]);
    const gateway = objects.find(({ metadata }) => metadata.name.startsWith('tls-'));
    expect(gateway?.spec).toMatchObject({
      selector: { istio: 'ingressgateway' },
      servers: [{ hosts: ['a.example.com'], tls: { mode: 'SIMPLE', credentialName: 'cert' } }, { hosts: ['*'] }],
    });
  });
});

describe('status', () => {
  it('tells where the ingress gateway is', () => {
    const gateway: ConfigObject = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'istio-ingressgateway', namespace: 'istio-system' },
      spec: { externalIPs: ['192.0.2.1'] },
      status: { loadBalancer: { ingress: [{ hostname: 'lb.example.com' }] } },
    };
    const ingress = anIngress({ ...ofClass, defaultBackend: backend('web') });
    expect(translateIngress([gateway, ingress], options).statuses.get(objectKey(ingress))).toEqual({
      loadBalancer: { ingress: [{ hostname: 'lb.example.com' }, { ip: '192.0.2.1' }] },
    });
  });
});
