import { describe, expect, it } from '@jest/globals';
import type { MeshService } from '@seine/model';
import { dedupeDomains, sidecarDomains, virtualServiceDomains } from './routes-domains.js';

const reviews: MeshService = {
  host: 'reviews.default.svc.cluster.local',
  name: 'reviews',
  namespace: 'default',
  ports: [{ port: 9080, name: 'http', protocol: 'HTTP' }],
  addresses: ['10.0.0.7'],
  resolution: 'static',
  headless: false,
  external: false,
  exportTo: '*',
  subjectAltNames: [],
  serviceAccounts: [],
  creationTimestamp: '2026-01-01T00:00:00Z',
  origin: { kind: 'Service', namespace: 'default', name: 'reviews' },
  registry: 'kubernetes',
};
const headless: MeshService = { ...reviews, headless: true, addresses: [] };
const entry = (host: string, addresses: string[] = []): MeshService => ({
  ...reviews,
  host,
  name: host,
  addresses,
  registry: 'external',
  external: true,
});

describe('sidecarDomains', () => {
  it.each<[string, MeshService, Parameters<typeof sidecarDomains>[2], string[]]>([
    [
      'adds the bare name for clients of the same namespace',
      reviews,
      { bareNames: [reviews.host] },
      ['reviews.default.svc.cluster.local', 'reviews', 'reviews.default.svc', 'reviews.default', '10.0.0.7'],
    ],
    [
      'has no bare name for the others',
      reviews,
      {},
      ['reviews.default.svc.cluster.local', 'reviews.default.svc', 'reviews.default', '10.0.0.7'],
    ],
    [
      'states only names with the port where it is required',
      { ...reviews, addresses: [] },
      { bareNames: [reviews.host], ports: 'required' },
      ['reviews.default.svc.cluster.local:9080', 'reviews:9080', 'reviews.default.svc:9080', 'reviews.default:9080'],
    ],
    [
      'states both forms where asked to',
      entry('api.example.com'),
      { ports: 'both' },
      ['api.example.com', 'api.example.com:9080'],
    ],
    [
      'has the names of aliases, bare where the client is at home',
      { ...reviews, addresses: [], aliases: ['opinions.shop.svc.cluster.local'] },
      { bareNames: ['opinions.shop.svc.cluster.local'] },
      [
        'reviews.default.svc.cluster.local',
        'reviews.default.svc',
        'reviews.default',
        'opinions.shop.svc.cluster.local',
        'opinions',
        'opinions.shop.svc',
        'opinions.shop',
      ],
    ],
    [
      'covers the pods of a headless service',
      headless,
      {},
      [
        'reviews.default.svc.cluster.local',
        'reviews.default.svc',
        'reviews.default',
        '*.reviews.default.svc.cluster.local',
        '*.reviews.default.svc',
        '*.reviews.default',
      ],
    ],
    ['keeps wildcard hosts', entry('*.wikipedia.org'), { bareNames: [reviews.host] }, ['*.wikipedia.org']],
    [
      'leaves out ranges and brackets IPv6 addresses',
      entry('db.example.com', ['10.1.0.0/16', '10.2.0.1/32', '2001:db8::1', '0.0.0.0']),
      { bareNames: [reviews.host] },
      ['db.example.com', '10.2.0.1', '[2001:db8::1]'],
    ],
  ])('%s', (_, service, options, domains) => {
    expect(sidecarDomains(service, 9080, options)).toEqual(domains);
  });

  it('also has bare names for port 80 where the port is required', () => {
    expect(sidecarDomains(entry('api.example.com'), 80, { ports: 'required' })).toEqual([
      'api.example.com',
      'api.example.com:80',
    ]);
  });

  it('names a host that only a VirtualService has', () => {
    expect(virtualServiceDomains('shop.example.com', 8080)).toEqual(['shop.example.com']);
    expect(virtualServiceDomains('shop.example.com', 8080, 'required')).toEqual(['shop.example.com:8080']);
  });
});

describe('dedupeDomains', () => {
  const of = (...domains: string[]): { readonly domains: readonly string[] } => ({ domains });

  it.each([
    ['keeps what does not clash', [of('a', 'b'), of('c')], [of('a', 'b'), of('c')]],
    ['lets the first entry win among short forms', [of('a', 'x'), of('b', 'x')], [of('a', 'x'), of('b')]],
    ["lets an entry's own name win over an earlier short form", [of('a', 'x'), of('x', 'y')], [of('a'), of('x', 'y')]],
    ['counts the own name with its port', [of('a', 'x:80'), of('x', 'x:80')], [of('a'), of('x', 'x:80')]],
    ['compares without case', [of('Shop'), of('shop', 'b')], [of('Shop'), of('b')]],
    ['drops doubles within an entry', [of('a', 'A', 'b')], [of('a', 'b')]],
    ['drops an entry left without domains', [of('a'), of('a')], [of('a')]],
  ])('%s', (_, entries, expected) => {
    expect(dedupeDomains(entries)).toEqual(expected);
  });

  it('returns an entry that loses nothing as it came', () => {
    const entries = [of('a'), of('b')];
    expect(dedupeDomains(entries)[1]).toBe(entries[1]);
  });
});
