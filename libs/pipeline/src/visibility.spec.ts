import { describe, expect, it } from '@jest/globals';
import { resourceToJson, TypeUrl } from '@seine/envoy';
import type { ConfigObject } from '@seine/k8s';
import { defaultMeshConfig, type MeshConfig } from '@seine/model';
import { aKubernetesService, anIstioObject, aPod } from './testing/config-objects.js';
import { MeshUnderTest, resourcesIn } from './testing/mesh-under-test.js';

const host = 'app.owner.svc.cluster.local';

/** Who of `owner`, `friend` and `stranger` compiles to something that holds the text. */
function seenBy(text: string, objects: readonly ConfigObject[], config: Partial<MeshConfig> = {}): readonly string[] {
  const namespaces = ['friend', 'owner', 'stranger'];
  const pods = namespaces.map((namespace, i) => aPod({ name: 'client', namespace, ip: `10.1.${i}.1` }));
  const mesh = new MeshUnderTest([...pods, ...objects], { ...defaultMeshConfig, ...config });
  return mesh
    .proxies()
    .filter((proxy) =>
      [TypeUrl.cluster, TypeUrl.route].some((typeUrl) =>
        (mesh.views(proxy).get(typeUrl) ?? []).some((set) =>
          [...set].some((item) => JSON.stringify(resourceToJson(typeUrl, item.bytes)).includes(text)),
        ),
      ),
    )
    .map(({ namespace }) => namespace)
    .sort();
}

const named = { name: 'app', namespace: 'owner' };
const http = [{ name: 'http', port: 80 }];
const service = (exportTo?: readonly string[]): ConfigObject =>
  aKubernetesService({
    ...named,
    ports: http,
    ...(exportTo && { annotations: { 'networking.istio.io/exportTo': exportTo.join(', ') } }),
  });
const entry = (exportTo?: readonly string[]): ConfigObject =>
  anIstioObject('ServiceEntry', named, {
    hosts: ['outside.example.com'],
    ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    resolution: 'DNS',
    exportTo,
  });
const virtualService = (exportTo?: readonly string[]): ConfigObject =>
  anIstioObject('VirtualService', named, {
    hosts: ['app'],
    http: [{ route: [{ destination: { host: 'app' } }], timeout: '7s' }],
    exportTo,
  });
const rule = (exportTo?: readonly string[]): ConfigObject =>
  anIstioObject('DestinationRule', named, {
    host: 'app',
    trafficPolicy: { connectionPool: { tcp: { maxConnections: 4711 } } },
    exportTo,
  });

const all = ['friend', 'owner', 'stranger'];
const kinds = [
  {
    kind: 'Service (annotation)',
    make: service,
    text: `outbound|80||${host}`,
    with: [],
    byDefault: 'defaultServiceExportTo',
  },
  {
    kind: 'ServiceEntry',
    make: entry,
    text: 'outbound|80||outside.example.com',
    with: [],
    byDefault: 'defaultServiceExportTo',
  },
  {
    kind: 'VirtualService',
    make: virtualService,
    text: '"timeout":"7s"',
    with: [service()],
    byDefault: 'defaultVirtualServiceExportTo',
  },
  {
    kind: 'DestinationRule',
    make: rule,
    text: '4711',
    with: [service()],
    byDefault: 'defaultDestinationRuleExportTo',
  },
] as const;

describe.each(kinds)('exportTo of a $kind', ({ make, text, with: others, byDefault }) => {
  it.each<[readonly string[] | undefined, readonly string[]]>([
    [undefined, all],
    [['*'], all],
    [['.'], ['owner']],
    [['friend'], ['friend']],
    [
      ['.', 'friend'],
      ['friend', 'owner'],
    ],
    [['~'], []],
  ])('%j', (exportTo, expected) => {
    expect(seenBy(text, [...others, make(exportTo)])).toEqual(expected);
  });

  it(`is meshConfig’s ${byDefault} where it is not stated`, () => {
    expect(seenBy(text, [...others, make()], { [byDefault]: ['.'] })).toEqual(['owner']);
    expect(seenBy(text, [...others, make()], { [byDefault]: ['friend'] })).toEqual(['friend']);
    expect(seenBy(text, [...others, make(['*'])], { [byDefault]: ['.'] })).toEqual(all);
  });
});

describe('one host that several namespaces define', () => {
  const entryOf = (namespace: string, address: string, exportTo: readonly string[], creationTimestamp: string) =>
    anIstioObject(
      'ServiceEntry',
      { name: 'shared', namespace, creationTimestamp },
      {
        hosts: ['shared.example.com'],
        ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
        resolution: 'STATIC',
        endpoints: [{ address }],
        exportTo,
      },
    );
  const forAll = entryOf('owner', '9.9.9.1', ['*'], '2020-01-01T00:00:00Z');
  const own = entryOf('stranger', '9.9.9.2', ['.'], '2021-01-01T00:00:00Z');
  const forFriend = entryOf('owner2', '9.9.9.3', ['friend', 'stranger'], '2022-01-01T00:00:00Z');

  /** The endpoint of the host that each namespace's client is given. */
  function endpointsBy(mesh: MeshUnderTest): Readonly<Record<string, string>> {
    return Object.fromEntries(
      mesh.proxies().map((proxy) => {
        const [set] = mesh.views(proxy).get(TypeUrl.endpoint) ?? [];
        const found = set?.get('outbound|80||shared.example.com');
        const json = found ? JSON.stringify(resourceToJson(TypeUrl.endpoint, found.bytes)) : '';
        return [proxy.namespace, /"address":"([\d.]+)"/.exec(json)?.[1] ?? 'none'];
      }),
    );
  }

  const clients = ['friend', 'owner', 'stranger', 'another'].map((namespace, i) =>
    aPod({ name: 'client', namespace, ip: `10.1.${i}.1` }),
  );

  it.each([
    ['the namespace’s own before that for all', [forAll, own], ['9.9.9.1', '9.9.9.1', '9.9.9.2', '9.9.9.1']],
    ['that for a few before that for all', [forAll, forFriend], ['9.9.9.3', '9.9.9.1', '9.9.9.3', '9.9.9.1']],
    ['its own before that for a few', [forAll, own, forFriend], ['9.9.9.3', '9.9.9.1', '9.9.9.2', '9.9.9.1']],
    ['none of those for others', [own, forFriend], ['9.9.9.3', 'none', '9.9.9.2', 'none']],
  ])('gives %s', (_what, entries, [friend, owner, stranger, another]) => {
    const mesh = new MeshUnderTest([...clients, ...entries]);
    expect(endpointsBy(mesh)).toEqual({ friend, owner, stranger, another });
    for (const entry of entries) mesh.remove(`networking.istio.io/ServiceEntry/${entry.metadata.namespace}/shared`);
    expect(mesh.mesh.privateServices.size).toBe(0);
    mesh.put(...[...entries].reverse());
    expect(endpointsBy(mesh)).toEqual({ friend, owner, stranger, another });
  });

  it('leaves the others alone when one changes', () => {
    const mesh = new MeshUnderTest([...clients, forAll, own]);
    const friend = mesh.proxies().find(({ namespace }) => namespace === 'friend')!;
    const before = resourcesIn(mesh.views(friend));
    mesh.put(entryOf('stranger', '9.9.9.4', ['.'], '2021-01-01T00:00:00Z'));
    expect(endpointsBy(mesh)['stranger']).toBe('9.9.9.4');
    const after = resourcesIn(mesh.views(friend));
    expect([...after].filter(([key, item]) => before.get(key) !== item)).toEqual([]);
  });
});
