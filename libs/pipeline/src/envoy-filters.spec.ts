import { beforeEach, describe, expect, it } from '@jest/globals';
import { resourceToJson, TypeUrl } from '@seine/envoy';
import type { ConfigObject } from '@seine/k8s';
import { memoRuns } from '@seine/memo';
import type { Proxy } from '@seine/model';
import { seededRandom } from '@seine/testing';
import { viewsToJson } from './compile-proxy.js';
import { diagnosticsOfProxies, proxyDiagnostics } from './compiler.js';
import { aKubernetesService, aPod } from './testing/config-objects.js';
import { violationsOf } from './testing/golden-case.js';
import { MeshUnderTest, resourcesIn, versionsIn } from './testing/mesh-under-test.js';
import { nackCauses } from './testing/nack-causes.js';
import { RandomConfig } from './testing/random-config.js';

type Fields = Readonly<Record<string, unknown>>;

interface FilterFields {
  readonly name?: string;
  readonly namespace?: string;
  readonly created?: string;
  readonly spec: Fields;
}

function envoyFilter({ name = 'f', namespace = 'default', created, spec }: FilterFields): ConfigObject {
  const metadata = { name, namespace, ...(created && { creationTimestamp: created }) };
  return { apiVersion: 'networking.istio.io/v1alpha3', kind: 'EnvoyFilter', metadata, spec };
}

/** Writes a mark behind those that are there already. */
const mark = (text: string, match: Fields = {}): Fields => ({
  applyTo: 'ROUTE_CONFIGURATION',
  match,
  patch: { operation: 'MERGE', value: { response_headers_to_remove: [text] } },
});
const marking = (text: string, more: Fields = {}, match?: Fields): Fields => ({
  ...more,
  configPatches: [mark(text, match)],
});
const app = (name: string) => ({ workloadSelector: { labels: { app: name } } });

const services = ['a', 'b', 'c'];
const objects = services.flatMap((name, i) => [
  aKubernetesService({ name, clusterIP: `10.96.0.${i + 1}` }),
  aPod({ name, ip: `10.1.0.${i + 1}`, labels: { app: name } }),
]);

let world: MeshUnderTest;
let proxies: readonly Proxy[];
beforeEach(() => {
  world = new MeshUnderTest(objects);
  proxies = world.proxies();
});
const proxy = (name: string): Proxy => proxies.find((candidate) => candidate.name === name)!;

function marks(of: Proxy): readonly string[] {
  const routes = world.views(of).get(TypeUrl.route)?.[0]?.get('9080');
  const json = routes && (resourceToJson(TypeUrl.route, routes.bytes) as { response_headers_to_remove?: string[] });
  return json?.response_headers_to_remove ?? [];
}

describe('selection', () => {
  it.each<[string, FilterFields, readonly string[]]>([
    ['all of its namespace', { spec: marking('x') }, ['a', 'b', 'c']],
    ['all of the mesh, in the root namespace', { namespace: 'istio-system', spec: marking('x') }, ['a', 'b', 'c']],
    ['none of another namespace', { namespace: 'other', spec: marking('x') }, []],
    ['by labels', { spec: marking('x', app('b')) }, ['b']],
    ['by labels, in the root namespace', { namespace: 'istio-system', spec: marking('x', app('c')) }, ['c']],
    ['by version', { spec: marking('x', {}, { proxy: { proxyVersion: '^1\\.3\\d' } }) }, ['a', 'b', 'c']],
    ['by another version', { spec: marking('x', {}, { proxy: { proxyVersion: '^1\\.4' } }) }, []],
    ['by metadata', { spec: marking('x', {}, { proxy: { metadata: { ISTIO_VERSION: '1.31.0' } } }) }, ['a', 'b', 'c']],
    ['by other metadata', { spec: marking('x', {}, { proxy: { metadata: { MESH_ID: 'x' } } }) }, []],
    ['by context', { spec: marking('x', {}, { context: 'GATEWAY' }) }, []],
    [
      'by a target that is no gateway of it',
      { spec: marking('x', { targetRefs: [{ kind: 'Gateway', name: 'g' }] }) },
      [],
    ],
  ])('takes %s', (_what, fields, names) => {
    world.put(envoyFilter(fields));
    expect(services.filter((name) => marks(proxy(name)).length > 0)).toEqual(names);
  });

  it('by the Gateway that a proxy is of, in its namespace', () => {
    const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'g' }];
    world.put(envoyFilter({ spec: marking('x', { targetRefs }) }));
    const labels = { 'gateway.networking.k8s.io/gateway-name': 'g' };
    expect(marks(Object.freeze({ ...proxy('a'), labels }))).toEqual(['x']);
    world.put(envoyFilter({ namespace: 'istio-system', spec: marking('y', { targetRefs }) }));
    expect(marks(Object.freeze({ ...proxy('a'), labels }))).toEqual(['x']);
  });

  it('applies by priority, the root namespace first, then age, then name', () => {
    const filters: readonly FilterFields[] = [
      { name: 'z', spec: marking('late', { priority: 10 }) },
      { name: 'b', spec: marking('b') },
      { name: 'a', spec: marking('a') },
      { name: 'c', created: '2026-01-02T00:00:00Z', spec: marking('newer') },
      { name: 'd', created: '2026-01-01T00:00:00Z', spec: marking('older') },
      { name: 'r', namespace: 'istio-system', created: '2026-06-01T00:00:00Z', spec: marking('root') },
      { name: 'first', spec: marking('first', { priority: -5 }) },
    ];
    world.put(...filters.map(envoyFilter));
    expect(marks(proxy('a'))).toEqual(['first', 'root', 'a', 'b', 'older', 'newer', 'late']);
  });
});

