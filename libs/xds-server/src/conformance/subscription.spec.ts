import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TypeUrl } from '@seine/envoy';
import { aCluster, AdsFixture, type AdsVariant, aListener, anAssignment, aNode, aRouteConfig } from '@seine/testing';
import { XdsServer } from '../xds-server.js';

const ads = new AdsFixture((source) => new XdsServer({ source, now: () => Date.now() }));
// Many rounds take long on a busy machine; the bound is for a hang.
jest.setTimeout(120_000);
beforeEach(() => ads.start());
afterEach(() => ads.stop());

const names = (response: { resources: readonly { name: string }[] }) => response.resources.map((r) => r.name).sort();
const both: AdsVariant[] = ['sotw', 'delta'];

describe.each(both)('requests and what they are answered with (%s)', (variant) => {
  it('X-1 answers a first CDS request without names with every cluster', async () => {
    ads.source.put(aCluster('a'), aCluster('b')).putFor(aNode().id, aCluster('own')).commit();
    const stream = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
    const response = await stream.next();
    expect(names(response)).toEqual(['a', 'b', 'own']);
    expect(response.typeUrl).toBe(TypeUrl.cluster);
    expect(response.version).not.toBe('');
    expect(response.nonce).not.toBe('');
    await stream.ack(response).expectNone();
  });

  it('X-2 takes the node of the first request for all that follow', async () => {
    const node = aNode('client-7');
    ads.source.put(aCluster('a')).putFor(node.id, anAssignment('own', '10.0.0.7'), aListener('own', 'r')).commit();
    const stream = ads.open(variant, node).request({ typeUrl: TypeUrl.cluster });
    await stream.nextAcked(TypeUrl.cluster);
    stream.request({ typeUrl: TypeUrl.endpoint, names: ['own'] });
    expect(names(await stream.nextAcked(TypeUrl.endpoint))).toEqual(['own']);
    stream.request({ typeUrl: TypeUrl.listener });
    expect(names(await stream.nextAcked(TypeUrl.listener))).toEqual(['own']);
  });

  it.each([
    ['no node', undefined],
    ['an empty node.id', { ...aNode(), id: '' }],
  ])('X-3 ends a stream whose first request has %s, and no other', async (_, node) => {
    const other = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
    await other.nextAcked();
    const stream = ads.client().open(variant, node).request({ typeUrl: TypeUrl.cluster });
    expect(await stream.ended).toMatchObject({ code: 3, details: expect.stringContaining('node.id') });
    await other.expectNone();
  });

  it('X-3 tells why the source refuses a node', async () => {
    ads.source.refuse = (node) => (node.id.startsWith('sidecar~') ? undefined : `node.id ${node.id} is not a node id`);
    const stream = ads.open(variant, { ...aNode(), id: 'made up' }).request({ typeUrl: TypeUrl.cluster });
    expect(await stream.ended).toMatchObject({ code: 3, details: expect.stringContaining('made up') });
  });

  it('X-11 answers the first request of a stream whatever nonce it carries', async () => {
    ads.source.put(aCluster('a'), anAssignment('a', '10.0.0.1')).commit();
    const old = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
    const { nonce } = await old.nextAcked();
    old.cancel();
    const stream = ads.open(variant).request({ typeUrl: TypeUrl.cluster, nonce });
    expect(names(await stream.nextAcked())).toEqual(['a']);
    stream.request({ typeUrl: TypeUrl.endpoint, names: ['a'], nonce: 'of another stream' });
    expect(names(await stream.nextAcked(TypeUrl.endpoint))).toEqual(['a']);
  });

  it.each([
    [TypeUrl.endpoint, anAssignment('x', '10.0.0.1')],
    [TypeUrl.route, aRouteConfig('x', ['a'])],
  ])('X-18 sends a named resource that is created later without a new request (%s)', async (typeUrl, created) => {
    const stream = ads.open(variant).request({ typeUrl, names: ['x'] });
    await stream.barrier();
    for (const response of stream.inbox.splice(0)) stream.ack(response);
    await stream.expectNone();
    ads.source.put(created).commit();
    expect(names(await stream.next(typeUrl))).toEqual(['x']);
  });

  it('X-22 ends a stream whose request has no type_url', async () => {
    const stream = ads.open(variant).request({ typeUrl: '' });
    expect(await stream.ended).toMatchObject({ code: 3, details: expect.stringContaining('type_url') });
  });

  it('X-23 gives equal versions and bytes on two replicas with the same content', async () => {
    const replica = new AdsFixture((source) => new XdsServer({ source, now: () => 0 }));
    await replica.start();
    try {
      const content = [aCluster('a'), aCluster('b'), anAssignment('a', '10.0.0.1'), aListener('l', 'r')];
      ads.source.put(...content).commit();
      // Another history and another order on the second one.
      for (const item of [...content].reverse()) replica.source.put(item).commit();
      for (const typeUrl of [TypeUrl.cluster, TypeUrl.listener]) {
        const [one, two] = [ads, replica].map((fixture) => fixture.open(variant).request({ typeUrl }));
        const [first, second] = await Promise.all([one!.next(), two!.next()]);
        expect(second.version).toBe(first.version);
        const versions = (r: typeof first) => Object.fromEntries(r.resources.map((i) => [i.name, i.version]));
        expect(versions(second)).toEqual(versions(first));
        expect(two!.state.contents(typeUrl)).toEqual(one!.state.contents(typeUrl));
      }
    } finally {
      await replica.stop();
    }
  });

  it('X-35 never gives a node what is another node’s own', async () => {
    const [a, b] = [aNode('client-a'), aNode('client-b')];
    ads.source.put(aCluster('shared')).putFor(a.id, aCluster('only-a')).putFor(b.id, aCluster('only-b')).commit();
    const [one, two] = [a, b].map((node) => ads.open(variant, node).request({ typeUrl: TypeUrl.cluster }));
    expect(names(await one!.nextAcked())).toEqual(['only-a', 'shared']);
    expect(names(await two!.nextAcked())).toEqual(['only-b', 'shared']);
    ads.source.putFor(a.id, aCluster('only-a', 1)).commit();
    await one!.next();
    await two!.expectNone();
  });
});

