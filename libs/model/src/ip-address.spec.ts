import { describe, expect, it } from '@jest/globals';
import { formatIpv4, isIpAddress, parseCidr, parseIpv4 } from './ip-address.js';

describe('ip addresses', () => {
  it.each([
    ['0.0.0.0', true],
    ['255.255.255.255', true],
    ['256.0.0.1', false],
    ['1.2.3', false],
    ['01.2.3.4', false],
    ['::', true],
    ['::1', true],
    ['fe80::1:2', true],
    ['1:2:3:4:5:6:7:8', true],
    ['1:2:3:4:5:6:7', false],
    ['1:2:3:4:5:6:7:8::', false],
    ['::ffff:10.0.0.1', true],
    ['1::2::3', false],
    ['fe80::1%eth0', false],
    ['12345::', false],
    ['reviews', false],
    ['', false],
  ])('%s is an address: %s', (text, expected) => {
    expect(isIpAddress(text)).toBe(expected);
  });

  it.each([
    ['10.0.0.0/8', { address: '10.0.0.0', prefixLength: 8 }],
    ['10.0.0.1', { address: '10.0.0.1', prefixLength: 32 }],
    ['2001:db8::/32', { address: '2001:db8::', prefixLength: 32 }],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/8/8', undefined],
    ['x/8', undefined],
  ])('the block %s', (text, expected) => {
    expect(parseCidr(text)).toEqual(expected);
  });

  it('writes what it reads', () => {
    expect(formatIpv4((parseIpv4('240.240.0.255') ?? 0) + 1)).toBe('240.240.1.0');
  });
});
