import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { AdsFixture, aCluster, aNode } from '@seine/testing';
import { TypeUrl } from '@seine/envoy';
import type { Admission } from './admission.js';
import { XdsServer } from './xds-server.js';

const identity = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'client' };

describe('a stream whose client is not known yet', () => {
  let coming: Promise<Admission>;
  let settle: (admission: Admission | Error) => void;
  const refused: string[] = [];
  const fixture = new AdsFixture(
    (source) =>
      new XdsServer({
        source,
        now: Date.now,
        limits: { maxRequestBytes: 4096 },
        authenticate: () => coming,
        events: { refused: (_peer, code, reason) => refused.push(`${code} ${reason}`) },
      }),
  );

  beforeEach(async () => {
    refused.length = 0;
    coming = new Promise((resolve, reject) => {
      settle = (admission) => (admission instanceof Error ? reject(admission) : resolve(admission));
    });
    await fixture.start();
    fixture.source.put(aCluster('a'));
  });
  afterEach(() => fixture.stop());

  it('is answered all that it asked meanwhile, in order', async () => {
    const stream = fixture.open('delta').request({ typeUrl: TypeUrl.cluster });
    stream.request({ typeUrl: TypeUrl.secret, names: ['barrier-0'] });
    settle({ identity });
    expect((await stream.next(TypeUrl.cluster)).resources.map(({ name }) => name)).toContain('a');
    expect((await stream.next(TypeUrl.secret)).resources.map(({ name }) => name)).toEqual(['barrier-0']);
    expect(fixture.server.streams).toBe(1);
  });

  it('gets nothing where it is not let in', async () => {
    const stream = fixture.open('delta').request({ typeUrl: TypeUrl.cluster });
    settle({ error: 'not you', reason: 'the token has expired' });
    expect(await stream.ended).toMatchObject({ code: status.UNAUTHENTICATED, details: 'not you' });
    expect(stream.inbox).toEqual([]);
    expect(refused).toEqual([`${status.UNAUTHENTICATED} the token has expired`]);
    expect(fixture.source.openNodes).toEqual([]);
  });

  it('is to come back where nobody can be asked', async () => {
    const stream = fixture.open('delta').request({ typeUrl: TypeUrl.cluster });
    settle(new Error('no answer of the provider'));
    expect(await stream.ended).toMatchObject({ code: status.UNAVAILABLE });
  });

  it.each([
    ['requests', 17, 1],
    ['bytes', 3, 2000],
  ])('may not send too many %s', async (_what, requests, size) => {
    const stream = fixture.open('delta');
    for (let index = 0; index < requests; index++)
      stream.request({ typeUrl: TypeUrl.secret, names: ['x'.repeat(size)] });
    expect(await stream.ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    settle({ identity });
    await coming;
    expect(fixture.server.streams).toBe(0);
  });

  it('is forgotten when it goes first', async () => {
    const client = fixture.client();
    const stream = client.open('delta', aNode()).request({ typeUrl: TypeUrl.cluster });
    client.close();
    await stream.ended;
    const other = fixture.open('delta').request({ typeUrl: TypeUrl.cluster });
    settle({ identity });
    await other.next(TypeUrl.cluster);
    expect(fixture.source.openNodes).toHaveLength(1);
  });
});