describe('state-of-the-world names', () => {
  it('X-8 answers widened names though nothing changed', async () => {
    ads.source.put(anAssignment('a', '10.0.0.1'), anAssignment('b', '10.0.0.2')).commit();
    const stream = ads.open('sotw').request({ typeUrl: TypeUrl.endpoint, names: ['a'] });
    const first = await stream.next();
    expect(names(first)).toEqual(['a']);
    stream.ack(first, { names: ['a', 'b'] });
    expect(names(await stream.next())).toContain('b');
  });

  it('X-9 owes nothing for narrowed names and sends no changes of what was left out', async () => {
    ads.source.put(anAssignment('a', '10.0.0.1'), anAssignment('b', '10.0.0.2')).commit();
    const stream = ads.open('sotw').request({ typeUrl: TypeUrl.endpoint, names: ['a', 'b'] });
    const first = await stream.next();
    await stream.ack(first, { names: ['a'] }).expectNone();
    ads.source.put(anAssignment('b', '10.0.0.3')).commit();
    await stream.expectNone();
    ads.source.put(anAssignment('a', '10.0.0.4')).commit();
    expect(names(await stream.next())).toEqual(['a']);
  });

  it('X-10 loses no name that a client adds while a push is on its way (1,000 rounds)', async () => {
    const stream = ads.open('sotw');
    ads.source.put(anAssignment('watched', '10.0.0.1')).commit();
    stream.request({ typeUrl: TypeUrl.endpoint, names: ['watched'] });
    await stream.nextAcked();
    await stream.barrier();
    for (let round = 0; round < 1000; round++) {
      const added = `added-${round}`;
      const stale = stream.nonceOf(TypeUrl.endpoint);
      ads.source.put(anAssignment('watched', `10.1.${round >> 8}.${round & 255}`), anAssignment(added, '10.0.0.2'));
      ads.source.commit();
      // The push is written; this request was on its way before the client read it.
      stream.request({ typeUrl: TypeUrl.endpoint, names: ['watched', added], nonce: stale });
      const push = await stream.next();
      expect(names(push)).toEqual(['watched']);
      stream.ack(push, { names: ['watched', added] });
      const answer = await stream.next();
      expect(names(answer)).toContain(added);
      stream.ack(answer);
      ads.source.remove(TypeUrl.endpoint, added);
    }
  });

  it('X-10 gives no response to a stale nonce', async () => {
    ads.source.put(anAssignment('a', '10.0.0.1'), anAssignment('b', '10.0.0.2')).commit();
    const stream = ads.open('sotw').request({ typeUrl: TypeUrl.endpoint, names: ['a'] });
    const first = await stream.nextAcked();
    ads.source.put(anAssignment('a', '10.0.0.3')).commit();
    const second = await stream.next();
    stream.ack(second);
    await stream.request({ typeUrl: TypeUrl.endpoint, names: ['a', 'b'], nonce: first.nonce }).expectNone();
    stream.ack(second, { names: ['a', 'b'] });
    expect(names(await stream.next())).toContain('b');
  });

  it.each([
    [TypeUrl.endpoint, anAssignment('x', '10.0.0.1')],
    [TypeUrl.route, aRouteConfig('x', ['a'])],
  ])('X-12 answers named types on a new stream whatever version the client claims (%s)', async (typeUrl, content) => {
    ads.source.put(content).commit();
    const old = ads.open('sotw').request({ typeUrl, names: ['x'] });
    const { version } = await old.nextAcked();
    const stream = ads.open('sotw').request({ typeUrl, names: ['x'], version });
    expect(names(await stream.next())).toEqual(['x']);
  });

  it.each([
    ['CDS', TypeUrl.cluster, (i: number, generation: number) => aCluster(`c-${i}`, generation)],
    ['LDS', TypeUrl.listener, (i: number, generation: number) => aListener(`c-${i}`, 'r', generation)],
  ])('X-13 puts the full set into every %s response', async (_, typeUrl, make) => {
    ads.source.put(...Array.from({ length: 20 }, (_unused, i) => make(i, 0))).commit();
    const stream = ads.open('sotw').request({ typeUrl });
    expect((await stream.nextAcked()).resources).toHaveLength(20);
    ads.source.put(make(3, 1)).commit();
    expect((await stream.nextAcked()).resources).toHaveLength(20);
    ads.source.remove(typeUrl, 'c-3').commit();
    const last = await stream.nextAcked();
    expect(last.resources).toHaveLength(19);
    expect(names(last)).not.toContain('c-3');
  });

  it('X-14 leaves unchanged assignments in force when one of 50 changes', async () => {
    const all = Array.from({ length: 50 }, (_, i) => `e-${i}`);
    ads.source.put(...all.map((name) => anAssignment(name, '10.0.0.1'))).commit();
    const stream = ads.open('sotw').request({ typeUrl: TypeUrl.endpoint, names: all });
    await stream.nextAcked();
    ads.source.put(anAssignment('e-7', '10.0.0.2')).commit();
    expect(names(await stream.nextAcked())).toContain('e-7');
    expect(stream.state.names(TypeUrl.endpoint)).toEqual([...all].sort());
  });

  it('X-21 serves the last of 50 requests in a burst, with no response for each', async () => {
    const all = Array.from({ length: 50 }, (_, i) => `e-${i}`);
    ads.source.put(...all.map((name) => anAssignment(name, '10.0.0.1'))).commit();
    const stream = ads.open('sotw');
    all.forEach((_, i) => stream.request({ typeUrl: TypeUrl.endpoint, names: all.slice(0, i + 1) }));
    let responses = 0;
    while (stream.state.names(TypeUrl.endpoint).length < all.length) {
      await stream.nextAcked(TypeUrl.endpoint);
      responses++;
    }
    await stream.expectNone();
    expect(responses).toBeLessThanOrEqual(2);
  });
});
