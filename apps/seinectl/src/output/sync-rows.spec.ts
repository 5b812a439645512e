import { describe, expect, it } from '@jest/globals';
import type { ProxySync, TypeSync } from '../client/syncz.js';
import { fullName, isRefusing, syncRows } from './sync-rows.js';

const now = Date.parse('2026-01-01T00:10:00Z');
const synced: TypeSync = { status: 'SYNCED', sent: 'b', acked: 'b' };
const rejected: TypeSync = {
  status: 'REJECTED',
  sent: 'b',
  acked: 'a',
  nack: { message: 'no such cluster\n', at: '2026-01-01T00:07:00Z' },
};

function proxy(fields: Partial<ProxySync>): ProxySync {
  const ids = { id: 'i', name: 'a', namespace: 'default', type: 'sidecar', cluster: 'Kubernetes' };
  return { ...ids, envoyVersion: '1.40.0', connected: true, ackedRevision: 7, synced: true, types: {}, ...fields };
}

describe('syncRows', () => {
  it.each<[string, TypeSync | undefined, boolean, unknown]>([
    ['synced', synced, true, { text: 'SYNCED', colour: 'green' }],
    ['unknown type', undefined, true, { text: 'NOT SENT', colour: 'dim' }],
    ['stale', { ...synced, status: 'STALE' }, true, { text: 'STALE', colour: 'yellow' }],
    [
      'stale for 2 minutes',
      { ...synced, status: 'STALE', pendingSince: '2026-01-01T00:08:00Z' },
      true,
      { text: 'STALE (2m)', colour: 'yellow' },
    ],
    ['rejected', rejected, true, { text: 'REJECTED (3m)', colour: 'red' }],
    ['gone', synced, false, { text: 'DISCONNECTED', colour: 'red' }],
    ['gone after a refusal', rejected, false, { text: 'REJECTED (3m)', colour: 'red' }],
  ])('%s', (_case, cds, connected, cell) => {
    const [row] = syncRows({ revision: 7, proxies: [proxy({ connected, types: { cds } })] }, 'p:1', now);
    expect(row?.cells[2]).toEqual(cell);
  });

  it('sorts by name and shows a refusal under its row', () => {
    const proxies = [proxy({ name: 'b', types: { lds: rejected } }), proxy({ types: { lds: synced } })];
    const rows = syncRows({ revision: 7, proxies }, '127.0.0.1:15014', now);
    expect(rows.map((row) => row.cells[0])).toEqual(['a.default', 'b.default']);
    expect(rows.map((row) => row.notes)).toEqual([[], ['LDS refused: no such cluster']]);
    expect(rows[0]?.cells.slice(6)).toEqual(['127.0.0.1:15014', '1.40.0']);
    expect(proxies.map(isRefusing)).toEqual([true, false]);
  });

  it('names a proxy that told no namespace by its id alone', () => {
    expect(fullName({ name: 'made-up', namespace: '' })).toBe('made-up');
  });
});
