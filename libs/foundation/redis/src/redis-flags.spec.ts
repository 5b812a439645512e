import { describe, expect, it } from '@jest/globals';
import { UsageError } from '@seine/nest';
import { readRedisArguments, type RedisFlagValues } from './redis-flags.js';
import { parseRedisUrl } from './redis-url.js';

describe('the flags of Redis', () => {
  it('are not needed', () => {
    expect(readRedisArguments({})).toBeUndefined();
  });

  it('say how it is reached', () => {
    const flags = {
      redis: 'rediss://a',
      'redis-user': 'mixer',
      'redis-password-file': '/p',
      'redis-ca': '/ca.pem',
      'redis-cert': '/cert.pem',
      'redis-key': '/key.pem',
      'redis-timeout': '50',
    };
    expect(readRedisArguments(flags)).toEqual({
      address: parseRedisUrl('rediss://a'),
      user: 'mixer',
      passwordFile: '/p',
      sentinelPasswordFile: undefined,
      caFile: '/ca.pem',
      certFile: '/cert.pem',
      keyFile: '/key.pem',
      timeoutMs: 50,
    });
  });

  it.each<[string, RedisFlagValues, string]>([
    ['no address', { 'redis-user': 'mixer' }, '--redis-user needs --redis'],
    ['what is no address', { redis: 'http://a' }, '--redis: this is no address'],
    ['a password that all can see', { redis: 'redis://:pw@a' }, '--redis-password-file'],
    ['roots without TLS', { redis: 'redis://a', 'redis-ca': 'ca.pem' }, 'rediss://'],
    ['a certificate without its key', { redis: 'rediss://a', 'redis-cert': 'c.pem' }, 'go together'],
    ['no patience', { redis: 'redis://a', 'redis-timeout': '0' }, 'milliseconds'],
    ['patience without end', { redis: 'redis://a', 'redis-timeout': '1h' }, 'milliseconds'],
  ])('are refused with %s', (_, values, message) => {
    expect(() => readRedisArguments(values)).toThrow(UsageError);
    expect(() => readRedisArguments(values)).toThrow(message);
  });
});
