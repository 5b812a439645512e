import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseAddress, parseArguments, UsageError } from './config.js';

const plain = ['--config-dir', 'a', '--xds', '127.0.0.1:1'];
const citadel = ['--citadel', 'citadel:15012', '--root-cert', 'root.pem', '--token-file', 'token'];

describe('the command line of pilot', () => {
  it('X-34: has no plain text unless it is asked for, and ADS over mutual TLS where there is a citadel', () => {
    expect(parseArguments(['--config-dir', 'a', '--config-dir', 'b', ...citadel])).toEqual({
      configDirs: ['a', 'b'],
      xds: undefined,
      secure: {
        listen: '0.0.0.0:15012',
        citadel: 'citadel:15012',
        rootCertFile: path.resolve('root.pem'),
        tokenFile: path.resolve('token'),
        trustDomain: 'cluster.local',
        lifetime: 0,
        citadelAdmin: undefined,
        oidc: undefined,
      },
      admin: '127.0.0.1:15014',
      drainMs: 3000,
      meshConfigFile: undefined,
      jwks: { allow: [], block: [], root: undefined, refreshMs: 20 * 60_000 },
    });
    expect(parseArguments(plain)).toMatchObject({
      xds: '127.0.0.1:1',
      secure: undefined,
    });
  });

  it('takes addresses and the drain time', () => {
    const options = parseArguments([
      ...plain,
      '--admin',
      '[::1]:2',
      '--drain',
      '0',
      ...citadel,
      '--secure-xds',
      '[::]:3',
    ]);
    expect(options).toMatchObject({ admin: '[::1]:2', drainMs: 0, secure: { listen: '[::]:3' } });
  });

  it('takes whose tokens are believed, and the trust domain', () => {
    const oidc = ['--oidc-issuer', 'https://a', '--oidc-jwks', 'https://a/keys', '--trust-domain', 'td', '--ttl', '60'];
    expect(parseArguments([...plain, ...citadel, ...oidc])).toMatchObject({
      secure: {
        trustDomain: 'td',
        lifetime: 60,
        oidc: { issuer: 'https://a', keys: new URL('https://a/keys'), audience: 'istio-ca' },
      },
    });
  });

  it('takes where it is said who is revoked', () => {
    const options = parseArguments([...plain, ...citadel, '--citadel-admin', 'http://citadel:15014']);
    expect(options).toMatchObject({ secure: { citadelAdmin: new URL('http://citadel:15014') } });
  });

  it('takes a file of the mesh config', () => {
    const options = parseArguments([...plain, '--mesh-config', 'mesh.yaml']);
    expect(options).toMatchObject({ meshConfigFile: 'mesh.yaml' });
  });

  it.each([
    [[], '--config-dir or --redis is required'],
    [['--config-dir', 'a'], '--citadel (mutual TLS) or --xds (plain text, loopback) is required'],
    [[...plain, '--xds', '15010'], "'15010' is not HOST:PORT"],
    [[...plain, '--xds', '0.0.0.0:15010'], '--xds is plain text and listens on loopback only'],
    [[...plain, '--admin', 'localhost:70000'], "'localhost:70000' is not HOST:PORT"],
    [[...plain, '--drain', 'soon'], "--drain takes milliseconds, not 'soon'"],
    [[...plain, '--drain=-1'], "--drain takes milliseconds, not '-1'"],
    [[...plain, '--verbose'], '--verbose'],
    [[...plain, '--secure-xds', '127.0.0.1:1'], '--secure-xds needs --citadel'],
    [[...plain, '--citadel-admin', 'http://a:1'], '--citadel-admin needs --citadel'],
    [[...plain, ...citadel, '--citadel-admin', 'a:1'], "--citadel-admin 'a:1' is not http(s)://HOST:PORT"],
    [[...plain, '--citadel', 'a:1', '--token-file', 't'], '--root-cert is required'],
    [[...plain, '--citadel', 'a:1', '--root-cert', 'r'], '--token-file is required'],
    [[...plain, ...citadel, '--trust-domain', 'Cluster'], "--trust-domain 'Cluster'"],
    [[...plain, ...citadel, '--oidc-issuer', 'a'], '--oidc-issuer and --oidc-jwks go together'],
    [[...plain, ...citadel, '--oidc-issuer', 'a', '--oidc-jwks', 'b'], "--oidc-jwks 'b' is not a URL"],
  ])('%j is told: %s', (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(UsageError);
    expect(() => parseArguments(argv)).toThrow(message);
  });

  it.each([
    ['127.0.0.1:15010', { host: '127.0.0.1', port: 15010 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['localhost:65535', { host: 'localhost', port: 65535 }],
  ])('reads the address %s', (text, expected) => {
    expect(parseAddress(text)).toEqual(expected);
  });
});
