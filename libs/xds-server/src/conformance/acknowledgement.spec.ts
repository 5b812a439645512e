import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TypeUrl } from '@seine/envoy';
import {
  aCluster,
  AdsFixture,
  type AdsVariant,
  aListener,
  anAssignment,
  aNode,
  aRouteConfig,
  aSecret,
} from '@seine/testing';
import { XdsServer } from '../xds-server.js';

const nacked: string[] = [];
const unknown: string[] = [];
const withheld: string[] = [];
const ads = new AdsFixture(
  (source) =>
    new XdsServer({
      source,
      now: () => 1_700_000_000_000,
      events: {
        nacked: (typeUrl, proxy, message) => nacked.push(`${typeUrl} ${proxy} ${message}`),
        unknownType: (typeUrl) => unknown.push(typeUrl),
        withheld: (proxy, names) => withheld.push(...names.map((name) => `${proxy} ${name}`)),
      },
    }),
);
beforeEach(async () => {
  nacked.length = 0;
  unknown.length = 0;
  withheld.length = 0;
  await ads.start();
});
afterEach(() => ads.stop());

const both: AdsVariant[] = ['sotw', 'delta'];

describe.each(both)('ACK and NACK (%s)', (variant) => {
  it('X-4 answers 100 acknowledgements with nothing', async () => {
    ads.source.put(aCluster('a'), anAssignment('a', '10.0.0.1')).commit();
    const stream = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
    const clusters = await stream.next();
    stream.request({ typeUrl: TypeUrl.endpoint, names: ['a'] });
    const endpoints = await stream.next(TypeUrl.endpoint);
    // A delta acknowledgement names nothing; a state-of-the-world one repeats its names.
    for (let i = 0; i < 50; i++) stream.ack(clusters).ack(endpoints);
    await stream.expectNone();
  });

  it('S-6 tells once of each secret that a proxy asks for and does not get', async () => {
    const node = aNode();
    ads.source.put(aSecret('own'), aCluster('a')).commit();
    const stream = ads.open(variant, node).request({ typeUrl: TypeUrl.secret, names: ['own', 'lost'] });
    const response = await stream.nextAcked(TypeUrl.secret);
    expect(response.resources.map(({ name }) => name)).toEqual(['own']);
    stream.request({ typeUrl: TypeUrl.secret, names: ['own', 'lost', 'other'], nonce: response.nonce });
    stream.request({ typeUrl: TypeUrl.cluster });
    await stream.next(TypeUrl.cluster);
    expect(withheld).toEqual([`${node.id} lost`, `${node.id} other`]);
  });

  it('X-5 sends a refused version no more, shows the refusal, and sends the next version', async () => {
    const node = aNode();
    ads.source.put(aCluster('a')).commit();
    const stream = ads.open(variant, node).request({ typeUrl: TypeUrl.cluster });
    const first = await stream.nextAcked();
    ads.source.put(aCluster('a', 1)).commit();
    const refused = await stream.next();
    expect(refused.version).not.toBe(first.version);
    await stream.nack(refused, 'a: no such thing', first.version).expectNone();
    const { proxies, refusals } = ads.server.status();
    expect(proxies).toHaveLength(1);
    expect(proxies[0]).toMatchObject({ id: node.id });
    expect(proxies[0]!.types.find((t) => t.typeUrl === TypeUrl.cluster)?.nack).toEqual({
      message: 'a: no such thing',
      at: 1_700_000_000_000,
      version: refused.version,
    });
    expect(refusals).toMatchObject([{ typeUrl: TypeUrl.cluster, name: 'a', message: 'a: no such thing' }]);
    expect(refusals[0]!.proxies).toEqual([node.id]);
    expect(nacked).toEqual([`${TypeUrl.cluster} ${node.id} a: no such thing`]);
    ads.source.put(aCluster('a', 2)).commit();
    const next = await stream.nextAcked();
    expect(next.version).not.toBe(refused.version);
    await stream.expectNone();
    expect(ads.server.status().refusals).toEqual([]);
    expect(ads.server.status().proxies[0]!.types.find((t) => t.typeUrl === TypeUrl.cluster)?.nack).toBeUndefined();
  });

  it('X-5 shows no refusal any more when what the client has is wanted again', async () => {
    ads.source.put(aCluster('a')).commit();
    const stream = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
    const first = await stream.nextAcked();
    ads.source.put(aCluster('a', 1)).commit();
    await stream.nack(await stream.next(), 'a: no such thing', first.version).expectNone();
    ads.source.put(aCluster('a')).commit();
    await stream.expectNone();
    const { proxies, refusals } = ads.server.status();
    expect(refusals).toEqual([]);
    expect(proxies[0]!.types.find((t) => t.typeUrl === TypeUrl.cluster)?.nack).toBeUndefined();
    expect(proxies[0]!.settledRevision).toBe(ads.source.revision);
  });

  it.each(['sent', 'held', ''])('X-6 takes error_detail for a NACK whatever the version (%s)', async (which) => {
    ads.source.put(aCluster('a')).commit();
    const stream = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
    const first = await stream.nextAcked();
    ads.source.put(aCluster('a', 1)).commit();
    const sent = await stream.next();
    await stream.nack(sent, 'bad', { sent: sent.version, held: first.version }[which] ?? '').expectNone();
    expect(nacked).toHaveLength(1);
    expect(ads.server.status().refusals).toHaveLength(1);
  });

  it('X-5 takes a NACK without a message for a NACK', async () => {
    ads.source.put(aCluster('a')).commit();
    const stream = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
    await stream.nack(await stream.next(), '').expectNone();
    expect(nacked).toHaveLength(1);
  });

  it('X-7 sends nothing for 200 edits that change nothing', async () => {
    const content = () => [aCluster('a'), anAssignment('a', '10.0.0.1'), aListener('l', 'r'), aRouteConfig('r', ['a'])];
    ads.source.put(...content()).commit();
    const envoy = await ads.envoy(variant);
    const before = envoy.received.length;
    for (let i = 0; i < 200; i++) ads.source.put(...content()).commit();
    await envoy.stream.barrier();
    expect(envoy.received).toHaveLength(before);
  });

  it('X-22 keeps a stream with an unknown type open, counts it, and serves the other types', async () => {
    ads.source.put(aCluster('a')).commit();
    const stream = ads.open(variant).request({ typeUrl: 'type.googleapis.com/no.such.Type' });
    await stream.request({ typeUrl: 'type.googleapis.com/no.such.Type', names: ['x'] }).expectNone();
    stream.request({ typeUrl: TypeUrl.cluster });
    await stream.nextAcked(TypeUrl.cluster);
    expect(unknown).toEqual(['type.googleapis.com/no.such.Type']);
  });

  it('X-30 has one response of a type under way, and merges what comes meanwhile', async () => {
    ads.source.put(anAssignment('a', '10.0.0.1')).commit();
    const stream = ads.open(variant).request({ typeUrl: TypeUrl.endpoint, names: ['a'] });
    const first = await stream.next();
    for (let i = 2; i < 10; i++) ads.source.put(anAssignment('a', `10.0.0.${i}`)).commit();
    await stream.expectNone();
    stream.ack(first);
    await stream.nextAcked();
    expect(stream.state.contents(TypeUrl.endpoint)).toEqual({
      a: anAssignment('a', '10.0.0.9').resource.bytes.toString('base64'),
    });
    await stream.expectNone();
  });

  it('X-30 a type under way does not hold back another', async () => {
    ads.source.put(anAssignment('a', '10.0.0.1'), aListener('l', 'r')).commit();
    const stream = ads.open(variant).request({ typeUrl: TypeUrl.endpoint, names: ['a'] });
    await stream.next(TypeUrl.endpoint);
    stream.request({ typeUrl: TypeUrl.listener });
    await stream.nextAcked(TypeUrl.listener);
    ads.source.put(aListener('l', 'r', 1)).commit();
    await stream.next(TypeUrl.listener);
  });
});

