import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { TypeUrl } from '@seine/envoy';
import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { memoRuns } from '@seine/memo';
import { defaultMeshConfig, type Proxy } from '@seine/model';
import type { Store, StoreEvent } from '@seine/ports';
import {
  aCluster,
  type AdsVariant,
  aListener,
  anAssignment,
  aRouteConfig,
  EnvoyLikeClient,
  FakeSnapshotSource,
} from '@seine/testing';
import { chunkEncodings, HoldBack } from '@seine/xds-server';
import { MeshFeed, type MeshVersion } from './mesh-feed.js';
import {
  aDestinationRule,
  anIstioObject,
  aKubernetesService,
  aPod,
  aVirtualService,
  toSubset,
} from './testing/config-objects.js';
import { DirectLink } from './testing/direct-link.js';
import { MeshUnderTest, resourcesIn } from './testing/mesh-under-test.js';

const namespaces = 20;
const workloads = 1000;

/** 1,000 workloads, each the only one of its service, spread over 20 namespaces. */
function manyWorkloads(): ConfigObject[] {
  return Array.from({ length: workloads }, (_, i) => {
    const named = { name: `app-${i}`, namespace: `ns-${i % namespaces}` };
    const clusterIP = `10.96.${Math.floor(i / 250)}.${(i % 250) + 1}`;
    const ip = `10.1.${Math.floor(i / 250)}.${(i % 250) + 1}`;
    const labels = { app: named.name, version: 'v1', [`only-${i}`]: 'yes' };
    return [aKubernetesService({ ...named, clusterIP }), aPod({ ...named, ip, labels })];
  }).flat();
}

const routing = ['routeConfiguration', 'hostRoutes'];
const listeners = ['outboundListener', 'virtualOutbound', 'dnsListener', 'inbound', 'boundOutbound', 'gatewayListener'];
const clusters = ['outboundClusters', 'staticClusters', 'clusterSet'];
const endpoints = ['loadAssignments', 'endpointSet'];
const everything = [...routing, 'virtualHost', ...listeners, ...clusters, ...endpoints];

/** How often each of these functions runs while something is done; those that do not run are left out. */
function runsDuring(labels: readonly string[], act: () => void): Readonly<Record<string, number>> {
  const before = labels.map(memoRuns);
  act();
  const ran = labels.map((label, i) => [label, memoRuns(label) - (before[i] ?? 0)] as const);
  return Object.fromEntries(ran.filter(([, runs]) => runs > 0));
}

