import { describe, expect, it } from '@jest/globals';
import { formatWorkloadId, parseSpiffeId, parseWorkloadId } from './spiffe-id.js';

const good: readonly (readonly [string, string, string])[] = [
  ['spiffe://cluster.local/ns/default/sa/bookinfo-reviews', 'cluster.local', '/ns/default/sa/bookinfo-reviews'],
  ['spiffe://cluster.local', 'cluster.local', ''],
  ['spiffe://a_b-c.d/x', 'a_b-c.d', '/x'],
  ['spiffe://td/A.b_c-9', 'td', '/A.b_c-9'],
  ['spiffe://td/.../x', 'td', '/.../x'],
  [`spiffe://td/${'x'.repeat(2036)}`, 'td', `/${'x'.repeat(2036)}`],
];

const bad = [
  '',
  'spiffe:',
  'spiffe:/td/x',
  'spiffe://',
  'spiffe:///x',
  'SPIFFE://td/x',
  'Spiffe://td/x',
  'http://td/x',
  'https://td/x',
  'td/ns/x/sa/y',
  ' spiffe://td/x',
  'spiffe://td/x ',
  'spiffe://TD/x',
  'spiffe://Cluster.local/x',
  'spiffe://td:80/x',
  'spiffe://user@td/x',
  'spiffe://user:pass@td/x',
  'spiffe://td/x?y=z',
  'spiffe://td/x#y',
  'spiffe://td?x',
  'spiffe://td#x',
  'spiffe://td/',
  'spiffe://td/x/',
  'spiffe://td//x',
  'spiffe://td/x//y',
  'spiffe://td/./x',
  'spiffe://td/x/.',
  'spiffe://td/../x',
  'spiffe://td/x/..',
  'spiffe://td/%61',
  'spiffe://td/a%2Fb',
  'spiffe://t%64/x',
  'spiffe://td/a b',
  'spiffe://td/a\u0000b',
  'spiffe://td\u0000/x',
  'spiffe://td/ä',
  'spiffe://tä/x',
  'spiffe://td/a;b',
  'spiffe://td/a,b',
  'spiffe://td/a\\b',
  'spiffe://td/a\nb',
  'spiffe://[::1]/x',
  'spiffe://td/ns/*/sa/y',
  `spiffe://${'x'.repeat(256)}/y`,
  `spiffe://td/${'x'.repeat(2037)}`,
];

describe('SPIFFE IDs', () => {
  it.each(good)('%s is read', (text, trustDomain, path) => {
    expect(parseSpiffeId(text)).toEqual({ trustDomain, path });
  });

  it.each(bad.map((text) => [JSON.stringify(text).slice(0, 60), text] as const))(
    'C-5 %s is refused',
    (_shown, text) => {
      expect(parseSpiffeId(text)).toEqual({ error: expect.any(String) });
      expect(parseWorkloadId(text)).toBeUndefined();
    },
  );

  it('of workloads are made of accounts and read again', () => {
    const identity = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'bookinfo-reviews' };
    expect(parseWorkloadId(formatWorkloadId(identity))).toEqual(identity);
  });

  it.each([
    { namespace: '' },
    { namespace: 'a/sa/b' },
    { serviceAccount: '..' },
    { serviceAccount: 'a/b' },
    { trustDomain: 'a/ns/b' },
    { trustDomain: 'TD' },
  ])('are never made of %j', (part) => {
    expect(() => formatWorkloadId({ trustDomain: 'td', namespace: 'ns', serviceAccount: 'sa', ...part })).toThrow(
      RangeError,
    );
  });

  it.each([
    'spiffe://td',
    'spiffe://td/ns/x',
    'spiffe://td/ns/x/sa/y/z',
    'spiffe://td/sa/x/ns/y',
    'spiffe://td/workload',
  ])('%s is no account’s', (text) => expect(parseWorkloadId(text)).toBeUndefined());
});
