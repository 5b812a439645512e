import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { TypeUrl } from '@seine/envoy';
import {
  aCluster,
  AdsFixture,
  type AdsResponse,
  aListener,
  anAssignment,
  aNode,
  aRouteConfig,
  aSecret,
} from '@seine/testing';
import { XdsServer } from '../xds-server.js';

const ads = new AdsFixture((source) => new XdsServer({ source, now: () => Date.now() }));
beforeEach(() => ads.start());
afterEach(() => ads.stop());

const names = (response: AdsResponse) => response.resources.map((r) => r.name).sort();
const cluster = TypeUrl.cluster;
const endpoint = TypeUrl.endpoint;

it('D-1 takes a first request without names for a wildcard, and names and versions every resource', async () => {
  ads.source.put(aCluster('a'), aCluster('b')).commit();
  const response = await ads.open('delta').request({ typeUrl: cluster }).next();
  expect(names(response)).toEqual(['a', 'b']);
  expect(response.resources.every((r) => r.version !== '')).toBe(true);
});

it('D-2 takes "*" for a wildcard', async () => {
  ads.source.put(aCluster('a'), aCluster('b')).commit();
  const stream = ads.open('delta').request({ typeUrl: cluster, names: ['*'] });
  expect(names(await stream.nextAcked())).toEqual(['a', 'b']);
  ads.source.put(aCluster('c')).commit();
  expect(names(await stream.nextAcked())).toEqual(['c']);
});

it('D-2 takes "*" and a name for a wildcard and that name', async () => {
  ads.source.put(aCluster('a'), aCluster('b')).commit();
  const stream = ads.open('delta').request({ typeUrl: cluster, names: ['*', 'a'] });
  expect(names(await stream.nextAcked())).toEqual(['a', 'b']);
  stream.request({ typeUrl: cluster, unsubscribe: ['*'] });
  await stream.expectNone();
  ads.source.put(aCluster('a', 1), aCluster('b', 1)).commit();
  expect(names(await stream.nextAcked())).toEqual(['a']);
});

it('D-3 keeps wildcard and names apart: wildcard, wildcard and A, A, nothing', async () => {
  let generation = 0;
  ads.source.put(aCluster('a'), aCluster('b')).commit();
  const stream = ads.open('delta').request({ typeUrl: cluster });
  await stream.nextAcked();
  const changesThatArrive = async () => {
    await stream.barrier();
    for (const response of stream.inbox.splice(0)) stream.ack(response);
    ads.source.put(aCluster('a', ++generation), aCluster('b', generation)).commit();
    await stream.barrier();
    const arrived = stream.inbox.splice(0);
    for (const response of arrived) stream.ack(response);
    return arrived.flatMap(names);
  };
  expect(await changesThatArrive()).toEqual(['a', 'b']);
  stream.request({ typeUrl: cluster, names: ['a'] });
  expect(await changesThatArrive()).toEqual(['a', 'b']);
  stream.request({ typeUrl: cluster, unsubscribe: ['*'] });
  expect(await changesThatArrive()).toEqual(['a']);
  stream.request({ typeUrl: cluster, unsubscribe: ['a'] });
  expect(await changesThatArrive()).toEqual([]);
});

it('D-4 sends just the one of 100 resources that changed', async () => {
  ads.source.put(...Array.from({ length: 100 }, (_, i) => aCluster(`c-${i}`))).commit();
  const stream = ads.open('delta').request({ typeUrl: cluster });
  expect((await stream.nextAcked()).resources).toHaveLength(100);
  ads.source.put(aCluster('c-50', 1)).commit();
  const response = await stream.nextAcked();
  expect(names(response)).toEqual(['c-50']);
  expect(response.removed).toEqual([]);
});

it('D-5 names a deleted resource once', async () => {
  ads.source.put(aCluster('a'), aCluster('b')).commit();
  const stream = ads.open('delta').request({ typeUrl: cluster });
  await stream.nextAcked();
  ads.source.remove(cluster, 'a').put(aCluster('b', 1)).commit();
  const responses = [await stream.nextAcked()];
  await stream.barrier();
  responses.push(...stream.inbox.splice(0));
  expect(responses.flatMap((r) => r.removed)).toEqual(['a']);
  expect(responses.flatMap(names)).toEqual(['b']);
  ads.source.put(aCluster('c')).commit();
  expect((await stream.nextAcked()).removed).toEqual([]);
});

it.each([cluster, endpoint, TypeUrl.listener, TypeUrl.route])(
  'D-6 says at once that a resource does not exist, and sends it when it is created (%s)',
  async (typeUrl) => {
    const created = {
      [cluster]: aCluster('x'),
      [endpoint]: anAssignment('x', '10.0.0.1'),
      [TypeUrl.listener]: aListener('x', 'r'),
      [TypeUrl.route]: aRouteConfig('x', ['a']),
    }[typeUrl];
    const stream = ads.open('delta').request({ typeUrl, names: ['x'] });
    const response = await stream.nextAcked();
    expect(response.removed).toEqual(['x']);
    expect(response.resources).toEqual([]);
    await stream.expectNone();
    ads.source.put(created).commit();
    expect(names(await stream.nextAcked())).toEqual(['x']);
  },
);