describe('with 1,000 different workloads in 20 namespaces', () => {
  let world: MeshUnderTest;
  let proxies: readonly Proxy[];
  const compileAll = (): void => proxies.forEach((proxy) => world.views(proxy));
  const reviews = { name: 'app-7', namespace: 'ns-7' };

  beforeAll(() => {
    world = new MeshUnderTest([
      ...manyWorkloads(),
      aDestinationRule(reviews),
      aVirtualService(reviews, [toSubset('app-7', 'v1')]),
    ]);
    proxies = world.proxies();
    compileAll();
  });

  it('rule 1: a VirtualService change compiles one RouteConfiguration a namespace, and nothing else', () => {
    expect(proxies).toHaveLength(workloads);
    const routes = (): unknown[] =>
      proxies.map((proxy) => world.views(proxy).get(TypeUrl.route)?.[0]?.get('9080')?.version);
    const before = routes();
    world.put(aVirtualService(reviews, [toSubset('app-7', 'v2')]));
    const runs = runsDuring(everything, compileAll);
    expect(runs).toEqual({ routeConfiguration: namespaces, virtualHost: expect.any(Number) });
    // Short names tell its own namespace from the others.
    expect(runs['virtualHost']).toBeLessThanOrEqual(2);
    expect(routes().every((version, i) => version !== undefined && version !== before[i])).toBe(true);
  });

  it('rule 1: what is outbound is one object for all workloads of a namespace', () => {
    const [a, b] = proxies.filter((proxy) => proxy.namespace === 'ns-3').map((proxy) => world.views(proxy));
    for (const typeUrl of [TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.listener, TypeUrl.route])
      expect(a?.get(typeUrl)?.[0]).toBe(b?.get(typeUrl)?.[0]);
  });

  it('rule 3: an endpoint change compiles the load assignments of its service, and nothing else', () => {
    // One proxy a namespace: those of a namespace share what is outbound.
    const some = proxies.slice(0, namespaces);
    const before = some.map((proxy) => resourcesIn(world.views(proxy)));
    const labels = { app: 'app-9', version: 'v1' };
    world.put(aPod({ name: 'app-9-more', namespace: 'ns-9', ip: '10.2.0.1', labels }));
    const runs = runsDuring(everything, compileAll);
    expect(runs).toEqual({ loadAssignments: 1, endpointSet: 1 });
    some.forEach((proxy, i) => {
      const changed = [...resourcesIn(world.views(proxy))].filter(([key, item]) => before[i]?.get(key) !== item);
      expect(changed.map(([key]) => key)).toEqual([`${TypeUrl.endpoint} outbound|9080||app-9.ns-9.svc.cluster.local`]);
    });
  });

  it.each([
    ['labels', { labels: { team: 'books' } }],
    ['annotations', { annotations: { owner: 'books' } }],
    ['resource version', { resourceVersion: '4711' }],
  ])('rule 3: an edit of nothing but the %s of a service compiles nothing', (_what, edit) => {
    const service = world.objects.get('/Service/ns-11/app-11')!;
    const runs = runsDuring(everything, () => {
      world.put({ ...service, metadata: { ...service.metadata, ...edit } });
      compileAll();
    });
    expect(runs).toEqual({});
  });

  it('an edit of an EnvoyFilter compiles nothing, and patches only what the proxies that it selects get', () => {
    const patching = ['patchedListener', 'patchedRoutes', 'patchedCluster'];
    const filter = (seconds: number): ConfigObject => {
      const value = { route: { timeout: `${seconds}s` } };
      const patch = {
        applyTo: 'HTTP_ROUTE',
        match: { context: 'SIDECAR_OUTBOUND' },
        patch: { operation: 'MERGE', value },
      };
      const spec = { workloadSelector: { labels: { app: 'app-7' } }, configPatches: [patch] };
      return anIstioObject('EnvoyFilter', reviews, spec);
    };
    const of = (name: string): unknown => world.views(proxies.find((proxy) => proxy.name === name)!);
    expect(runsDuring(patching, compileAll)).toEqual({});
    const others = proxies.filter(({ name }) => name !== 'app-7').map(({ name }) => [name, of(name)] as const);
    for (const seconds of [1, 2]) {
      const before = of('app-7');
      world.put(filter(seconds));
      const runs = runsDuring([...everything, ...patching], compileAll);
      const { patchedRoutes, ...rest } = runs;
      // The patched proxy has one RouteConfiguration; its clusters and listeners are looked at by name.
      expect(patchedRoutes).toBe(1);
      expect(everything.filter((label) => label in rest)).toEqual([]);
      expect(of('app-7')).not.toBe(before);
    }
    expect(others.every(([name, views]) => of(name) === views)).toBe(true);
    world.remove(objectKey(filter(2)));
  });
});