describe.each(both)('what one proxy refuses (%s)', (variant) => {
  const [bad, good] = [aNode('client-bad'), aNode('client-good')];

  it('X-37 goes on with every other resource', async () => {
    ads.source.put(aCluster('a'), aCluster('b')).commit();
    const stream = ads.open(variant).request({ typeUrl: TypeUrl.cluster });
    await stream.nextAcked();
    ads.source.put(aCluster('a', 1)).commit();
    await stream.nack(await stream.next(), "cluster 'a': refused", 'v').expectNone();
    ads.source.put(aCluster('b', 1)).commit();
    const response = await stream.nextAcked();
    const sent = Object.fromEntries(response.resources.map((r) => [r.name, r.bytes.toString('base64')]));
    expect(sent['b']).toBe(aCluster('b', 1).resource.bytes.toString('base64'));
    // State-of-the-world has to repeat the other cluster: in its last accepted form.
    if (variant === 'sotw') expect(sent['a']).toBe(aCluster('a').resource.bytes.toString('base64'));
    else expect(Object.keys(sent)).toEqual(['b']);
  });

  it('X-37 gives a new proxy the last version that somebody accepted', async () => {
    ads.source.put(aCluster('a')).commit();
    const first = ads.open(variant, bad).request({ typeUrl: TypeUrl.cluster });
    await first.nextAcked();
    ads.source.put(aCluster('a', 1)).commit();
    await first.nack(await first.next(), "cluster 'a': refused").expectNone();
    const second = ads.open(variant, good).request({ typeUrl: TypeUrl.cluster });
    await second.nextAcked();
    expect(second.state.contents(TypeUrl.cluster)).toEqual({
      a: aCluster('a').resource.bytes.toString('base64'),
    });
  });

  it('X-37 keeps nothing from a proxy that has accepted it', async () => {
    ads.source.put(aCluster('a')).commit();
    const [one, two] = [bad, good].map((node) => ads.open(variant, node).request({ typeUrl: TypeUrl.cluster }));
    await one!.nextAcked();
    await two!.nextAcked();
    ads.source.put(aCluster('a', 1)).commit();
    await two!.nextAcked();
    await two!.barrier();
    one!.nack(await one!.next(), "cluster 'a': refused");
    await one!.expectNone();
    await two!.expectNone();
    expect(two!.state.contents(TypeUrl.cluster)).toEqual({
      a: aCluster('a', 1).resource.bytes.toString('base64'),
    });
    expect(ads.server.status().refusals).toMatchObject([{ name: 'a', acceptedElsewhere: true }]);
  });
});