it('D-7 sends a resource again when it is subscribed again', async () => {
  ads.source.put(anAssignment('a', '10.0.0.1'), anAssignment('b', '10.0.0.1')).commit();
  const stream = ads.open('delta').request({ typeUrl: endpoint, names: ['a', 'b'] });
  await stream.nextAcked();
  stream.request({ typeUrl: endpoint, names: ['a'] });
  expect(names(await stream.nextAcked())).toEqual(['a']);
  await stream.expectNone();
});

it('D-8 sends no changes of what is not subscribed any more', async () => {
  ads.source.put(anAssignment('a', '10.0.0.1'), anAssignment('b', '10.0.0.1')).commit();
  const stream = ads.open('delta').request({ typeUrl: endpoint, names: ['a', 'b'] });
  await stream.nextAcked();
  await stream.request({ typeUrl: endpoint, unsubscribe: ['a'] }).expectNone();
  ads.source.put(anAssignment('a', '10.0.0.2')).commit();
  await stream.expectNone();
  ads.source.put(anAssignment('b', '10.0.0.2')).commit();
  expect(names(await stream.nextAcked())).toEqual(['b']);
});

it('D-9 takes a subscription that comes with an old nonce (10,000 rounds of pushes racing with it)', async () => {
  ads.source.put(anAssignment('watched', '10.9.9.9')).commit();
  const stream = ads.open('delta').request({ typeUrl: endpoint, names: ['watched'] });
  await stream.nextAcked();
  await stream.barrier();
  for (let round = 0; round < 10_000; round++) {
    const added = `added-${round & 7}`;
    const dropped = `added-${(round + 7) & 7}`;
    const nonce = stream.nonceOf(endpoint);
    ads.source.put(anAssignment('watched', `10.${round >> 16}.${(round >> 8) & 255}.${round & 255}`)).commit();
    stream.request({ typeUrl: endpoint, names: [added], unsubscribe: [dropped], nonce });
    const push = await stream.nextAcked((r) => r.resources.some((item) => item.name === 'watched'));
    const answer = push.removed.includes(added) ? push : await stream.nextAcked();
    if (!answer.removed.includes(added)) throw new Error(`round ${round}: ${added} was lost`);
  }
}, 60_000);

it('D-10 sends a refused resource again only when its content changes; the others flow', async () => {
  ads.source.put(anAssignment('a', '10.0.0.1'), anAssignment('b', '10.0.0.1')).commit();
  const stream = ads.open('delta').request({ typeUrl: endpoint, names: ['a', 'b'] });
  await stream.nextAcked();
  ads.source.put(anAssignment('a', '10.0.0.2')).commit();
  stream.nack(await stream.next(), 'refused: a');
  await stream.expectNone();
  ads.source.put(anAssignment('b', '10.0.0.2')).commit();
  expect(names(await stream.nextAcked())).toEqual(['b']);
  await stream.expectNone();
  ads.source.put(anAssignment('a', '10.0.0.3')).commit();
  expect(names(await stream.nextAcked())).toEqual(['a']);
});

it('D-11 sends nothing again to a client that comes back with current versions (100 times, under 2 % of the bytes)', async () => {
  const all = Array.from({ length: 100 }, (_, i) => `c-${i}`);
  ads.source.put(...all.flatMap((name) => [aCluster(name), anAssignment(name, '10.0.0.1', '10.0.0.2')])).commit();
  const first = ads.open('delta').request({ typeUrl: cluster });
  let cold = (await first.nextAcked()).size;
  first.request({ typeUrl: endpoint, names: all });
  cold += (await first.nextAcked(endpoint)).size;
  const held = { cluster: first.state.versions(cluster), endpoint: first.state.versions(endpoint) };
  first.cancel();
  let again = 0;
  for (let i = 0; i < 100; i++) {
    const stream = ads.open('delta').request({ typeUrl: cluster, initialVersions: held.cluster });
    stream.request({ typeUrl: endpoint, names: all, initialVersions: held.endpoint });
    await stream.barrier();
    for (const response of stream.inbox) {
      expect(response.resources).toEqual([]);
      again += response.size;
    }
    stream.cancel();
  }
  expect(again).toBeLessThanOrEqual(100 * cold * 0.02);
});

it('D-12 sends a client that comes back what is newer, and says what is gone', async () => {
  ads.source.put(aCluster('a'), aCluster('b'), aCluster('c')).commit();
  const first = ads.open('delta').request({ typeUrl: cluster });
  await first.nextAcked();
  first.cancel();
  ads.source.put(aCluster('b', 1), aCluster('d')).remove(cluster, 'c').commit();
  const stream = ads.open('delta').request({ typeUrl: cluster, initialVersions: first.state.versions(cluster) });
  const response = await stream.nextAcked();
  expect(names(response)).toEqual(['b', 'd']);
  expect(response.removed).toEqual(['c']);
  await stream.expectNone();
});