describe('with rules of mixer', () => {
  const planning = ['mixerPolicy', 'inboundMixer', 'mixerAttributes'];
  const mixer = (kind: string, name: string, spec: object, namespace = 'istio-system'): ConfigObject => ({
    ...anIstioObject(kind, { name, namespace }, spec),
    apiVersion: 'config.istio.io/v1alpha2',
  });
  const rule = (name: string, match: string): ConfigObject =>
    mixer('rule', name, { match, actions: [{ handler: 'no', instances: ['no'] }] });
  let world: MeshUnderTest;
  let proxies: readonly Proxy[];
  const compileAll = (): void => proxies.forEach((proxy) => world.views(proxy));
  const listenersOf = (name: string): unknown =>
    world.views(proxies.find((proxy) => proxy.name === name)!).get(TypeUrl.listener)?.[1];

  beforeAll(() => {
    world = new MeshUnderTest(manyWorkloads().slice(0, 200));
    proxies = world.proxies();
  });

  it('a mesh that has none plans nothing', () => {
    expect(runsDuring(planning, compileAll)).toEqual({});
  });

  it('a rule compiles the inbound listeners of the workloads that it is about, and nothing else', () => {
    world.put(
      mixer('handler', 'no', { compiledAdapter: 'denier' }),
      mixer('instance', 'no', { compiledTemplate: 'checknothing' }),
    );
    compileAll();
    const others = listenersOf('app-8');
    world.put(rule('some', 'destination.labels["app"] == "app-7" && request.method == "PUT"'));
    expect(runsDuring(everything, compileAll)).toEqual({ inbound: 1 });
    expect(listenersOf('app-8')).toBe(others);
    world.put(rule('some', 'destination.labels["app"] == "app-7" && request.method == "POST"'));
    expect(runsDuring(everything, compileAll)).toEqual({ inbound: 1 });
    // A rule for nobody.
    world.put(rule('other', 'destination.labels["app"] == "none"'));
    expect(runsDuring(everything, compileAll)).toEqual({});
  });

  it('an endpoint that changes plans nothing', () => {
    world.put(aPod({ name: 'app-9-more', namespace: 'ns-9', ip: '10.2.0.1', labels: { app: 'app-9', version: 'v1' } }));
    expect(runsDuring(['mixerPolicy', 'mixerAttributes', 'inbound'], compileAll)).toEqual({});
  });
});

describe('rule 4: a step is encoded once', () => {
  it('rule 4: for all of 1,000 streams that are of the same scope', () => {
    const objects = Array.from({ length: namespaces }, (_, n) => {
      const named = { name: `app-${n}`, namespace: `ns-${n}` };
      const labels = { app: named.name, version: 'v1' };
      const replicas = Array.from({ length: workloads / namespaces }, (_pod, i) =>
        aPod({ ...named, name: `${named.name}-${i}`, ip: `10.1.${n}.${i + 1}`, labels }),
      );
      return [aKubernetesService({ ...named, clusterIP: `10.96.0.${n + 1}` }), ...replicas];
    });
    const world = new MeshUnderTest([...objects.flat(), aDestinationRule({ name: 'app-7', namespace: 'ns-7' })]);
    const holdBack = new HoldBack();
    const links = world.proxies().map((proxy) => {
      const link = new DirectLink('delta', { revision: 1, views: world.views(proxy) }, proxy, holdBack);
      const envoy = new EnvoyLikeClient(link.client).start();
      link.run();
      return { proxy, link, envoy };
    });
    world.put(aVirtualService({ name: 'app-7', namespace: 'ns-7' }, [toSubset('app-7', 'v1')]));
    const before = chunkEncodings();
    for (const { link, proxy } of links) link.update({ revision: 2, views: world.views(proxy) });
    expect(chunkEncodings() - before).toBe(namespaces);
    expect(links).toHaveLength(workloads);
    expect(links.every(({ link }) => link.server.settledRevision === 2)).toBe(true);
    expect(links.flatMap(({ envoy }) => envoy.violations)).toEqual([]);
  });
});

describe('rule 2: the same input gives the same bytes', () => {
  const objects = (): ConfigObject[] => [
    ...manyWorkloads().slice(0, 60),
    aDestinationRule({ name: 'app-1', namespace: 'ns-1' }, { trafficPolicy: { outlierDetection: {} } }),
    aVirtualService({ name: 'app-1', namespace: 'ns-1' }, [toSubset('app-1', 'v1')]),
  ];
  const contents = (world: MeshUnderTest): object =>
    Object.fromEntries(
      world
        .proxies()
        .map((proxy) => [
          proxy.id,
          Object.fromEntries(
            [...resourcesIn(world.views(proxy))]
              .map(([key, { version, bytes }]) => [key, `${version} ${bytes.toString('base64')}`])
              .sort(),
          ),
        ]),
    );

  it('rule 2: on a replica that has lived through edits and on one that has just started', async () => {
    const world = new MeshUnderTest(objects());
    contents(world);
    world.put(aVirtualService({ name: 'app-1', namespace: 'ns-1' }, [toSubset('app-1', 'v2')]));
    world.remove('/Service/ns-2/app-2');
    contents(world);
    world.put(...objects());
    jest.resetModules();
    const fresh = await import('./testing/mesh-under-test.js');
    expect(fresh.MeshUnderTest).not.toBe(MeshUnderTest);
    // Sources may report in any order.
    expect(contents(new fresh.MeshUnderTest(objects().reverse()))).toEqual(contents(world));
  });
});

