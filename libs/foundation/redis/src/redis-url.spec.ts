import { describe, expect, it } from '@jest/globals';
import { describeRedis, parseRedisUrl, RedisUrlError } from './redis-url.js';

const plain = { tls: false, user: undefined, password: undefined, database: 0, sentinelOf: undefined };

describe('an address of Redis', () => {
  it.each([
    ['redis://a', { ...plain, nodes: [{ host: 'a', port: 6379 }] }],
    ['a:7000', { ...plain, nodes: [{ host: 'a', port: 7000 }] }],
    ['redis://[::1]:7000/2', { ...plain, nodes: [{ host: '::1', port: 7000 }], database: 2 }],
    [
      'rediss://us%40r:p%2Fw:x@a',
      { ...plain, tls: true, user: 'us@r', password: 'p/w:x', nodes: [{ host: 'a', port: 6379 }] },
    ],
    ['redis://:pw@a/', { ...plain, password: 'pw', nodes: [{ host: 'a', port: 6379 }] }],
    ['redis://user@a', { ...plain, user: 'user', nodes: [{ host: 'a', port: 6379 }] }],
    [
      'rediss+sentinel://a,b:1/main/3',
      {
        ...plain,
        tls: true,
        database: 3,
        sentinelOf: 'main',
        nodes: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 1 },
        ],
      },
    ],
  ])('%s is read', (text, address) => {
    expect(parseRedisUrl(text)).toEqual(address);
  });

  it.each([
    ['', 'must be redis://'],
    ['http://a', 'must be redis://'],
    ['redis://', 'must be redis://'],
    ['redis://a?db=1', 'must be redis://'],
    ['redis://a:0', 'HOST or HOST:PORT'],
    ['redis://a:70000', 'HOST or HOST:PORT'],
    ['redis://a b', 'HOST or HOST:PORT'],
    ['redis://a,b', 'Redis Cluster is not used'],
    ['redis://a/main', 'must be a number'],
    ['redis://a/1/2', 'must be a number'],
    ['redis+sentinel://a', 'name the master'],
    ['redis+sentinel://a//1', 'name the master'],
    ['redis://:%zz@a', 'as %25'],
  ])('%s is none', (text, message) => {
    expect(() => parseRedisUrl(text)).toThrow(RedisUrlError);
    expect(() => parseRedisUrl(text)).toThrow(message);
  });

  it.each(['redis://u:hush@a:0', 'redis://u:hush@a/x', 'redis://u:hush@a,b', 'http://u:hush@a'])(
    'tells no password of %s',
    (text) => {
      expect(() => parseRedisUrl(text)).toThrow(expect.not.stringContaining('hush'));
    },
  );

  it.each([
    ['redis://u:hush@a/1', 'redis://a:6379'],
    ['rediss+sentinel://u:hush@a,[::1]:2/main', 'rediss+sentinel://a:26379,[::1]:2/main'],
  ])('%s is told as %s', (text, told) => {
    expect(describeRedis(parseRedisUrl(text))).toBe(told);
  });
});
