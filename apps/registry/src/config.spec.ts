import { describe, expect, it } from '@jest/globals';
import { parseArguments, parseLoopback, UsageError } from './config.js';

describe('parseArguments', () => {
  it('reads flags and fills in defaults', () => {
    expect(parseArguments(['--config-dir', 'a', '--config-dir', 'b', '--state', 's', '--fresh'])).toEqual({
      configDirs: ['a', 'b'],
      stateDir: 's',
      fresh: true,
      listen: '127.0.0.1:15019',
      service: undefined,
      admins: [],
      admin: { host: '127.0.0.1', port: 15018 },
    });
  });

  it('serves other machines where it has an identity', () => {
    const id = 'spiffe://td/ns/ops/sa/deploy';
    const service = ['--citadel', 'c:15012', '--root-cert', 'r', '--token-file', 't', '--trust-domain', 'td'];
    const argv = ['--config-dir', 'a', '--listen', '0.0.0.0:15019', ...service, '--admin-id', id];
    expect(parseArguments(argv)).toMatchObject({
      listen: '0.0.0.0:15019',
      service: { citadel: 'c:15012', trustDomain: 'td' },
      admins: [id],
    });
  });

  it.each<[string, readonly string[], string]>([
    ['nothing to serve', [], '--config-dir or --state'],
    ['an unknown flag', ['--config-dir', 'a', '--wrong'], '--wrong'],
    ['no port', ['--config-dir', 'a', '--admin', 'localhost'], 'HOST:PORT'],
    ['a port too high', ['--config-dir', 'a', '--admin', 'localhost:70000'], 'HOST:PORT'],
    ['an admin who cannot show it', ['--config-dir', 'a', '--admin-id', 'spiffe://td/ns/a/sa/b'], 'needs --citadel'],
    [
      'an admin who is none',
      ['--config-dir', 'a', '--citadel', 'c:1', '--root-cert', 'r', '--token-file', 't', '--admin-id', 'me'],
      "--admin-id 'me' is not",
    ],
    ['an open config API', ['--config-dir', 'a', '--listen', '0.0.0.0:15019'], 'loopback only'],
  ])('refuses %s', (_, argv, message) => {
    expect(() => parseArguments(argv)).toThrow(UsageError);
    expect(() => parseArguments(argv)).toThrow(message);
  });

  it.each(['127.0.0.1:0', '127.4.7.1:15019', 'localhost:1', '[::1]:15019'])('takes %s as loopback', (address) => {
    expect(parseLoopback(address)).toBe(address);
  });

  it.each(['10.0.0.1:1', '[::]:1', 'example.com:1', '127.0.0.1.example.com:1'])('refuses %s', (address) => {
    expect(() => parseLoopback(address)).toThrow(UsageError);
  });
});