/** A store whose log a test writes by hand. */
class HandStore implements Pick<Store, 'snapshot' | 'watch'> {
  #listener: (event: StoreEvent) => void = () => undefined;
  #revision = 0;

  snapshot() {
    return Promise.resolve({ revision: 0, objects: new Map<ObjectKey, ConfigObject>() });
  }

  watch(_revision: number, listener: (event: StoreEvent) => void): () => void {
    this.#listener = listener;
    return () => undefined;
  }

  append(object: ConfigObject): void {
    const changes = [{ key: objectKey(object), object }];
    this.#listener({ type: 'entry', entry: { revision: ++this.#revision, changes } });
  }
}

describe('rule 5: the first change goes at once', () => {
  it('rule 5: and what arrives while it is under way goes together next', async () => {
    const store = new HandStore();
    const scheduled: (() => void)[] = [];
    const pushed: MeshVersion[] = [];
    let during: () => void = () => undefined;
    const feed = new MeshFeed({
      store: store as unknown as Store,
      config: defaultMeshConfig,
      schedule: (run) => scheduled.push(run),
      later: (run) => scheduled.push(run),
      onMesh: (version) => {
        pushed.push(version);
        during();
      },
      onError: (error) => {
        throw error;
      },
    });
    await feed.start();
    during = () => {
      during = () => undefined;
      for (const name of ['b', 'c', 'd']) store.append(aKubernetesService({ name }));
    };
    store.append(aKubernetesService({ name: 'a' }));
    expect(scheduled).toHaveLength(1);
    scheduled.shift()?.();
    // One more push is due for the three that came during the first.
    expect(scheduled).toHaveLength(1);
    scheduled.shift()?.();
    expect(scheduled).toHaveLength(0);
    expect(pushed.map(({ revision, mesh }) => [revision, mesh.services.size])).toEqual([
      [0, 0],
      [1, 1],
      [4, 4],
    ]);
  });
});

const both: AdsVariant[] = ['sotw', 'delta'];

describe.each(both)('rule 6: a slow proxy costs only itself (%s)', (variant) => {
  const source = (): FakeSnapshotSource =>
    new FakeSnapshotSource().put(aCluster('c', 0), anAssignment('c', '10.0.0.1'));

  it('rule 6: one response a type waits for an answer; what comes meanwhile merges into the next', () => {
    const fake = source();
    const [silent, other] = ['silent', 'other'].map((id) => new DirectLink(variant, fake.snapshotOf(id)));
    for (const link of [silent!, other!]) link.client.request({ typeUrl: TypeUrl.cluster });
    for (const link of [silent!, other!]) link.run();
    const [first] = silent!.take();
    other!.client.ack(other!.take()[0]!);
    for (let generation = 1; generation <= 5; generation++) {
      fake.put(aCluster('c', generation), aCluster(`new-${generation}`)).commit();
      silent!.update(fake.snapshotOf('silent'));
      const got = other!.update(fake.snapshotOf('other')).take();
      expect(got).toHaveLength(1);
      other!.client.ack(got[0]!);
      other!.run();
    }
    expect(silent!.take()).toEqual([]);
    silent!.client.ack(first!);
    const merged = silent!.run().take();
    expect(merged).toHaveLength(1);
    expect(merged[0]?.resources.map((item) => item.name).sort()).toEqual([
      'c',
      ...[1, 2, 3, 4, 5].map((n) => `new-${n}`),
    ]);
    expect(silent!.client.state.contents(TypeUrl.cluster)).toEqual(other!.client.state.contents(TypeUrl.cluster));
  });

  it('rule 6: a silent answer on one type does not keep another type back', () => {
    const fake = source();
    const link = new DirectLink(variant, fake.snapshotOf('n'));
    link.client.request({ typeUrl: TypeUrl.cluster });
    link.run();
    link.client.request({ typeUrl: TypeUrl.endpoint, names: ['c'] });
    link.run();
    for (const response of link.take()) if (response.typeUrl === TypeUrl.endpoint) link.client.ack(response);
    fake.put(anAssignment('c', '10.0.0.2')).commit();
    const next = link.update(fake.snapshotOf('n')).take();
    expect(next.map((response) => response.typeUrl)).toEqual([TypeUrl.endpoint]);
  });
});

