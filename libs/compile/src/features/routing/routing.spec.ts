import { describe, expect, it } from '@jest/globals';
import type { Destination } from '@seine/istio';
import { defaultMeshConfig, type MeshService } from '@seine/model';
import { destinationsByHost, resolveDestination } from './destination.js';
import { fractionOfPercent, fractionOfWholePercent } from './fraction.js';
import { qualifyGateway } from './gateway-name.js';
import { hostPart, intersectHosts, qualifiedHosts, serverHostsFor } from './host-intersection.js';

const service = (host: string, ports: readonly number[]): MeshService => ({
  host,
  name: host,
  namespace: 'default',
  ports: ports.map((port) => ({ port, name: `http-${port}`, protocol: 'HTTP' })),
  addresses: [],
  resolution: 'static',
  headless: false,
  external: false,
  exportTo: '*',
  subjectAltNames: [],
  serviceAccounts: [],
  creationTimestamp: '2026-01-01T00:00:00Z',
  origin: { kind: 'Service', namespace: 'default', name: host },
  registry: 'kubernetes',
});
const services = [service('one.default.svc.cluster.local', [9080]), service('two.default.svc.cluster.local', [80, 81])];
const destinations = destinationsByHost(services.map((s) => ({ host: s.host, service: s, rule: undefined })));
const scope = { namespace: 'default', port: 8000, tls: false, destinations, config: defaultMeshConfig };

describe('resolveDestination', () => {
  it.each<[string, Destination, string]>([
    ["the service's only port", { host: 'one' }, 'outbound|9080||one.default.svc.cluster.local'],
    ['a port of the route', { host: 'one', port: { number: 1 } }, 'outbound|1||one.default.svc.cluster.local'],
    [
      "the listener's port, with several",
      { host: 'two', subset: 'v1' },
      'outbound|8000|v1|two.default.svc.cluster.local',
    ],
    ['a service nobody knows', { host: 'three' }, 'outbound|8000||three.default.svc.cluster.local'],
    ['a full name', { host: 'one.default.svc.cluster.local' }, 'outbound|9080||one.default.svc.cluster.local'],
    ['an outside host', { host: 'api.example.com' }, 'outbound|8000||api.example.com'],
  ])('%s', (_, destination, cluster) => {
    expect(resolveDestination(destination, scope).cluster).toBe(cluster);
  });
});

describe('qualifyGateway', () => {
  it.each([
    ['mesh', 'mesh'],
    ['gw', 'default/gw'],
    ['./gw', 'default/gw'],
    ['prod/gw', 'prod/gw'],
    ['gw.prod', 'prod/gw'],
    ['gw.prod.svc.cluster.local', 'prod/gw'],
  ])('%p is %p', (name, expected) => {
    expect(qualifyGateway(name, 'default')).toBe(expected);
  });
});

describe('fractions', () => {
  it.each([
    [0.0001, 1],
    [12.5, 125_000],
    [250, 1_000_000],
    [-1, 0],
  ])('%p percent', (percent, numerator) => {
    expect(fractionOfPercent(percent).numerator).toBe(numerator);
  });

  it.each([
    [30, 30],
    [101, 100],
    [-1, 0],
  ])('%p whole percent', (percent, numerator) => {
    expect(fractionOfWholePercent(percent).numerator).toBe(numerator);
  });
});

describe('hosts of Gateways', () => {
  it.each([
    [['*'], ['a.com', '*.b.com'], ['a.com', '*.b.com']],
    [['*.foo.com'], ['1.foo.com', 'bar.com', '2.foo.com'], ['1.foo.com', '2.foo.com']],
    [['1.foo.com', '2.foo.com'], ['*.foo.com'], ['1.foo.com', '2.foo.com']],
    [['a.com'], ['a.com', '*'], ['a.com']],
    [['a.com'], ['b.com'], []],
  ])('%p and %p have %p in common', (serverHosts, hosts, common) => {
    expect(intersectHosts(serverHosts, hosts)).toEqual(common);
  });

  it.each([
    [['a.com', '*/b.com', './c.com', 'prod/d.com'], 'default', ['a.com', 'b.com', 'c.com']],
    [['a.com', '*/b.com', './c.com', 'prod/d.com'], 'prod', ['a.com', 'b.com', 'd.com']],
  ])('of %p, namespace %p may use %p', (hosts, namespace, usable) => {
    expect(serverHostsFor(hosts, 'default', namespace)).toEqual(usable);
  });

  it.each([
    ['ns/a.com', 'a.com'],
    ['*', '*'],
  ])('hostPart(%p)', (host, part) => {
    expect(hostPart(host)).toBe(part);
  });

  it('completes short names', () => {
    expect(qualifiedHosts(['reviews', 'a.com', '*'], 'default', 'cluster.local')).toEqual([
      'reviews.default.svc.cluster.local',
      'a.com',
      '*',
    ]);
  });
});
