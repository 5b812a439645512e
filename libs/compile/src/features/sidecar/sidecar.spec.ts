import { describe, expect, it } from '@jest/globals';
import type { IstioEgressListener, Sidecar, VirtualService } from '@seine/istio';
import { defaultMeshConfig, type MeshService, type Protocol } from '@seine/model';
import { aService, summarizeListener } from '@seine/testing';
import { egressBindOf } from './egress-bind.js';
import { importsService, importsVirtualService, readEgressHosts } from './egress-hosts.js';
import { emitEgressListener } from './egress-listener.js';
import { indexSidecars, selectSidecar } from './select-sidecar.js';

function aSidecar(namespace: string, name: string, labels?: Readonly<Record<string, string>>): Sidecar {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Sidecar',
    metadata: { name, namespace },
    spec: { egress: [{ hosts: ['./*'] }], ...(labels && { workloadSelector: { labels } }) },
  };
}

describe('selectSidecar', () => {
  const all = [
    aSidecar('istio-system', 'root-selecting', { app: 'web' }),
    aSidecar('istio-system', 'root'),
    aSidecar('istio-system', 'root-younger'),
    aSidecar('shop', 'shop'),
    aSidecar('shop', 'shop-younger'),
    aSidecar('shop', 'web', { app: 'web' }),
    aSidecar('shop', 'web-younger', { app: 'web' }),
    aSidecar('shop', 'web-v2', { app: 'web', version: 'v2' }),
    aSidecar('picky', 'picky', { app: 'api' }),
  ];
  const index = indexSidecars(all);

  it.each<[string, string, Readonly<Record<string, string>>, string | undefined]>([
    ['the oldest that selects it', 'shop', { app: 'web', version: 'v2' }, 'web'],
    ['its namespace’s oldest', 'shop', { app: 'api' }, 'shop'],
    ['the root namespace’s', 'elsewhere', { app: 'web' }, 'root'],
    ['the root namespace’s, when none of its own selects it', 'picky', { app: 'web' }, 'root'],
    ['one of its own that selects it', 'picky', { app: 'api' }, 'picky'],
    ['in the root namespace itself, one that selects it', 'istio-system', { app: 'web' }, 'root-selecting'],
  ])('gives a workload %s', (_what, namespace, labels, expected) => {
    expect(selectSidecar(index, { namespace, labels }, 'istio-system')?.metadata.name).toBe(expected);
  });

  it('gives none where there is none', () => {
    expect(selectSidecar(index, { namespace: 'elsewhere', labels: {} }, 'another-root')).toBeUndefined();
  });

  it('names the labels that are tested', () => {
    expect(index.selectorKeys).toEqual(['app', 'version']);
  });
});

describe('importsService', () => {
  const service = aService({ host: 'reviews.shop.svc.cluster.local', name: 'reviews', namespace: 'shop' });

  it.each<[readonly string[], boolean]>([
    [['*/*'], true],
    [['./*'], true],
    [['shop/*'], true],
    [['shop/reviews.shop.svc.cluster.local'], true],
    [['*/reviews.shop.svc.cluster.local'], true],
    [['*/*.shop.svc.cluster.local'], true],
    [['other/*'], false],
    [['~/*'], false],
    [['shop/ratings.shop.svc.cluster.local'], false],
    [['*/*.example.com'], false],
    // What is said of its namespace goes before what is said of all.
    [['*/*', 'shop/ratings.shop.svc.cluster.local'], false],
    [['reviews.shop.svc.cluster.local'], false],
  ])('%j: %s', (hosts, expected) => {
    expect(importsService(readEgressHosts(hosts, 'shop'), service)).toBe(expected);
  });

  it('takes a wildcard service only by a pattern as wide', () => {
    const wide = aService({ host: '*.example.com', name: 'wide', namespace: 'shop' });
    const imports = (host: string): boolean => importsService(readEgressHosts([host], 'shop'), wide);
    expect(['./*.example.com', './*.com', './a.example.com'].map(imports)).toEqual([true, true, false]);
  });
});

