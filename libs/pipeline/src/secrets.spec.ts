import { describe, expect, it } from '@jest/globals';
import { TypeUrl } from '@seine/envoy';
import type { ConfigObject } from '@seine/k8s';
import { memoRuns } from '@seine/memo';
import { aProxy, caCertificate, shopCertificate, shopKey } from '@seine/testing';
import { viewsToJson } from './compile-proxy.js';
import { aKubernetesService, anIstioObject } from './testing/config-objects.js';
import { MeshUnderTest } from './testing/mesh-under-test.js';

function aSecret(name: string, stringData: object, namespace = 'istio-system', type = 'Opaque'): ConfigObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type, stringData };
}

const pair = { 'tls.crt': shopCertificate, 'tls.key': shopKey };
const withCa = { ...pair, 'ca.crt': caCertificate };
const labels = { istio: 'ingressgateway' };
const gateway = (tls: object, namespace = 'istio-system', selector: object = labels) =>
  anIstioObject(
    'Gateway',
    { name: 'gw', namespace },
    { selector, servers: [{ port: { number: 443, name: 'https', protocol: 'HTTPS' }, hosts: ['*'], tls }] },
  );
const router = Object.freeze(aProxy({ type: 'router', namespace: 'istio-system', labels }));
const sidecar = Object.freeze(aProxy({ namespace: 'default', labels: { app: 'client' } }));
const simple = { mode: 'SIMPLE', credentialName: 'shop' };

function secretsOf(objects: readonly ConfigObject[], proxy = router): readonly string[] {
  const { secrets } = viewsToJson(new MeshUnderTest(objects).views(proxy));
  return secrets.map((secret) => (secret as { name: string }).name);
}

describe('a gateway gets the secrets that its Gateways name', () => {
  it.each<[string, ConfigObject[], string[]]>([
    ['one', [aSecret('shop', pair), gateway(simple)], ['kubernetes://shop']],
    [
      'with the CA beside the certificate',
      [aSecret('shop', withCa), gateway({ ...simple, mode: 'MUTUAL' })],
      ['kubernetes://shop', 'kubernetes://shop-cacert'],
    ],
    [
      'with the CA in a Secret of its own',
      [
        aSecret('shop', pair),
        aSecret('shop-cacert', { cacert: caCertificate }),
        gateway({ ...simple, mode: 'MUTUAL' }),
      ],
      ['kubernetes://shop', 'kubernetes://shop-cacert'],
    ],
    [
      'named from another namespace, but its own',
      [aSecret('shop', pair), gateway(simple, 'team')],
      ['kubernetes://shop'],
    ],
    [
      'files of its disk, by their names',
      [gateway({ mode: 'MUTUAL', serverCertificate: '/c.pem', privateKey: '/k.pem', caCertificates: '/ca.pem' })],
      ['file-cert:/c.pem~/k.pem', 'file-root:/ca.pem'],
    ],
    ['none that is not there', [aSecret('other', pair), gateway(simple)], []],
    ['none of another namespace', [aSecret('shop', pair, 'team'), gateway(simple, 'team')], []],
    [
      'none that is named with another namespace',
      [aSecret('shop', pair, 'team'), gateway({ ...simple, credentialName: 'kubernetes://team/shop' }, 'team')],
      [],
    ],
    [
      'its own, named with its namespace by a Gateway there',
      [aSecret('shop', pair), gateway({ ...simple, credentialName: 'kubernetes-gateway://istio-system/shop' })],
      ['kubernetes-gateway://istio-system/shop'],
    ],
    [
      'none that a Gateway of another namespace names with a namespace',
      [aSecret('shop', pair), gateway({ ...simple, credentialName: 'kubernetes-gateway://istio-system/shop' }, 'team')],
      [],
    ],
    ['none for Gateways of others', [aSecret('shop', pair), gateway(simple, 'istio-system', { istio: 'other' })], []],
    ['none without a key', [aSecret('shop', { 'tls.crt': shopCertificate }), gateway(simple)], []],
    ["none of Helm's", [aSecret('shop', pair, 'istio-system', 'helm.sh/release.v1'), gateway(simple)], []],
  ])('%s', (_what, objects, expected) => {
    expect(secretsOf(objects)).toEqual(expected);
  });
});

