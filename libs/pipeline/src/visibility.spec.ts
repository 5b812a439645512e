import { describe, expect, it } from '@jest/globals';
import { resourceToJson, TypeUrl } from '@seine/envoy';
import type { ConfigObject } from '@seine/k8s';
import { defaultMeshConfig, type MeshConfig } from '@seine/model';
import { aKubernetesService, anIstioObject, aPod } from './testing/config-objects.js';
import { MeshUnderTest } from './testing/mesh-under-test.js';

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