describe('importsVirtualService', () => {
  const virtualService = (hosts: string[]): VirtualService => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'vs', namespace: 'shop' },
    spec: { hosts },
  });

  it.each<[readonly string[], string[], boolean]>([
    [['shop/reviews.shop.svc.cluster.local'], ['reviews'], true],
    [['other/*'], ['reviews'], false],
    [['other/*', '*/reviews.shop.svc.cluster.local'], ['reviews'], true],
    [['./a.example.com'], ['*.example.com'], true],
    [['./*.example.com'], ['a.example.com'], true],
    [['./a.example.com'], ['b.example.com'], false],
    [['./a.example.com'], ['b.example.com', 'a.example.com'], true],
    [['~/*'], ['reviews'], false],
  ])('%j, hosts %j: %s', (hosts, own, expected) => {
    expect(importsVirtualService(readEgressHosts(hosts, 'shop'), virtualService(own), 'cluster.local')).toBe(expected);
  });
});

describe('emitEgressListener', () => {
  const service = (name: string, ...ports: readonly (readonly [number, Protocol])[]) =>
    aService({
      name,
      namespace: 'shop',
      host: `${name}.shop.svc.cluster.local`,
      addresses: [`10.0.0.${name.length}`],
      ports: ports.map(([port, protocol]) => ({ port, protocol, name: `p-${port}` })),
    });
  const cluster = (port: number, name: string) => `outbound|${port}||${name}.shop.svc.cluster.local`;
  const emit = (entry: Partial<IstioEgressListener>, services: readonly MeshService[], explicit = false) => {
    const listener = emitEgressListener({
      bind: egressBindOf({ hosts: ['./*'], ...entry }),
      explicit,
      loopback: '127.0.1.1',
      services,
      l4VirtualServices: [],
      destinations: [],
      client: { gateway: 'mesh', namespace: 'shop', labels: {} },
      config: defaultMeshConfig,
    });
    return listener && { ...summarizeListener(listener), bound: listener.bindToPort };
  };
  const none = { captureMode: 'NONE' as const };

  it.each<[string, Partial<IstioEgressListener>, boolean, string, boolean]>([
    ['on loopback', { port: { number: 7000 }, ...none }, false, '127.0.1.1_7000', true],
    ['at its bind', { port: { number: 7000 }, bind: '127.0.0.9', ...none }, false, '127.0.0.9_7000', true],
    ['at its bind, captured', { port: { number: 7000 }, bind: '10.0.0.9' }, false, '10.0.0.9_7000', false],
    ['on loopback without iptables', { port: { number: 7000 } }, true, '127.0.1.1_7000', true],
    [
      'on loopback for all addresses',
      { port: { number: 7000 }, bind: '0.0.0.0', ...none },
      false,
      '127.0.1.1_7000',
      true,
    ],
    ['on a socket', { port: { number: 0, protocol: 'TCP' }, bind: 'unix:///s' }, false, 'unix:///s', true],
  ])('stands %s', (_what, entry, explicit, name, bound) => {
    const found = emit(entry, [service('store', [7000, 'TCP'])], explicit);
    expect(found).toEqual({ name, bound, inspectors: [], chains: [`[] → tcp ${cluster(7000, 'store')}`] });
  });

  it.each<[string, Partial<IstioEgressListener>, MeshService[], string[] | undefined]>([
    ['nothing', { port: { number: 7000, protocol: 'TCP' } }, [], undefined],
    ['HTTP', { port: { number: 80, protocol: 'HTTP' } }, [service('web', [80, 'HTTP'])], ['[] → http rds:80']],
    ['HTTP though it has no service', { port: { number: 80, protocol: 'HTTP' } }, [], ['[] → http rds:80']],
    [
      'the oldest where TCP services can not be told apart',
      { port: { number: 7000, protocol: 'TCP' } },
      [service('b', [7000, 'TCP']), service('a', [7000, 'TCP'])],
      [`[] → tcp ${cluster(7000, 'a')}`],
    ],
    [
      'TLS services by SNI',
      { port: { number: 443, protocol: 'TLS' } },
      [service('a', [443, 'TLS']), service('b', [443, 'TLS'])],
      [
        `[sni a.shop.svc.cluster.local] → tcp ${cluster(443, 'a')}`,
        `[sni b.shop.svc.cluster.local] → tcp ${cluster(443, 'b')}`,
      ],
    ],
    ['an HTTP proxy', { port: { number: 3128, protocol: 'HTTP_PROXY' } }, [], ['[] → http rds:http_proxy']],
    [
      'a socket of HTTP',
      { port: { number: 0, protocol: 'HTTP' }, bind: 'unix:///s' },
      [service('web', [80, 'HTTP'])],
      ['[] → http rds:unix:///s'],
    ],
  ])('serves %s', (_what, entry, services, chains) => {
    expect(emit({ ...none, ...entry }, services)?.chains).toEqual(chains);
  });
});