describe('a gateway gets the certificates of Gateways of the Gateway API that it serves', () => {
  const shop = (namespace: string, certificate: object): ConfigObject => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'shop', namespace },
    spec: {
      gatewayClassName: 'istio',
      listeners: [
        {
          name: 'https',
          port: 443,
          protocol: 'HTTPS',
          hostname: 'shop.example',
          tls: { certificateRefs: [certificate] },
        },
      ],
    },
  });
  const grant = (from: string): ConfigObject => ({
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { name: 'certificates', namespace: 'vault' },
    spec: {
      from: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: from }],
      to: [{ group: '', kind: 'Secret' }],
    },
  });
  const inVault = { name: 'shop', namespace: 'vault' };
  const secret = aSecret('shop', pair, 'vault');

  it.each<[string, ConfigObject[], string[]]>([
    [
      "from the Gateway's namespace",
      [aSecret('shop', pair, 'team'), shop('team', { name: 'shop' })],
      ['kubernetes-gateway://team/shop'],
    ],
    [
      'from a namespace that grants it',
      [secret, shop('team', inVault), grant('team')],
      ['kubernetes-gateway://vault/shop'],
    ],
    ['from no other namespace', [secret, shop('team', inVault)], []],
    ['from none that grants it to others', [secret, shop('team', inVault), grant('other')], []],
    [
      'and what is granted to them is not to a Gateway of Istio beside them',
      [
        secret,
        grant('team'),
        shop('other', inVault),
        gateway({ ...simple, credentialName: 'kubernetes-gateway://vault/shop' }, 'other'),
      ],
      [],
    ],
  ])('%s', (_what, objects, expected) => {
    expect(secretsOf(objects)).toEqual(expected);
  });
});

describe('a client gets the secrets that DestinationRules name', () => {
  const rule = (more: object = {}, namespace = 'default') =>
    anIstioObject(
      'DestinationRule',
      { name: 'db', namespace },
      {
        host: 'db.default.svc.cluster.local',
        trafficPolicy: { tls: { mode: 'MUTUAL', credentialName: 'client' } },
        ...more,
      },
    );
  const service = aKubernetesService({ name: 'db' });
  const both = ['kubernetes://client', 'kubernetes://client-cacert'];

  it.each<[string, ConfigObject[], typeof router, string[]]>([
    ['a gateway', [service, rule(), aSecret('client', withCa)], router, both],
    ['no sidecar', [service, rule(), aSecret('client', withCa, 'default')], sidecar, []],
    [
      'a sidecar that the rule selects',
      [service, rule({ workloadSelector: { matchLabels: { app: 'client' } } }), aSecret('client', withCa, 'default')],
      sidecar,
      both,
    ],
    [
      'no sidecar that it does not select',
      [service, rule({ workloadSelector: { matchLabels: { app: 'other' } } }), aSecret('client', withCa, 'default')],
      sidecar,
      [],
    ],
  ])('%s', (_what, objects, proxy, expected) => {
    expect(secretsOf(objects, proxy)).toEqual(expected);
  });
});

describe('secrets', () => {
  it('are shown without their private keys', () => {
    const compiled = viewsToJson(new MeshUnderTest([aSecret('shop', pair), gateway(simple)]).views(router));
    expect(compiled.secrets).toMatchObject([{ tls_certificate: { private_key: { inline_string: '[redacted]' } } }]);
    expect(JSON.stringify(compiled)).not.toContain(Buffer.from(shopKey).toString('base64').slice(40, 80));
  });

  it('that change leave everything else, and other secrets, as they are', () => {
    const world = new MeshUnderTest([
      aSecret('shop', pair),
      aSecret('bank', pair),
      gateway({ mode: 'SIMPLE', credentialNames: ['shop', 'bank'] }),
    ]);
    const before = world.views(router);
    const after = world.put(aSecret('shop', withCa), aSecret('shop', { ...pair, 'ca.crt': 'x' })).views(router);
    for (const type of [TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.listener, TypeUrl.route])
      expect(after.get(type)).toBe(before.get(type));
    expect(after.get(TypeUrl.secret)?.[0]?.get('kubernetes://bank')).toBe(
      before.get(TypeUrl.secret)?.[0]?.get('kubernetes://bank'),
    );
  });

  it('cost nothing where nobody names any', () => {
    const world = new MeshUnderTest([aKubernetesService({ name: 'a' }), gateway({ mode: 'PASSTHROUGH' })]);
    const views = world.views(router);
    const runs = memoRuns('secretSet') + memoRuns('secret');
    expect(world.put(aSecret('any', pair)).views(router)).toBe(views);
    expect(memoRuns('secretSet') + memoRuns('secret')).toBe(runs);
  });
});

describe('AUTO_PASSTHROUGH', () => {
  const external = anIstioObject(
    'ServiceEntry',
    { name: 'out' },
    {
      hosts: ['out.example.com'],
      location: 'MESH_EXTERNAL',
      resolution: 'STATIC',
      ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
      endpoints: [{ address: '192.0.2.1' }],
    },
  );
  const clustersOf = (mode: string) => {
    const objects = [aKubernetesService({ name: 'a' }), external, gateway({ mode })];
    const { clusters, endpoints } = viewsToJson(new MeshUnderTest(objects).views(router));
    const names = [...clusters, ...endpoints].map((item) => {
      const { name, cluster_name: clusterName } = item as { name?: string; cluster_name?: string };
      return name ?? clusterName ?? '';
    });
    return names.filter((name) => name.startsWith('outbound_'));
  };

  it('has a cluster by SNI for each service of the mesh, and its endpoints', () => {
    const name = 'outbound_.9080_._.a.default.svc.cluster.local';
    expect(clustersOf('AUTO_PASSTHROUGH')).toEqual([name, name]);
  });

  it('no other mode has any', () => {
    expect(clustersOf('PASSTHROUGH')).toEqual([]);
  });
});