describe.each(both)('rule 7: make before break, a stream at a time (%s)', (variant) => {
  const routed = (cluster: string, generation: number) => [
    aCluster(cluster),
    anAssignment(cluster, '10.0.0.1'),
    aListener('l', 'r', generation),
    aRouteConfig('r', [cluster]),
  ];

  function settled(fake: FakeSnapshotSource, id: string): DirectLink {
    const link = new DirectLink(variant, fake.snapshotOf(id));
    const ask = (typeUrl: string, ...names: string[]): void => {
      link.client.request({ typeUrl, names });
      for (const response of link.run().take()) link.client.ack(response);
      link.run();
    };
    ask(TypeUrl.cluster);
    ask(TypeUrl.endpoint, 'old', 'new');
    ask(TypeUrl.listener);
    ask(TypeUrl.route, 'r');
    return link;
  }

  function move(fake: FakeSnapshotSource): void {
    fake
      .put(...routed('new', 1))
      .remove(TypeUrl.cluster, 'old')
      .remove(TypeUrl.endpoint, 'old')
      .commit();
  }

  it('rule 7: additions, endpoints, then listeners and routes, and removals after their acknowledgement', () => {
    const fake = new FakeSnapshotSource().put(...routed('old', 0));
    const link = settled(fake, 'n');
    expect(link.take()).toEqual([]);
    move(fake);
    const steps: string[][] = [];
    let waiting = link.update(fake.snapshotOf('n')).take();
    for (let round = 0; waiting.length > 0 && round < 10; round++) {
      steps.push(waiting.map(({ typeUrl }) => typeUrl.slice(typeUrl.lastIndexOf('.') + 1)));
      // The old cluster stays until the client has accepted what leaves it.
      if (waiting.some(({ typeUrl }) => typeUrl === TypeUrl.listener || typeUrl === TypeUrl.route))
        expect(link.client.state.names(TypeUrl.cluster)).toEqual(['new', 'old']);
      for (const response of waiting) link.client.ack(response);
      waiting = link.run().take();
    }
    expect(steps.slice(0, 2)).toEqual([
      ['Cluster', 'ClusterLoadAssignment'],
      ['Listener', 'RouteConfiguration'],
    ]);
    expect(steps[2]?.[0]).toBe('Cluster');
    expect(link.client.state.names(TypeUrl.cluster)).toEqual(['new']);
    expect(link.server.settledRevision).toBe(fake.revision);
  });

  it('rule 7: a stream that is silent or refuses keeps its old clusters, and delays nobody', () => {
    const fake = new FakeSnapshotSource().put(...routed('old', 0));
    const [silent, refusing, willing] = ['silent', 'refusing', 'willing'].map((id) => settled(fake, id));
    move(fake);
    for (const [link, id] of [
      [silent!, 'silent'],
      [refusing!, 'refusing'],
      [willing!, 'willing'],
    ] as const)
      link.update(fake.snapshotOf(id));
    silent!.take();
    for (let round = 0; round < 6; round++) {
      for (const response of willing!.take()) willing!.client.ack(response);
      for (const response of refusing!.take())
        if (response.typeUrl === TypeUrl.route) refusing!.client.nack(response, 'r: refused');
        else refusing!.client.ack(response);
      willing!.run();
      refusing!.run();
    }
    const held = [silent!, refusing!, willing!].map((link) => link.client.state.names(TypeUrl.cluster));
    expect(held).toEqual([['new', 'old'], ['new', 'old'], ['new']]);
    expect(silent!.take()).toEqual([]);
  });
});
