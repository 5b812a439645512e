import { describe, expect, it } from '@jest/globals';
import { hostsOverlap, hostWithin, isDomain, isIP, isIPOrPrefix, isWildcardDomain } from './addresses.js';

describe('addresses', () => {
  it.each([
    ['10.0.0.1', true],
    ['256.0.0.1', false],
    ['1.2.3', false],
    ['01.2.3.4', false],
    ['::', true],
    ['::1', true],
    ['001:db8::', true],
    ['2001:db8:0:0:0:0:0:1', true],
    ['2001:db8::1::2', false],
    ['1:2:3:4:5:6:7:8:9', false],
    ['1:2:3:4:5:6:7::8', false],
    ['::ffff:10.0.0.1', true],
    ['::10.0.0.1:1', false],
    ['12345::', false],
    ['', false],
  ])('%s is an IP address: %s', (text, is) => expect(isIP(text)).toBe(is));

  it.each([
    ['10.0.0.0/8', true],
    ['10.0.0.0/33', false],
    ['2001:db8::/32', true],
    ['2001:db8::/129', false],
    ['10.0.0.1', true],
    ['10.0.0.0/', false],
    ['10.0.0.0/a', false],
  ])('%s is an IP address or prefix: %s', (text, is) => expect(isIPOrPrefix(text)).toBe(is));

  it.each([
    ['reviews', true, true],
    ['reviews.default.svc.cluster.local', true, true],
    ['example.com.', true, true],
    ['*', false, true],
    ['*.example.com', false, true],
    ['*-prod.example.com', false, true],
    ['*x', false, true],
    ['foo*', false, false],
    ['a.*.com', false, false],
    ['-a.com', false, false],
    ['a..com', false, false],
    ['a_b.com', false, false],
    ['10.0.0.1', false, false],
    [`${'a'.repeat(64)}.com`, false, false],
    ['', false, false],
  ])('%s is a domain: %s, with wildcards: %s', (text, domain, wildcard) => {
    expect([isDomain(text), isWildcardDomain(text)]).toEqual([domain, wildcard]);
  });

  it.each([
    ['a.b.com', '*.b.com', true],
    ['*.a.b.com', '*.b.com', true],
    ['b.com', '*.b.com', false],
    ['a.b.com', '*', true],
    ['A.b.com', 'a.B.com', true],
    ['*', 'a.com', false],
    ['a.com', 'b.com', false],
  ])('%s lies within %s: %s', (host, general, is) => expect(hostWithin(host, general)).toBe(is));

  it('finds overlaps either way', () => {
    expect(hostsOverlap('*.com', 'a.com')).toBe(true);
    expect(hostsOverlap('a.com', '*.com')).toBe(true);
    expect(hostsOverlap('a.com', 'b.com')).toBe(false);
  });
});
