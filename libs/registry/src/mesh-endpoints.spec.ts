import { describe, expect, it } from '@jest/globals';
import { type ConfigObject, objectKey } from '@seine/k8s';
import { defaultMeshConfig, type Endpoint } from '@seine/model';
import { buildMesh } from './build-mesh.js';
import {
  service,
  entry,
  workloadEntry,
  pod,
  endpoints,
  slice,
  http,
  seHttp,
  web,
  webHost,
  meshOf,
  addresses,
} from './testing/mesh-objects.js';

describe('endpoints of the mesh', () => {
  const ready = (ip: string, more: object = {}) => ({ podIP: ip, phase: 'Running', ...more });
  const containers = [{ ports: [{ name: 'web', containerPort: 9090 }] }];
  const named = service('web', { selector: { app: 'web' }, ports: [{ ...http, targetPort: 'web' }] });
  const labels = { app: 'web', version: 'v1' };

  it.each<[string, readonly ConfigObject[], readonly string[]]>([
    [
      'pods that the selector picks',
      [
        web,
        pod('b', labels, ready('10.0.0.2')),
        pod('a', labels, ready('10.0.0.1')),
        pod('c', { app: 'no' }, ready('10.0.0.3')),
      ],
      ['10.0.0.1:8080', '10.0.0.2:8080'],
    ],
    ['no pod of another namespace', [web, pod('a', labels, ready('10.0.0.1'), {}, { namespace: 'x' })], []],
    ['no pod without an address', [web, pod('a', labels, { phase: 'Pending' })], []],
    ['a named target port', [named, pod('a', labels, ready('10.0.0.1'), { containers })], ['10.0.0.1:9090']],
    ['no pod without the named port', [named, pod('a', labels, ready('10.0.0.1'))], []],
    [
      'the service port without a target port',
      [service('web', { selector: { app: 'web' }, ports: [{ port: 80 }] }), pod('a', labels, ready('10.0.0.1'))],
      ['10.0.0.1:80'],
    ],
    [
      'pods that are not ready',
      [
        web,
        pod('a', labels, ready('10.0.0.1', { conditions: [{ type: 'Ready', status: 'False' }] })),
        pod('b', labels, ready('10.0.0.2', { phase: 'Failed' })),
        pod('c', labels, ready('10.0.0.3'), {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      ],
      ['10.0.0.1:8080 unhealthy', '10.0.0.2:8080 unhealthy', '10.0.0.3:8080 draining'],
    ],
    [
      'pods that are not ready, of a Service that publishes them, and one that drains',
      [
        service('web', { selector: labels, ports: [http], publishNotReadyAddresses: true }),
        pod('a', labels, ready('10.0.0.1', { conditions: [{ type: 'Ready', status: 'False' }] })),
        pod('b', { ...labels, 'istio.io/draining': 'true' }, ready('10.0.0.2')),
      ],
      ['10.0.0.1:8080', '10.0.0.2:8080 draining'],
    ],
    [
      'a WorkloadEntry that drains',
      [
        web,
        workloadEntry('a', {
          address: '10.0.0.9',
          ports: { http: 8080 },
          labels: { ...labels, 'istio.io/draining': '1' },
        }),
      ],
      ['10.0.0.9:8080 draining'],
    ],
    [
      'a pod whose status says nothing of its phase',
      [web, pod('a', labels, { podIPs: [{ ip: '10.0.0.1' }] })],
      ['10.0.0.1:8080'],
    ],
    [
      'nothing for an empty selector',
      [service('web', { selector: {}, ports: [http] }), pod('a', labels, ready('10.0.0.1'))],
      [],
    ],
    [
      'Endpoints in place of pods',
      [
        web,
        pod('a', labels, ready('10.0.0.1')),
        endpoints('web', [
          {
            addresses: [{ ip: '10.9.0.1' }],
            notReadyAddresses: [{ ip: '10.9.0.2' }],
            ports: [{ name: 'http', port: 7 }],
          },
        ]),
      ],
      ['10.9.0.1:7', '10.9.0.2:7 unhealthy'],
    ],
    [
      'manual Endpoints of a Service without selector',
      [
        service('web', { ports: [{ port: 80 }] }),
        endpoints('web', [{ addresses: [{ ip: '10.9.0.1' }], ports: [{ port: 7 }] }]),
      ],
      ['10.9.0.1:7'],
    ],
    [
      'EndpointSlices before Endpoints',
      [
        web,
        endpoints('web', [{ addresses: [{ ip: '10.9.0.1' }], ports: [{ name: 'http', port: 7 }] }]),
        slice('s1', 'web', [
          { addresses: ['10.8.0.1'] },
          { addresses: ['10.8.0.2'], conditions: { ready: false } },
          { addresses: ['10.8.0.3'], conditions: { ready: false, serving: true, terminating: true } },
        ]),
        slice('s2', 'web', [{ addresses: ['10.8.0.1', '10.8.0.4'] }]),
      ],
      ['10.8.0.1:8080', '10.8.0.2:8080 unhealthy', '10.8.0.3:8080 draining', '10.8.0.4:8080'],
    ],
    [
      'WorkloadEntries that the Service selects',
      [
        web,
        workloadEntry('vm', { address: '10.7.0.1', labels: { app: 'web' } }),
        workloadEntry('vm2', { address: '10.7.0.2', labels: { app: 'web' }, ports: { http: 99 } }),
      ],
      ['10.7.0.1:8080', '10.7.0.2:99'],
    ],
    [
      'an ExternalName',
      [service('web', { type: 'ExternalName', externalName: 'example.com', selector: { app: 'web' }, ports: [http] })],
      ['example.com:8080'],
    ],
  ])('are %s', (_, objects, expected) => {
    expect(addresses(objects)).toEqual(expected);
  });

  it.each<[string, object, readonly ConfigObject[], readonly string[]]>([
    [
      'written in it',
      {
        resolution: 'STATIC',
        endpoints: [
          { address: '2.2.2.2' },
          { address: '1.1.1.1', ports: { http: 8080 } },
          { address: 'unix:///var/x.sock' },
        ],
      },
      [],
      ['1.1.1.1:8080', '2.2.2.2:80', 'unix:///var/x.sock:0'],
    ],
    ['its host when it is looked up', { resolution: 'DNS' }, [], ['a.com:80']],
    [
      'its host with the target port',
      { resolution: 'DNS_ROUND_ROBIN', ports: [{ ...seHttp, targetPort: 8443 }] },
      [],
      ['a.com:8443'],
    ],
    ['none where traffic passes through', { resolution: 'NONE' }, [], []],
    [
      'WorkloadEntries and pods',
      { resolution: 'STATIC', workloadSelector: { labels: { app: 'web' } } },
      [
        workloadEntry('vm', { address: '10.7.0.1', labels: { app: 'web' } }),
        pod('a', labels, ready('10.0.0.1')),
        pod('b', { app: 'x' }, ready('10.0.0.2')),
      ],
      ['10.0.0.1:80', '10.7.0.1:80'],
    ],
    [
      'none while the selector picks nothing',
      { resolution: 'DNS', workloadSelector: { labels: { app: 'web' } } },
      [],
      [],
    ],
  ])('of a ServiceEntry are %s', (_, spec, others, expected) => {
    expect(addresses([entry('e', { hosts: ['a.com'], ports: [seHttp], ...spec }), ...others], 'a.com')).toEqual(
      expected,
    );
  });

  it.each<[string, readonly ConfigObject[], Partial<Endpoint>]>([
    [
      'a pod',
      [
        web,
        pod(
          'a',
          {
            ...labels,
            'security.istio.io/tlsMode': 'istio',
            'topology.istio.io/network': 'n1',
            'istio-locality': 'r.z.s',
          },
          ready('10.0.0.1'),
          { serviceAccountName: 'sa' },
        ),
      ],
      {
        serviceAccount: 'sa',
        tlsMode: 'istio',
        network: 'n1',
        locality: { region: 'r', zone: 'z', subzone: 's' },
        workload: { name: 'a', namespace: 'default' },
        weight: 1,
      },
    ],
    [
      'the pod behind an address of a slice',
      [
        web,
        pod('a', labels, ready('10.0.0.1'), { serviceAccountName: 'sa' }),
        slice('s', 'web', [{ addresses: ['10.0.0.1'], zone: 'z1', targetRef: { kind: 'Pod', name: 'a' } }]),
      ],
      { serviceAccount: 'sa', labels, locality: { region: '', zone: 'z1', subzone: '' } },
    ],
    [
      'a WorkloadEntry',
      [
        web,
        workloadEntry(
          'vm',
          {
            address: '10.7.0.1',
            labels: { app: 'web' },
            serviceAccount: 'sa',
            weight: 5,
            network: 'n2',
            locality: 'r/z',
          },
          { labels: { team: 'x' } },
        ),
      ],
      {
        serviceAccount: 'sa',
        tlsMode: 'istio',
        weight: 5,
        network: 'n2',
        labels: { app: 'web', team: 'x' },
        locality: { region: 'r', zone: 'z', subzone: '' },
        workload: { name: 'vm', namespace: 'default' },
      },
    ],
  ])('carry what is known of %s', (_, objects, expected) => {
    const [endpoint] = meshOf(objects).mesh.endpoints.get(webHost)?.byPort.get(80) ?? [];
    expect(endpoint).toMatchObject(expected);
  });

  it('give the service its accounts, which stay the same object while only addresses change', () => {
    const at = (ip: string) => [
      web,
      pod('a', labels, ready(ip), { serviceAccountName: 'sa' }),
      pod('b', labels, ready('10.0.0.9')),
    ];
    const first = meshOf(at('10.0.0.1')).mesh;
    expect(first.services.get(webHost)?.serviceAccounts).toEqual([
      'spiffe://cluster.local/ns/default/sa/default',
      'spiffe://cluster.local/ns/default/sa/sa',
    ]);
    const objects = new Map(at('10.0.0.2').map((one) => [objectKey(one), one]));
    const second = buildMesh(first, objects, defaultMeshConfig).mesh;
    expect(second.services).toBe(first.services);
    expect(second.endpoints).not.toBe(first.endpoints);
  });
});
