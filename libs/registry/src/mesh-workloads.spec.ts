import { describe, expect, it } from '@jest/globals';
import { type ConfigObject, objectKey } from '@seine/k8s';
import { defaultMeshConfig, type Workload } from '@seine/model';
import { buildMesh } from './build-mesh.js';
import { findWorkload } from './find-workload.js';
import {
  seHttp,
  object,
  service,
  entry,
  workloadEntry,
  pod,
  http,
  web,
  webHost,
  meshOf,
  type Meta,
} from './testing/mesh-objects.js';

describe('where pods stand', () => {
  const labels = (region: string, zone: string) => ({
    'topology.kubernetes.io/region': region,
    'topology.kubernetes.io/zone': zone,
  });
  const node = (region: string, zone: string) => object('v1', 'Node', 'n1', {}, { labels: labels(region, zone) });
  const on = (own: object) => pod('a', { app: 'web', ...own }, { podIP: '10.0.0.1' }, { nodeName: 'n1' });
  const place = (...objects: ConfigObject[]) => {
    const found = meshOf([web, ...objects])
      .mesh.endpoints.get(webHost)
      ?.byPort.get(80)?.[0];
    return found && `${found.locality.region}/${found.locality.zone} ${found.nodeName}`;
  };

  it.each<[string, ConfigObject[], string]>([
    ['where their node does', [node('r', 'z'), on({})], 'r/z n1'],
    ['nowhere, without it', [on({})], '/ n1'],
    ['in the zone they state', [node('r', 'z'), on({ 'topology.kubernetes.io/zone': 'own' })], 'r/own n1'],
    ['where they state, wholly', [node('r', 'z'), on(labels('q', ''))], 'q/ n1'],
    ['where istio-locality says', [node('r', 'z'), on({ 'istio-locality': 'x.y' })], 'x/y n1'],
  ])('%s', (_what, objects, expected) => {
    expect(place(...objects)).toBe(expected);
  });

  it('move with their node', () => {
    const built = (zone: string) => [web, node('r', zone), on({})].map((one) => [objectKey(one), one] as const);
    const before = buildMesh(undefined, new Map(built('z1')), defaultMeshConfig).mesh;
    const key = objectKey(node('r', 'z2'));
    const after = buildMesh(before, new Map(built('z2')), defaultMeshConfig, [key]).mesh;
    expect(after.endpoints.get(webHost)?.byPort.get(80)?.[0]?.locality.zone).toBe('z2');
    expect(after.services).toBe(before.services);
    expect([...after.workloads.values()][0]?.locality.zone).toBe('z2');
  });
});

describe('workloads of the mesh', () => {
  const workload = (objects: readonly ConfigObject[], address: string): Workload | undefined =>
    meshOf(objects).mesh.workloads.get(address);
  const running = { podIP: '10.0.0.1' };

  it('have the ports of the services that select them, sorted, UDP left out', () => {
    const objects = [
      pod('a', { app: 'web' }, running),
      service('z', {
        selector: { app: 'web' },
        ports: [
          { port: 1, targetPort: 8080, name: 'tcp' },
          { port: 53, protocol: 'UDP' },
        ],
      }),
      service('web', {
        selector: { app: 'web' },
        ports: [{ port: 81, targetPort: 8080, name: 'http-b' }, http, { port: 9, targetPort: 7 }],
      }),
      entry('e', {
        hosts: ['a.com'],
        ports: [{ ...seHttp, targetPort: 8080 }],
        workloadSelector: { labels: { app: 'web' } },
      }),
      service('other', { selector: { app: 'x' }, ports: [http] }),
    ];
    expect(
      workload(objects, '10.0.0.1')?.inbound.map(
        (p) => `${p.targetPort} ${p.serviceHost}:${p.servicePort} ${p.protocol}`,
      ),
    ).toEqual([
      '7 web.default.svc.cluster.local:9 auto',
      '8080 a.com:80 HTTP',
      '8080 web.default.svc.cluster.local:80 HTTP',
      '8080 z.default.svc.cluster.local:1 TCP',
    ]);
  });

  it.each<[string, object, object, readonly ConfigObject[], Partial<Workload>]>([
    ['itself', {}, {}, [], { ownerName: 'web-5d9-x', serviceAccount: 'default' }],
    [
      'a ReplicaSet of a Deployment',
      {
        ownerReferences: [{ kind: 'ReplicaSet', name: 'web-5d9', controller: true }],
        labels: { app: 'web', 'pod-template-hash': '5d9' },
      },
      { serviceAccountName: 'sa' },
      [],
      { ownerName: 'web', serviceAccount: 'sa' },
    ],
    ['a StatefulSet', { ownerReferences: [{ kind: 'StatefulSet', name: 'db' }] }, {}, [], { ownerName: 'db' }],
    [
      'a Deployment that selects it',
      {},
      {},
      [
        object('apps/v1', 'Deployment', 'web', {
          spec: {
            selector: { matchLabels: { app: 'web' } },
            template: { spec: { serviceAccountName: 'from-template' } },
          },
        }),
      ],
      { ownerName: 'web', serviceAccount: 'from-template' },
    ],
  ])('belong to %s', (_, meta, spec, others, expected) => {
    const one = pod('web-5d9-x', { app: 'web' }, running, spec, meta as Meta);
    expect(workload([one, ...others], '10.0.0.1')).toMatchObject(expected);
  });

  it('are found by every IP address, and not by names', () => {
    const { mesh } = meshOf([
      pod('a', {}, { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] }),
      workloadEntry('vm', { address: '10.7.0.1' }),
      workloadEntry('dns', { address: 'vm.example.com' }),
    ]);
    expect([...mesh.workloads].map(([ip, { name }]) => `${ip} ${name}`)).toEqual([
      '10.0.0.1 a',
      '10.7.0.1 vm',
      'fd00::1 a',
    ]);
    expect(mesh.workloads.get('fd00::1')).toBe(mesh.workloads.get('10.0.0.1'));
  });

  it('can be looked for by name, also as what a Deployment would run', () => {
    const deployment = object('apps/v1', 'Deployment', 'reviews-v1', {
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web', version: 'v1' } },
          spec: { serviceAccountName: 'sa', containers: [{ ports: [{ name: 'web', containerPort: 9090 }] }] },
        },
      },
    });
    const named = service('web', { selector: { app: 'web' }, ports: [{ ...http, targetPort: 'web' }] });
    const find = (objects: readonly ConfigObject[], name: string) =>
      findWorkload(meshOf(objects).mesh, new Map(objects.map((one) => [objectKey(one), one])), name, 'default');
    expect(find([deployment, named], 'reviews-v1')).toMatchObject({
      name: 'reviews-v1',
      addresses: [],
      labels: { version: 'v1' },
      serviceAccount: 'sa',
      inbound: [{ targetPort: 9090, serviceHost: webHost }],
    });
    const one = pod('pod-1', { app: 'web' }, running);
    expect(find([deployment, web, one], 'reviews-v1')?.name).toBe('pod-1');
    expect(find([deployment, web, one], 'pod-1')?.inbound).toHaveLength(1);
    expect(find([deployment], 'nobody')).toBeUndefined();
  });
});