const patchWork = ['patchedListener', 'patchedRoutes', 'patchedCluster', 'selectPatches'];
const compileWork = ['routeConfiguration', 'virtualHost', 'outboundListener', 'inbound', 'outboundClusters'];

function runsDuring(labels: readonly string[], act: () => void): Readonly<Record<string, number>> {
  const before = labels.map(memoRuns);
  act();
  const ran = labels.map((label, i) => [label, memoRuns(label) - (before[i] ?? 0)] as const);
  return Object.fromEntries(ran.filter(([, runs]) => runs > 0));
}

describe('speed rules', () => {
  const compileAll = (): void => proxies.forEach((each) => world.views(each));

  it('costs nothing where there is no EnvoyFilter', () => {
    expect(runsDuring(patchWork, compileAll)).toEqual({});
  });

  it('leaves proxies that none selects the very views they had', () => {
    const before = proxies.map((each) => world.views(each));
    world.put(envoyFilter({ spec: marking('x', app('b')) }));
    const after = proxies.map((each) => world.views(each));
    expect(after.map((views, i) => views === before[i])).toEqual(proxies.map(({ name }) => name !== 'b'));
  });

  it('compiles nothing anew for an edit, and patches anew only for the proxies that it selects', () => {
    world.put(
      envoyFilter({ name: 'f', spec: marking('x', app('b')) }),
      envoyFilter({ name: 'g', spec: marking('y', app('c')) }),
    );
    compileAll();
    const before = proxies.map((each) => world.views(each));
    const runs = runsDuring([...patchWork, ...compileWork], () => {
      world.put(envoyFilter({ name: 'f', spec: marking('z', app('b')) }));
      compileAll();
    });
    const { selectPatches, ...patched } = runs;
    expect(selectPatches).toBe(proxies.length);
    const items = [...resourcesIn(world.views(proxy('b')))].filter(([key]) => !key.startsWith(TypeUrl.endpoint));
    expect(Object.values(patched).reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(items.length);
    expect(Object.keys(patched).filter((label) => compileWork.includes(label))).toEqual([]);
    expect(marks(proxy('b'))).toEqual(['z']);
    expect(world.views(proxy('c'))).toBe(before[proxies.indexOf(proxy('c'))]);
  });

  it('patches once for all proxies of a class that the same patches select', () => {
    world.put(envoyFilter({ spec: marking('x') }));
    const [a, b] = ['a', 'b'].map((name) => world.views(proxy(name)));
    expect(a?.get(TypeUrl.route)).toBe(b?.get(TypeUrl.route));
    expect(a?.get(TypeUrl.endpoint)).toBe(b?.get(TypeUrl.endpoint));
  });

  it('keeps the set of a type that no patch touches', () => {
    const before = world.views(proxy('a'));
    world.put(envoyFilter({ spec: marking('x', {}, { context: 'SIDECAR_OUTBOUND' }) }));
    const after = world.views(proxy('a'));
    for (const typeUrl of [TypeUrl.cluster, TypeUrl.listener]) expect(after.get(typeUrl)).toBe(before.get(typeUrl));
    expect(after.get(TypeUrl.route)).not.toBe(before.get(TypeUrl.route));
  });

  it('gives the bytes back when the filter goes', () => {
    const before = versionsIn(world.views(proxy('a')));
    const filter = envoyFilter({ spec: marking('x') });
    expect(versionsIn(world.put(filter).views(proxy('a')))).not.toEqual(before);
    expect(versionsIn(world.remove('networking.istio.io/EnvoyFilter/default/f').views(proxy('a')))).toEqual(before);
  });
});

it('takes the inbound listeners of explicit mode for what virtualInbound is', () => {
  const match = { context: 'SIDECAR_INBOUND', listener: { name: 'virtualInbound' } };
  const patch = { applyTo: 'LISTENER', match, patch: { operation: 'MERGE', value: { stat_prefix: 'mine' } } };
  world.put(envoyFilter({ spec: { configPatches: [patch] } }));
  const explicit: Proxy = Object.freeze({ ...proxy('a'), interceptionMode: 'NONE', httpProxyPort: 15_007 });
  const listeners = [...(world.views(explicit).get(TypeUrl.listener) ?? [])].flatMap((set) => [...set]);
  const marked = listeners.filter(({ bytes }) =>
    JSON.stringify(resourceToJson(TypeUrl.listener, bytes)).includes('"mine"'),
  );
  expect(marked.map(({ name }) => name)).toEqual(['10.1.0.1_9080']);
  expect(listeners.length).toBeGreaterThan(1);
});

it.each([1, 2, 3])('gives after any edits what it gives at once (seed %i)', (seed) => {
  const random = seededRandom(seed);
  const config = new RandomConfig(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const randomFilter = (): ConfigObject => {
    const context = { context: pick(['ANY', 'SIDECAR_INBOUND', 'SIDECAR_OUTBOUND', 'GATEWAY']) };
    const patches = [
      mark(pick(['x', 'y']), context),
      {
        applyTo: 'CLUSTER',
        match: context,
        patch: { operation: pick(['ADD', 'MERGE']), value: { name: 'n', connect_timeout: pick(['1s', '-1s']) } },
      },
      { applyTo: 'FILTER_CHAIN', match: context, patch: { operation: 'REMOVE' } },
      {
        applyTo: 'HTTP_ROUTE',
        match: context,
        patch: { operation: pick(['REMOVE', 'MERGE']), value: { name: pick(['r', 's']) } },
      },
      { applyTo: 'LISTENER', match: context, patch: { operation: 'MERGE', value: { stat_prefix: pick(['p', 'q']) } } },
    ];
    const spec = { priority: pick([0, 1]), configPatches: [pick(patches), pick(patches)] };
    return envoyFilter({ name: pick(['e', 'f']), namespace: pick(['istio-system', 'one', 'two']), spec });
  };
  const edited = new MeshUnderTest(config.config(30));
  for (let step = 0; step < 8; step++) {
    edited.put(randomFilter());
    edited.apply([config.edit(), config.edit()]);
    const fresh = new MeshUnderTest([...edited.objects.values()]);
    for (const one of edited.proxies()) {
      const views = edited.views(one);
      expect(versionsIn(views)).toEqual(versionsIn(fresh.views(one)));
      const compiled = viewsToJson(views);
      expect([...nackCauses(compiled), ...violationsOf(compiled)]).toEqual([]);
    }
  }
});

describe('what is added', () => {
  const add = (applyTo: string, value: object, match?: object): Fields => ({
    configPatches: [{ applyTo, ...(match && { match }), patch: { operation: 'ADD', value } }],
  });

  it('comes in a layer of its own', () => {
    world.put(envoyFilter({ spec: add('CLUSTER', { name: 'lua_cluster' }) }));
    const clusters = world.views(proxy('a')).get(TypeUrl.cluster);
    expect([...(clusters?.at(-1)?.names() ?? [])]).toEqual(['lua_cluster']);
  });

  it('does not take the name of what is there', () => {
    world.put(envoyFilter({ spec: add('CLUSTER', { name: 'PassthroughCluster' }) }));
    expect(() => resourcesIn(world.views(proxy('a')))).not.toThrow();
  });
});

it('tells which patch a proxy does not get, and why', () => {
  const spec = {
    configPatches: [
      mark('good'),
      { applyTo: 'CLUSTER', patch: { operation: 'MERGE', value: { connect_timeout: '-1s' } } },
    ],
  };
  world.put(envoyFilter({ spec }));
  expect(marks(proxy('a'))).toEqual(['good']);
  const found = diagnosticsOfProxies(world.mesh, proxies);
  expect(found[0]).toMatchObject({
    severity: 'warning',
    code: 'SEINE-PATCH',
    message: expect.stringMatching(
      /^Left out of .* and \d+ other resources of sidecar~10\.1\.0\.1~a\.default\S* and 2 other proxies: .*must be > 0/,
    ) as unknown,
    object: { kind: 'EnvoyFilter', namespace: 'default', name: 'f' },
    path: 'spec.configPatches[1]',
  });
  expect(found).toHaveLength(1);
  expect(proxyDiagnostics(world.mesh, proxy('b'))).toHaveLength(1);
  expect(diagnosticsOfProxies(new MeshUnderTest(objects).mesh, proxies)).toEqual([]);
});
