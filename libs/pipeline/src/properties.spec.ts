import { describe, expect, it, jest } from '@jest/globals';
import { TypeUrl } from '@seine/envoy';
import type { ConfigObject } from '@seine/k8s';
import { parseLocality, type Proxy } from '@seine/model';
import { type AdsVariant, aProxy, EnvoyLikeClient } from '@seine/testing';
import { viewsToJson } from './compile-proxy.js';
import { DirectLink } from './testing/direct-link.js';
import { violationsOf } from './testing/golden-case.js';
import { MeshUnderTest, resourcesIn, versionsIn } from './testing/mesh-under-test.js';
import { nackCauses } from './testing/nack-causes.js';
import { RandomConfig } from './testing/random-config.js';

// Many rounds take long on a busy machine; the bound is for a hang.
jest.setTimeout(300_000);

function proxy(name: string, fields: Partial<Proxy>): Proxy {
  const namespace = fields.namespace ?? 'one';
  return Object.freeze({
    ...aProxy({ namespace, dnsDomain: `${namespace}.svc.cluster.local`, ...fields }),
    name,
    id: name,
  });
}

const ingress = { type: 'router' as const, labels: { istio: 'ingressgateway' } };
const explicit = { interceptionMode: 'NONE' as const, httpProxyPort: 15080, outboundCidr: '127.4.7.0/24' };

/** Nodes of every kind, and pairs that differ in just one thing that config may test. */
const proxies: readonly Proxy[] = [
  proxy('one-v1', { labels: { version: 'v1' }, ipAddresses: ['10.1.0.1'], locality: parseLocality('eu') }),
  proxy('one-v2', { labels: { version: 'v2' }, ipAddresses: ['10.1.0.2'], locality: parseLocality('eu') }),
  proxy('one-v1-us', { labels: { version: 'v1' }, ipAddresses: ['10.1.0.3'], locality: parseLocality('us') }),
  proxy('two-v1', { namespace: 'two', labels: { version: 'v1' }, ipAddresses: ['10.1.0.4'] }),
  proxy('two-dns', { namespace: 'two', labels: { version: 'v1' }, ipAddresses: ['10.1.0.4'], dnsCapture: true }),
  proxy('one-explicit', { ...explicit, labels: { version: 'v1' }, ipAddresses: ['10.1.0.5'] }),
  proxy('two-explicit', { ...explicit, namespace: 'two', ipAddresses: ['10.1.0.6'] }),
  proxy('one-grpc', { proxyless: true, labels: { version: 'v1' } }),
  proxy('one-ingress', ingress),
  proxy('three-ingress', { ...ingress, namespace: 'three' }),
  proxy('one-mtls', { labels: { app: 'a', version: 'v1' }, ipAddresses: ['10.1.0.1'], workloadCertificates: true }),
  proxy('two-mtls', { ...explicit, namespace: 'two', ipAddresses: ['10.1.0.6'], workloadCertificates: true }),
  proxy('one-ingress-mtls', { ...ingress, workloadCertificates: true }),
];

/** What a node gets when nothing else was ever compiled from these objects. */
function alone(objects: Iterable<ConfigObject>, of: Proxy): Readonly<Record<string, string>> {
  return versionsIn(new MeshUnderTest(structuredClone([...objects])).views(structuredClone(of)));
}

describe('incremental compilation', () => {
  it.each([1, 2, 3])('gives what a full rebuild gives, after each of 100 random edits (seed %i)', (seed) => {
    const config = new RandomConfig(seed);
    const world = new MeshUnderTest(config.config(15));
    for (let i = 0; i < 100; i++) {
      world.apply([config.edit()]);
      for (const of of proxies)
        expect([i, of.id, versionsIn(world.views(of))]).toEqual([i, of.id, alone(world.objects.values(), of)]);
    }
  });
});

describe('a response', () => {
  it('X-15 never names a resource twice, nor holds what Envoy would refuse (1,000 random configs)', () => {
    for (let seed = 1; seed <= 1000; seed++) {
      const world = new MeshUnderTest(new RandomConfig(seed).config(25));
      const of = proxies[seed % proxies.length]!;
      const views = world.views(of);
      expect(of.proxyless || resourcesIn(views).size > 0).toBe(true);
      const compiled = viewsToJson(views);
      expect([seed, of.id, nackCauses(compiled)]).toEqual([seed, of.id, []]);
      // Slow, and about single messages: some of them will do.
      if (seed % 7 === 0) expect([seed, of.id, violationsOf(compiled)]).toEqual([seed, of.id, []]);
    }
  });
});