describe('resources of the mesh', () => {
  it('are lists by kind in order of creation, then namespace and name; converted kinds are left out', () => {
    const vs = (name: string, meta: Meta = {}) =>
      object('networking.istio.io/v1', 'VirtualService', name, { spec: {} }, meta);
    const { mesh } = meshOf([
      vs('c', { creationTimestamp: '2021-01-01T00:00:00Z' }),
      vs('b'),
      vs('z', { namespace: 'a' }),
      vs('a', { creationTimestamp: '2022-01-01T00:00:00Z' }),
      object('security.istio.io/v1', 'PeerAuthentication', 'p', { spec: {} }),
      object('gateway.networking.k8s.io/v1', 'Gateway', 'g', { spec: {} }),
      entry('e', { hosts: ['a.com'] }),
      workloadEntry('w', { address: '1.1.1.1' }),
      web,
    ]);
    const names = [...mesh.resources].map(([kind, list]) => [kind, list.map(({ metadata }) => metadata.name)]);
    expect(names).toEqual([
      ['PeerAuthentication', ['p']],
      ['VirtualService', ['z', 'b', 'c', 'a']],
    ]);
  });
});

describe('buildMesh with objects that nobody validated', () => {
  const wrong: readonly unknown[] = [undefined, null, 5, 'text', [], [null, 5, 'x', {}, []], {}, { a: { b: 1 } }];
  const kinds: readonly [string, string, readonly string[]][] = [
    ['v1', 'Service', ['selector', 'ports', 'clusterIP', 'clusterIPs', 'type', 'externalName']],
    ['v1', 'Pod', ['containers', 'serviceAccountName']],
    ['apps/v1', 'Deployment', ['selector', 'template']],
    [
      'networking.istio.io/v1',
      'ServiceEntry',
      ['hosts', 'ports', 'endpoints', 'workloadSelector', 'exportTo', 'resolution'],
    ],
    ['networking.istio.io/v1', 'WorkloadEntry', ['address', 'ports', 'labels', 'locality', 'weight']],
    ['networking.istio.io/v1', 'VirtualService', ['hosts', 'http']],
  ];
  it.each(kinds)('never throws: %s %s', (apiVersion, kind, fields) => {
    for (const value of wrong) {
      const rest = { status: value, subsets: value, endpoints: value, ports: value };
      const bare = object(apiVersion, kind, 'bare', { ...rest, spec: value }, { labels: value, annotations: value });
      const spec = Object.fromEntries(fields.map((field) => [field, value]));
      const inner = object(apiVersion, kind, 'inner', { ...rest, spec }, { ownerReferences: value });
      const slices = ['Endpoints', 'EndpointSlice'].map((list) =>
        object(list === 'Endpoints' ? 'v1' : 'discovery.k8s.io/v1', list, 'inner', rest, { labels: value }),
      );
      expect(meshOf([bare, inner, ...slices]).mesh.config).toBe(defaultMeshConfig);
    }
  });
});
