import { describe, expect, it } from '@jest/globals';
import type { Sidecar, VirtualService } from '@seine/istio';
import { aService } from '@seine/testing';
import { importsService, importsVirtualService, readEgressHosts } from './egress-hosts.js';
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