describe('shared resources', () => {
  it('X-35 never reach a node of another namespace, label, place or kind (200 random configs)', () => {
    let differing = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const world = new MeshUnderTest(new RandomConfig(seed).config(25));
      const together = proxies.map((of) => versionsIn(world.views(of)));
      proxies.forEach((of, i) =>
        expect([seed, of.id, together[i]]).toEqual([seed, of.id, alone(world.objects.values(), of)]),
      );
      if (JSON.stringify(together[0]) !== JSON.stringify(together[1])) differing++;
    }
    // Not vacuous: labels alone often make a difference.
    expect(differing).toBeGreaterThan(10);
  });

  it('X-35 nor a node of a process that compiled in another order', async () => {
    jest.resetModules();
    const fresh = await import('./testing/mesh-under-test.js');
    expect(fresh.MeshUnderTest).not.toBe(MeshUnderTest);
    for (let seed = 1; seed <= 60; seed++) {
      const objects = new RandomConfig(seed).config(25);
      const [here, there] = [new MeshUnderTest(objects), new fresh.MeshUnderTest(structuredClone([...objects]))];
      const forwards = proxies.map((of) => versionsIn(here.views(of)));
      const backwards = [...proxies].reverse().map((of) => fresh.versionsIn(there.views(of)));
      expect([seed, backwards.reverse()]).toEqual([seed, forwards]);
    }
  });
});

const types = [TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.listener, TypeUrl.route];

/** A client that behaves as Envoy does and accepts everything, on the real protocol. */
class Follower {
  readonly link: DirectLink;

  constructor(
    variant: AdsVariant,
    private readonly world: MeshUnderTest,
    private readonly of: Proxy,
  ) {
    this.link = new DirectLink(variant, { revision: 0, views: world.views(of) }, of);
    new EnvoyLikeClient(this.link.client).start();
    this.link.run();
  }

  follow(revision: number): this {
    this.link.update({ revision, views: this.world.views(this.of) });
    return this;
  }

  contents(): object {
    return types.map((typeUrl) => this.link.client.state.contents(typeUrl));
  }
}

describe('the two variants of the protocol', () => {
  it('D-18 state-of-the-world and delta bring the same bytes, as the views have them (1,000 random configs)', () => {
    const config = new RandomConfig(18);
    const world = new MeshUnderTest(config.config(15));
    const followed = [proxies[0]!, proxies[5]!, proxies[8]!].map((of) => ({
      of,
      sotw: new Follower('sotw', world, of),
      delta: new Follower('delta', world, of),
    }));
    for (let revision = 1; revision <= 1000; revision++) {
      world.apply([config.edit()]);
      const { of, sotw, delta } = followed[revision % followed.length]!;
      const contents = delta.follow(revision).contents();
      expect([revision, of.id, contents]).toEqual([revision, of.id, sotw.follow(revision).contents()]);
      const clusters = [...(world.views(of).get(TypeUrl.cluster) ?? [])].flatMap((layer) => [...layer.names()]);
      expect(delta.link.client.state.names(TypeUrl.cluster)).toEqual(clusters.sort());
      expect([sotw, delta].map(({ link }) => link.server.settledRevision)).toEqual([revision, revision]);
    }
  });

  it('D-19 a client that only applied deltas ends as a fresh state-of-the-world one (10,000 random edits)', () => {
    const config = new RandomConfig(19);
    const world = new MeshUnderTest(config.config(15));
    const of = proxies[0]!;
    const follower = new Follower('delta', world, of);
    for (let edits = 10; edits <= 10_000; edits += 10) {
      world.apply(Array.from({ length: 10 }, () => config.edit()));
      follower.follow(edits);
    }
    const fresh = new MeshUnderTest(structuredClone([...world.objects.values()]));
    expect(follower.follow(10_001).contents()).toEqual(new Follower('sotw', fresh, of).contents());
  });
});
