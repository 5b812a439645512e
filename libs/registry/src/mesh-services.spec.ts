import { describe, expect, it } from '@jest/globals';
import { type ConfigObject } from '@seine/k8s';
import { type MeshService } from '@seine/model';
import { service, entry, http, seHttp, web, webHost, meshOf } from './testing/mesh-objects.js';

describe('services of the mesh', () => {
  it.each<[string, ConfigObject, string, Partial<MeshService>]>([
    [
      'a Kubernetes Service',
      service(
        'web',
        { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', 'fd00::1'], ports: [http] },
        { labels: { a: 'b' } },
      ),
      webHost,
      {
        name: 'web',
        namespace: 'default',
        ports: [{ port: 80, name: 'http', protocol: 'HTTP', targetPort: 8080 }],
        addresses: ['10.96.0.1', 'fd00::1'],
        resolution: 'static',
        headless: false,
        external: false,
        exportTo: '*',
        registry: 'kubernetes',
        origin: { kind: 'Service', namespace: 'default', name: 'web' },
      },
    ],
    [
      'a Service that prefers near endpoints',
      service('web', { trafficDistribution: 'PreferClose', ports: [http] }),
      webHost,
      { trafficDistribution: 'PreferSameZone' },
    ],
    [
      'a Service that prefers its node, by annotation',
      service(
        'web',
        { ports: [http] },
        { annotations: { 'networking.istio.io/traffic-distribution': 'PreferSameNode' } },
      ),
      webHost,
      { trafficDistribution: 'PreferSameNode' },
    ],
    [
      'a ServiceEntry without an address of its own',
      entry('e', { hosts: ['a.com'] }, { labels: { 'networking.istio.io/enable-autoallocate-ip': 'false' } }),
      'a.com',
      { autoAllocate: false },
    ],
    [
      'a headless Service',
      service('web', { clusterIP: 'None', ports: [http] }),
      webHost,
      {
        addresses: [],
        resolution: 'passthrough',
        headless: true,
      },
    ],
    [
      'an ExternalName Service',
      service('web', { type: 'ExternalName', externalName: 'example.com', ports: [http] }),
      webHost,
      {
        externalName: 'example.com',
        resolution: 'dns',
        external: true,
      },
    ],
    [
      'a Service that is private by annotation',
      service('web', { ports: [http] }, { annotations: { 'networking.istio.io/exportTo': '., other' } }),
      webHost,
      { exportTo: ['default', 'other'] },
    ],
    [
      'a Service for nobody',
      service('web', {}, { annotations: { 'networking.istio.io/exportTo': '~' } }),
      webHost,
      { exportTo: [] },
    ],
    [
      'ports by name, appProtocol and number',
      service('web', {
        ports: [
          { port: 1, name: 'grpc-a' },
          { port: 2, appProtocol: 'http2' },
          { port: 3306 },
          { port: 4 },
          { port: 53, protocol: 'UDP' },
          { port: 'six' },
          { port: 70000 },
          'seven',
        ],
      }),
      webHost,
      {
        ports: [
          { port: 1, name: 'grpc-a', protocol: 'GRPC', targetPort: undefined },
          { port: 2, name: '', protocol: 'HTTP2', targetPort: undefined },
          { port: 3306, name: '', protocol: 'TCP', targetPort: undefined },
          { port: 4, name: '', protocol: 'auto', targetPort: undefined },
          { port: 53, name: '', protocol: 'UDP', targetPort: undefined },
        ],
      },
    ],
    [
      'accounts declared by annotation',
      service(
        'web',
        {},
        {
          annotations: {
            'alpha.istio.io/kubernetes-serviceaccounts': 'b,a',
            'alpha.istio.io/canonical-serviceaccounts': 'spiffe://x/y',
          },
        },
      ),
      webHost,
      {
        serviceAccounts: [
          'spiffe://cluster.local/ns/default/sa/a',
          'spiffe://cluster.local/ns/default/sa/b',
          'spiffe://x/y',
        ],
      },
    ],
    [
      'a ServiceEntry',
      entry('e', {
        hosts: ['a.example.com'],
        addresses: ['1.2.3.4/32'],
        ports: [{ ...seHttp, targetPort: 8080 }],
        resolution: 'DNS',
        exportTo: ['.'],
        subjectAltNames: ['san'],
      }),
      'a.example.com',
      {
        name: 'e',
        addresses: ['1.2.3.4/32'],
        ports: [{ port: 80, name: 'http', protocol: 'HTTP', targetPort: 8080 }],
        resolution: 'dns',
        external: true,
        exportTo: ['default'],
        subjectAltNames: ['san'],
        registry: 'external',
      },
    ],
    [
      'a ServiceEntry inside the mesh',
      entry('e', { hosts: ['a.example.com'], location: 'MESH_INTERNAL' }),
      'a.example.com',
      { external: false, resolution: 'passthrough' },
    ],
    [
      'a ServiceEntry for all',
      entry('e', { hosts: ['a.example.com'], exportTo: ['*', '.'] }),
      'a.example.com',
      { exportTo: '*' },
    ],
  ])('reads %s', (_, one, host, expected) => {
    expect(meshOf([one]).mesh.services.get(host)).toMatchObject(expected);
  });

  it('makes one service of each host of a ServiceEntry, in order of hosts', () => {
    const { mesh } = meshOf([entry('e', { hosts: ['b.com', '*.a.com', 'b.com'], ports: [seHttp] }), web]);
    expect([...mesh.services.keys()]).toEqual(['*.a.com', 'b.com', webHost]);
  });

  it.each<[string, readonly ConfigObject[], string]>([
    [
      'the Kubernetes one',
      [entry('old', { hosts: [webHost] }, { creationTimestamp: '2001-01-01T00:00:00Z' }), web],
      'web',
    ],
    [
      'the older one',
      [
        entry('young', { hosts: [webHost] }, { creationTimestamp: '2022-01-01T00:00:00Z' }),
        entry('old', { hosts: [webHost] }, { creationTimestamp: '2021-01-01T00:00:00Z' }),
      ],
      'old',
    ],
    [
      'the one without a time',
      [
        entry('b', { hosts: [webHost] }),
        entry('a', { hosts: [webHost] }, { creationTimestamp: '2021-01-01T00:00:00Z' }),
      ],
      'b',
    ],
    [
      'the first by namespace and name',
      [entry('a', { hosts: [webHost] }, { namespace: 'z' }), entry('b', { hosts: [webHost] })],
      'b',
    ],
  ])('lets %s of several define a host, and says so', (_, objects, winner) => {
    const { mesh, diagnostics } = meshOf(objects);
    expect(mesh.services.get(webHost)?.origin.name).toBe(winner);
    expect(diagnostics).toMatchObject([
      { severity: 'warning', code: 'SEINE-DUPLICATE-HOST', object: { kind: 'ServiceEntry' } },
    ]);
    expect(diagnostics[0]?.message).toContain(winner);
  });
});
