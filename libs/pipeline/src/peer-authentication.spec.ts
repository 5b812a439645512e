import { beforeAll, describe, expect, it } from '@jest/globals';
import { TypeUrl } from '@seine/envoy';
import type { ConfigObject } from '@seine/k8s';
import { memoRuns } from '@seine/memo';
import type { Proxy } from '@seine/model';
import { aKubernetesService, anIstioObject, aPod } from './testing/config-objects.js';
import { MeshUnderTest, resourcesIn } from './testing/mesh-under-test.js';

const namespaces = 4;
const workloads = 40;
const takesMutualTls = { 'security.istio.io/tlsMode': 'istio' };

/** 40 workloads with certificates, each the only one of its service, and a headless service. */
function manyWorkloads(): ConfigObject[] {
  const pods = Array.from({ length: workloads }, (_, i) => {
    const named = { name: `app-${i}`, namespace: `ns-${i % namespaces}` };
    const labels = { app: named.name, ...takesMutualTls };
    return [
      aKubernetesService({ ...named, clusterIP: `10.96.0.${i + 1}` }),
      aPod({ ...named, ip: `10.1.0.${i + 1}`, labels }),
    ];
  }).flat();
  const named = { name: 'headless', namespace: 'ns-1' };
  const labels = { app: 'headless', ...takesMutualTls };
  return [...pods, aKubernetesService({ ...named, clusterIP: 'None' }), aPod({ ...named, ip: '10.1.1.1', labels })];
}

const watched = [
  ...['routeConfiguration', 'virtualHost', 'outboundListener', 'virtualOutbound', 'inbound', 'boundOutbound'],
  ...['outboundClusters', 'staticClusters', 'clusterSet', 'loadAssignments', 'endpointSet', 'lbEndpoint'],
];

function runsDuring(act: () => void): Readonly<Record<string, number>> {
  const before = watched.map(memoRuns);
  act();
  const ran = watched.map((label, i) => [label, memoRuns(label) - (before[i] ?? 0)] as const);
  return Object.fromEntries(ran.filter(([, runs]) => runs > 0));
}

const peerAuthentication = (namespace: string, spec: object): ConfigObject =>
  anIstioObject('PeerAuthentication', { name: 'rule', namespace }, spec);
const app7 = (mode: string) =>
  peerAuthentication('ns-3', { selector: { matchLabels: { app: 'app-7' } }, mtls: { mode } });

describe('speed rules: a change of a PeerAuthentication', () => {
  let world: MeshUnderTest;
  let proxies: readonly Proxy[];
  const compileAll = (): void => proxies.forEach((proxy) => world.views(proxy));
  const put = (object: ConfigObject) =>
    runsDuring(() => {
      world.put(object);
      compileAll();
    });

  beforeAll(() => {
    world = new MeshUnderTest(manyWorkloads());
    proxies = world.proxies().map((proxy) => Object.freeze({ ...proxy, workloadCertificates: true }));
    compileAll();
  });

  it('of one workload compiles what is inbound of that workload, and nothing else', () => {
    const before = proxies.map((proxy) => resourcesIn(world.views(proxy)));
    expect(put(app7('STRICT'))).toEqual({ inbound: 1 });
    const changed = proxies.flatMap((proxy, i) =>
      [...resourcesIn(world.views(proxy))]
        .filter(([key, { version }]) => before[i]?.get(key)?.version !== version)
        .map(([key]) => `${proxy.name} ${key}`),
    );
    expect(changed).toEqual([`app-7 ${TypeUrl.listener} virtualInbound`]);
  });

  it('that turns mutual TLS off compiles the endpoints of its service too', () => {
    expect(put(app7('DISABLE'))).toEqual({ inbound: 1, loadAssignments: 1, endpointSet: 1, lbEndpoint: 1 });
    // The way back is known already: the endpoint is the one that was there.
    expect(put(app7('STRICT'))).toEqual({});
  });

  it('that says what holds already compiles nothing', () => {
    expect(put(peerAuthentication('ns-2', { mtls: { mode: 'PERMISSIVE' } }))).toEqual({});
    expect(
      put(peerAuthentication('ns-2', { selector: { matchLabels: { app: 'nobody' } }, mtls: { mode: 'DISABLE' } })),
    ).toEqual({});
  });

  it('of a headless service’s workload compiles its clusters, which hold for all endpoints', () => {
    const spec = { selector: { matchLabels: { app: 'headless' } }, mtls: { mode: 'DISABLE' } };
    const { outboundClusters, ...rest } = put(peerAuthentication('ns-1', spec));
    expect(outboundClusters).toBe(1);
    expect(Object.keys(rest).sort()).toEqual(['clusterSet', 'endpointSet', 'inbound', 'loadAssignments']);
  });

  it('leaves an endpoint that comes at the cost of its load assignments', () => {
    const labels = { app: 'app-9', ...takesMutualTls };
    expect(put(aPod({ name: 'app-9-more', namespace: 'ns-1', ip: '10.2.0.1', labels }))).toEqual({
      loadAssignments: 1,
      endpointSet: 1,
      lbEndpoint: 1,
    });
  });
});