it('D-12 does the same for named types', async () => {
  ads.source.put(...['a', 'b', 'c'].map((name) => anAssignment(name, '10.0.0.1'))).commit();
  const first = ads.open('delta').request({ typeUrl: endpoint, names: ['a', 'b', 'c'] });
  await first.nextAcked();
  first.cancel();
  ads.source.put(anAssignment('b', '10.0.0.2')).remove(endpoint, 'c').commit();
  const initialVersions = first.state.versions(endpoint);
  const stream = ads.open('delta').request({ typeUrl: endpoint, names: ['a', 'b', 'c'], initialVersions });
  const response = await stream.nextAcked();
  expect(names(response)).toEqual(['b']);
  expect(response.removed).toEqual(['c']);
});

it('D-13 keeps no subscription of the stream before', async () => {
  ads.source.put(anAssignment('a', '10.0.0.1'), anAssignment('b', '10.0.0.1')).commit();
  const first = ads.open('delta').request({ typeUrl: endpoint, names: ['a', 'b'] });
  await first.nextAcked();
  first.cancel();
  const initialVersions = first.state.versions(endpoint);
  const stream = ads.open('delta').request({ typeUrl: endpoint, names: ['a'], initialVersions });
  await stream.barrier();
  stream.inbox.splice(0);
  ads.source.put(anAssignment('b', '10.0.0.2')).commit();
  await stream.expectNone();
  ads.source.put(anAssignment('a', '10.0.0.2')).commit();
  expect(names(await stream.nextAcked())).toEqual(['a']);
});

it.each(['before', 'after'])(
  'D-14 sends the endpoints of each cluster sent on a reconnect, EDS asked for %s CDS is answered',
  async (order) => {
    ads.source.put(...['a', 'b'].flatMap((name) => [aCluster(name), anAssignment(name, '10.0.0.1')])).commit();
    const first = ads.open('delta').request({ typeUrl: cluster });
    await first.nextAcked();
    first.request({ typeUrl: endpoint, names: ['a', 'b'] });
    await first.nextAcked(endpoint);
    first.cancel();
    ads.source.put(aCluster('b', 1)).commit();
    const stream = ads.open('delta');
    stream.request({ typeUrl: cluster, initialVersions: first.state.versions(cluster) });
    const eds = { typeUrl: endpoint, names: ['a', 'b'], initialVersions: first.state.versions(endpoint) };
    if (order === 'before') stream.request(eds);
    expect(names(await stream.next(cluster))).toEqual(['b']);
    if (order === 'after') stream.request(eds);
    expect(names(await stream.next(endpoint))).toEqual(['b']);
  },
);

it('D-15 never repeats a nonce on a stream, even for the same content', async () => {
  ads.source.put(anAssignment('a', '10.0.0.1')).commit();
  const stream = ads.open('delta').request({ typeUrl: endpoint, names: ['a'] });
  const responses = [await stream.nextAcked()];
  for (let i = 0; i < 50; i++) {
    stream.request({ typeUrl: endpoint, names: ['a'] });
    responses.push(await stream.nextAcked());
  }
  expect(new Set(responses.map((r) => r.version)).size).toBe(1);
  expect(new Set(responses.map((r) => r.nonce)).size).toBe(responses.length);
});

it('D-16 wraps each resource under its own name', async () => {
  ads.source
    .put(aCluster('a'), anAssignment('a', '10.0.0.1'), aListener('l', 'r'), aRouteConfig('r', ['a']), aSecret('s'))
    .commit();
  const stream = ads.open('delta');
  stream.request({ typeUrl: cluster }).request({ typeUrl: endpoint, names: ['a'] });
  stream.request({ typeUrl: TypeUrl.listener }).request({ typeUrl: TypeUrl.route, names: ['r'] });
  stream.request({ typeUrl: TypeUrl.secret, names: ['s'] });
  for (const [typeUrl, name] of [
    [cluster, 'a'],
    [endpoint, 'a'],
    [TypeUrl.listener, 'l'],
    [TypeUrl.route, 'r'],
    [TypeUrl.secret, 's'],
  ] as const) {
    const { resources } = await stream.nextAcked(typeUrl);
    expect(resources).toMatchObject([{ name, innerName: name, typeUrl }]);
  }
});

it('D-17 gives a cluster on demand, and says that there is none where the node may not see it', async () => {
  const [mine, other] = [aNode('client-a'), aNode('client-b')];
  ads.source.put(aCluster('shared')).putFor(mine.id, aCluster('mine')).putFor(other.id, aCluster('theirs')).commit();
  const stream = ads.open('delta', mine).request({ typeUrl: cluster, names: ['mine'] });
  expect(names(await stream.nextAcked())).toEqual(['mine']);
  stream.request({ typeUrl: cluster, names: ['theirs'] });
  const response = await stream.nextAcked();
  expect(response.removed).toEqual(['theirs']);
  expect(response.resources).toEqual([]);
  stream.request({ typeUrl: cluster, names: ['shared'] });
  expect(names(await stream.nextAcked())).toEqual(['shared']);
});
