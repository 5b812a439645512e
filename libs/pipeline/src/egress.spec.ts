import { describe, expect, it } from '@jest/globals';
import { resourceToJson, TypeUrl } from '@seine/envoy';
import type { ConfigObject } from '@seine/k8s';
import { memoRuns } from '@seine/memo';
import type { Proxy } from '@seine/model';
import { viewsToJson } from './compile-proxy.js';
import { compileViews } from './compiler.js';
import { aKubernetesService, anIstioObject, aPod, aVirtualService, toSubset } from './testing/config-objects.js';
import { MeshUnderTest, resourcesIn } from './testing/mesh-under-test.js';
import { nackCauses } from './testing/nack-causes.js';

const ports = [
  { name: 'http', port: 9080 },
  { name: 'tcp', port: 7000 },
];

function aSidecar(namespace: string, spec: object, name = 'default'): ConfigObject {
  return anIstioObject('Sidecar', { name, namespace }, spec);
}

/** Three namespaces, each with a service of two ports and a workload behind it. */
function world(...more: readonly ConfigObject[]): MeshUnderTest {
  const namespaces = ['shop', 'backend', 'hidden'];
  const objects = namespaces.flatMap((namespace, i) => [
    aKubernetesService({ name: 'app', namespace, clusterIP: `10.96.0.${i + 1}`, ports }),
    aPod({ name: 'app-1', namespace, ip: `10.1.${i}.1`, labels: { app: 'app', tier: namespace } }),
    aPod({ name: 'app-2', namespace, ip: `10.1.${i}.2`, labels: { app: 'app', tier: 'other' } }),
  ]);
  return new MeshUnderTest([...objects, ...more]);
}

function proxyOf(mesh: MeshUnderTest, name: string, namespace: string): Proxy {
  const found = mesh.proxies().find((proxy) => proxy.name === name && proxy.namespace === namespace);
  if (!found) throw new Error(`no workload ${name}.${namespace}`);
  return found;
}

function clustersOf(mesh: MeshUnderTest, proxy: Proxy): readonly string[] {
  const names = (mesh.views(proxy).get(TypeUrl.cluster) ?? []).flatMap((set) => [...set].map(({ name }) => name));
  return names.filter((name) => name.startsWith('outbound')).sort();
}

const host = (namespace: string): string => `app.${namespace}.svc.cluster.local`;
const both = (namespace: string): string[] => [
  `outbound|7000||${host(namespace)}`,
  `outbound|9080||${host(namespace)}`,
];

describe('what a Sidecar lets a workload see', () => {
  it.each<[string, object, readonly string[]]>([
    ['its namespace', { egress: [{ hosts: ['./*'] }] }, both('shop')],
    ['another and its own', { egress: [{ hosts: ['./*', 'backend/*'] }] }, [...both('backend'), ...both('shop')]],
    ['one host', { egress: [{ hosts: [`*/${host('hidden')}`] }] }, both('hidden')],
    ['nothing', { egress: [{ hosts: ['~/*'] }] }, []],
    [
      'one port of a host',
      { egress: [{ port: { number: 7000, protocol: 'TCP' }, hosts: ['*/*'] }, { hosts: ['./*'] }] },
      [`outbound|7000||${host('backend')}`, `outbound|7000||${host('hidden')}`, ...both('shop')],
    ],
    [
      'everything, where it says nothing of egress',
      { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } },
      [...both('backend'), ...both('hidden'), ...both('shop')].sort(),
    ],
  ])('%s', (_what, spec, expected) => {
    const mesh = world(aSidecar('shop', spec));
    expect(clustersOf(mesh, proxyOf(mesh, 'app-1', 'shop'))).toEqual([...expected].sort());
    expect(clustersOf(mesh, proxyOf(mesh, 'app-1', 'backend'))).toHaveLength(6);
  });

  it('goes by labels', () => {
    const selecting = { workloadSelector: { labels: { tier: 'shop' } }, egress: [{ hosts: ['~/*'] }] };
    const mesh = world(aSidecar('shop', selecting));
    expect(clustersOf(mesh, proxyOf(mesh, 'app-1', 'shop'))).toEqual([]);
    expect(clustersOf(mesh, proxyOf(mesh, 'app-2', 'shop'))).toHaveLength(6);
  });

  it('leaves gateways all', () => {
    const mesh = world(aSidecar('shop', { egress: [{ hosts: ['~/*'] }] }));
    const proxy: Proxy = Object.freeze({ ...proxyOf(mesh, 'app-1', 'shop'), type: 'router' });
    const clusters = compileViews(mesh.mesh, proxy).get(TypeUrl.cluster) ?? [];
    expect(clusters.flatMap((set) => [...set]).filter(({ name }) => name.startsWith('outbound'))).toHaveLength(6);
  });

  it('has the whole mesh’s stand for namespaces without one, `.` being the workload’s own', () => {
    const mesh = world(aSidecar('istio-system', { egress: [{ hosts: ['./*'] }] }));
    expect(clustersOf(mesh, proxyOf(mesh, 'app-1', 'shop'))).toEqual(both('shop'));
    expect(clustersOf(mesh, proxyOf(mesh, 'app-1', 'backend'))).toEqual(both('backend'));
  });

  it('has no route but to what is listed, and clusters for where these lead', () => {
    const routed = aVirtualService({ name: 'app', namespace: 'shop' }, [toSubset(host('hidden'))]);
    const mesh = world(aSidecar('shop', { egress: [{ hosts: ['./*'] }] }), routed);
    const proxy = proxyOf(mesh, 'app-1', 'shop');
    expect(clustersOf(mesh, proxy)).toEqual([...both('hidden'), ...both('shop')].sort());
    const [routes] = mesh.views(proxy).get(TypeUrl.route) ?? [];
    const json = JSON.stringify(resourceToJson(TypeUrl.route, routes!.get('9080')!.bytes));
    expect(json).toContain(`"name":"${host('shop')}:9080"`);
    expect(json).not.toContain(`"name":"${host('hidden')}:9080"`);
  });
});

