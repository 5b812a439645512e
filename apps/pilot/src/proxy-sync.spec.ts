import { describe, expect, it } from '@jest/globals';
import { TypeUrl } from '@seine/envoy';
import { aProxy } from '@seine/testing';
import type { ProxyStatus, TypeStatus } from '@seine/xds-server';
import { syncReport } from './proxy-sync.js';

function aType(typeUrl: string, fields: Partial<TypeStatus> = {}): TypeStatus {
  return { typeUrl, sent: 'v2', acked: 'v2', pendingSince: undefined, nack: undefined, ...fields };
}

function aStatus(fields: Partial<ProxyStatus> = {}): ProxyStatus {
  return {
    id: aProxy().id,
    stream: 1,
    peer: '127.0.0.1:1',
    variant: 'delta',
    envoyVersion: '1.40.0',
    connectedAt: 0,
    settledRevision: 7,
    goalRevision: 7,
    types: [],
    ...fields,
  };
}

describe('syncReport', () => {
  it.each([
    ['SYNCED', aType(TypeUrl.route)],
    ['STALE', aType(TypeUrl.route, { acked: 'v1', pendingSince: 1000 })],
    ['REJECTED', aType(TypeUrl.route, { nack: { message: 'no', at: 2000, version: 'v2' } })],
    ['NOT SENT', aType(TypeUrl.route, { sent: '' })],
    ['NOT SENT', undefined],
  ])('says %s', (expected, type) => {
    const { proxies } = syncReport({ proxies: [aStatus({ types: type ? [type] : [] })], refusals: [] }, [], 7, 7);
    expect(proxies[0]?.types.rds.status).toBe(expected);
    expect(proxies[0]?.types.cds.status).toBe('NOT SENT');
  });

  it('tells of secrets and extensions where the proxy has asked for some', () => {
    const nack = { message: 'bad certificate', at: 2000, version: 'v2' };
    const [proxy] = syncReport(
      { proxies: [aStatus({ types: [aType(TypeUrl.secret, { nack })] })], refusals: [] },
      [],
      7,
      7,
    ).proxies;
    expect(proxy?.types.sds?.status).toBe('REJECTED');
    expect(Object.keys(proxy?.types ?? {})).toEqual(['cds', 'lds', 'eds', 'rds', 'sds']);
  });

  it('tells since when, and what was refused, in RFC 3339', () => {
    const nack = { message: 'no such cluster', at: 2000, version: 'v2' };
    const types = [aType(TypeUrl.listener, { pendingSince: 1000, nack })];
    const [proxy] = syncReport({ proxies: [aStatus({ types })], refusals: [] }, [], 7, 7).proxies;
    expect(proxy?.types.lds).toEqual({
      status: 'REJECTED',
      sent: 'v2',
      acked: 'v2',
      pendingSince: '1970-01-01T00:00:01.000Z',
      nack: { message: 'no such cluster', at: '1970-01-01T00:00:02.000Z', version: 'v2' },
    });
  });

  it.each([
    [7, true],
    [8, false],
  ])('is about the revision asked for: %i is accepted: %s', (revision, synced) => {
    const report = syncReport({ proxies: [aStatus()], refusals: [] }, [aProxy()], 8, revision);
    expect(report).toMatchObject({ revision: 8, proxies: [{ name: 'client-1', namespace: 'default', synced }] });
  });

  it('counts only the newest stream of a proxy, and sorts by id', () => {
    const [dead, alive] = [aStatus({ stream: 1, settledRevision: 3 }), aStatus({ stream: 2, settledRevision: 7 })];
    const other = aStatus({ id: 'a', stream: 3 });
    for (const proxies of [
      [dead, alive, other],
      [other, alive, dead],
    ])
      expect(
        syncReport({ proxies, refusals: [] }, [], 7, 7).proxies.map(({ id, ackedRevision }) => [id, ackedRevision]),
      ).toEqual([
        ['a', 7],
        [aProxy().id, 7],
      ]);
  });
});
