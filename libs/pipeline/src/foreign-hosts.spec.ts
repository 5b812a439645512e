import { describe, expect, it } from '@jest/globals';
import { defaultMeshConfig, type MeshConfig } from '@seine/model';
import { aKubernetesService, anIstioObject, aPod } from './testing/config-objects.js';
import { compileProxy } from './compile-proxy.js';

/**
 * what objects of namespace `a` do to a host of namespace `b`. By default Istio's way, as
 * docs/features/authorization-policy.md says: whoever an object is exported to follows it.
 */

const host = 'shop.b.svc.cluster.local';
const pods = ['a', 'b'].map((namespace) =>
  aPod({ name: 'client', namespace, ip: namespace === 'a' ? '10.0.0.1' : '10.0.0.2', labels: { app: 'client' } }),
);
const world = [
  ...pods,
  aKubernetesService({ name: 'shop', namespace: 'b', clusterIP: '10.96.0.1', ports: [{ name: 'http', port: 80 }] }),
  aKubernetesService({ name: 'thief', namespace: 'a', clusterIP: '10.96.0.2', ports: [{ name: 'http', port: 80 }] }),
];
const route = anIstioObject(
  'VirtualService',
  { name: 'x', namespace: 'a' },
  {
    hosts: [host],
    http: [{ route: [{ destination: { host: 'thief.a.svc.cluster.local' } }] }],
  },
);
const rule = anIstioObject(
  'DestinationRule',
  { name: 'x', namespace: 'a' },
  {
    host,
    trafficPolicy: { tls: { mode: 'SIMPLE', sni: 'thief.example.com' } },
  },
);
const entry = anIstioObject(
  'ServiceEntry',
  { name: 'x', namespace: 'a' },
  {
    hosts: [host],
    ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    resolution: 'STATIC',
    endpoints: [{ address: '198.51.100.1' }],
  },
);

const ownNamespace = {
  defaultVirtualServiceExportTo: ['.'],
  defaultDestinationRuleExportTo: ['.'],
  defaultServiceExportTo: ['.'],
};

/** Whether what a client of a namespace gets for the host changes with the object. */
function concerns(
  object: ReturnType<typeof anIstioObject>,
  namespace: string,
  mesh: Partial<MeshConfig> = {},
): boolean {
  const config = Object.freeze({ ...defaultMeshConfig, ...mesh });
  const [without, with_] = [world, [...world, object]].map((objects) => {
    const { resources } = compileProxy({ objects, workload: `client.${namespace}`, config });
    const named = (text: string) => text.includes(host);
    return JSON.stringify([
      resources?.clusters.filter((item) => named(JSON.stringify(item))),
      resources?.routes.map((item) =>
        (item as unknown as { readonly virtual_hosts: readonly object[] }).virtual_hosts.filter((one) =>
          named(JSON.stringify(one)),
        ),
      ),
      resources?.endpoints.filter((item) => named(JSON.stringify(item))),
    ]);
  });
  return without !== with_;
}

describe.each([
  ['VirtualService', route],
  ['DestinationRule', rule],
])('A-28: a %s for a host of another namespace', (_kind, object) => {
  it('concerns the clients it is exported to', () => {
    expect(concerns(object, 'a')).toBe(true);
  });

  it('concerns clients of its own namespace only where the mesh says so', () => {
    expect(concerns(object, 'b', ownNamespace)).toBe(false);
  });
});

it('A-28: a DestinationRule of a third namespace does not come before that of the host’s own', () => {
  const own = anIstioObject(
    'DestinationRule',
    { name: 'own', namespace: 'b' },
    { host, trafficPolicy: { tls: { mode: 'DISABLE' } } },
  );
  const config = Object.freeze(defaultMeshConfig);
  const clusters = (objects: readonly object[]) =>
    compileProxy({ objects: objects as typeof world, workload: 'client.b', config }).resources?.clusters;
  expect(clusters([...world, own, rule])).toEqual(clusters([...world, own]));
});

it('A-28: a ServiceEntry does not take over the host of a Service, nor add endpoints to it', () => {
  expect(['a', 'b'].map((namespace) => concerns(entry, namespace))).toEqual([false, false]);
});