describe('proxies of one Sidecar', () => {
  const sidecar = aSidecar('shop', { egress: [{ hosts: ['./*'] }] });

  it('share all that is outbound', () => {
    const mesh = world(sidecar);
    const [a, b] = ['app-1', 'app-2'].map((name) => mesh.views(proxyOf(mesh, name, 'shop')));
    for (const typeUrl of [TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.listener, TypeUrl.route])
      expect(a?.get(typeUrl)?.[0]).toBe(b?.get(typeUrl)?.[0]);
  });

  const compiled = [
    'routeConfiguration',
    'virtualHost',
    'hostRoutes',
    'outboundListener',
    'outboundListenerSet',
    'virtualOutbound',
    'outboundClusters',
    'clusterSet',
    'loadAssignments',
    'endpointSet',
    'inbound',
  ];

  it.each<[string, ConfigObject]>([
    ['service', aKubernetesService({ name: 'app', namespace: 'hidden', clusterIP: '10.96.0.77', ports })],
    ['service that is new', aKubernetesService({ name: 'more', namespace: 'hidden', ports })],
    ['endpoint', aPod({ name: 'app-3', namespace: 'hidden', ip: '10.1.2.3', labels: { app: 'app' } })],
    ['VirtualService', aVirtualService({ name: 'app', namespace: 'hidden' }, [toSubset('app')])],
    ['DestinationRule', anIstioObject('DestinationRule', { name: 'app', namespace: 'hidden' }, { host: 'app' })],
    ['Sidecar', aSidecar('hidden', { egress: [{ hosts: ['./*'] }] })],
  ])('compile nothing for a hidden %s', (_what, edit) => {
    const mesh = world(sidecar);
    const proxy = proxyOf(mesh, 'app-1', 'shop');
    const before = resourcesIn(mesh.views(proxy));
    const runs = compiled.map(memoRuns);
    mesh.put(edit);
    const after = resourcesIn(mesh.views(proxy));
    expect(compiled.filter((label, i) => memoRuns(label) !== runs[i])).toEqual([]);
    expect([...after].filter(([key, item]) => before.get(key) !== item)).toEqual([]);
    expect(after.size).toBe(before.size);
  });
});

describe('an entry with a port and what is in common', () => {
  const http = { number: 9080, protocol: 'HTTP', name: 'p' };
  const tcp = { ...http, protocol: 'TCP' };
  const bound = { bind: '127.0.0.1', captureMode: 'NONE' };

  it.each<[string, object, boolean]>([
    ['captured HTTP', { port: http, hosts: ['backend/*'] }, false],
    ['bound HTTP of a host', { port: http, ...bound, hosts: ['backend/*'] }, false],
    ['bound HTTP of no host', { port: http, ...bound, hosts: ['~/*'] }, false],
    ['bound TCP', { port: tcp, ...bound, hosts: ['backend/*'] }, true],
    ['captured TCP', { port: tcp, hosts: ['backend/*'] }, true],
  ])('leaves no listener without its routes: %s', (_what, entry, common) => {
    const mesh = world(aSidecar('shop', { egress: [entry, { hosts: ['./*'] }] }));
    for (const interceptionMode of ['REDIRECT', 'NONE'] as const) {
      const explicit = interceptionMode === 'NONE' && { httpProxyPort: 15007, outboundCidr: '127.4.7.0/24' };
      const proxy: Proxy = Object.freeze({ ...proxyOf(mesh, 'app-1', 'shop'), interceptionMode, ...explicit });
      const compiled = viewsToJson(compileViews(mesh.mesh, proxy));
      expect(nackCauses(compiled)).toEqual([]);
      const [named, proxied] = ['9080', 'http_proxy'].map((name) =>
        JSON.stringify(compiled.routes.find((route) => (route as { name: string }).name === name) ?? ''),
      );
      // What the entry lists for HTTP goes before what is listed in common; TCP has no routes.
      expect((explicit ? proxied : named)?.includes(`"${host('shop')}:9080"`)).toBe(common);
    }
  });
});
