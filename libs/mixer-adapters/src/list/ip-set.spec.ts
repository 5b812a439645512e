import { describe, expect, it } from '@jest/globals';
import { IpSet } from './ip-set.js';

const set = new IpSet();
for (const entry of ['10.57.0.0/16', '192.0.2.7', '2001:db8::/33', '::1', '198.51.100.255/24']) set.add(entry);

describe('IpSet', () => {
  it.each([
    ['10.57.0.0', true],
    ['10.57.255.255', true],
    ['10.58.0.0', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['198.51.100.1', true],
    ['::ffff:10.57.1.2', true],
    ['2001:DB8:7fff:ffff::', true],
    ['2001:db8:8000::', false],
    ['0:0:0:0:0:0:0:1', true],
    ['::2', false],
    ['productpage', undefined],
    ['', undefined],
  ])('%s: %s', (address, expected) => {
    expect(set.has(address)).toBe(expected);
  });

  it('0.0.0.0/0 has every address of IPv4, and none of IPv6', () => {
    const all = new IpSet();
    all.add('0.0.0.0/0');
    expect([all.has('255.255.255.255'), all.has('::1')]).toEqual([true, false]);
  });

  it.each(['10.0.0.0/33', 'a', '10.0.0', '1.2.3.4/'])('%s is no entry', (entry) => {
    expect(new IpSet().add(entry)).toBe(false);
  });
});
