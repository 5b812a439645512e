import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseArguments } from './config.js';

const needed = ['--citadel', 'localhost:15012', '--root-cert', 'root.pem'];
const workload = ['--workload', 'a=default/a,token-file=t'];

describe('parseArguments', () => {
  it('reads workloads, with the socket that Istio’s Envoys know where none is given', () => {
    const more = ['--workload', 'b=ns/sa.b,token-file=/t=x,socket=s,files=/one,files=/two', '--ttl', '60'];
    expect(parseArguments([...needed, ...workload, ...more])).toEqual({
      citadel: 'localhost:15012',
      rootCertFile: path.resolve('root.pem'),
      trustDomain: 'cluster.local',
      workloads: [
        {
          name: 'a',
          namespace: 'default',
          serviceAccount: 'a',
          tokenFile: path.resolve('t'),
          socket: path.resolve('var/run/secrets/workload-spiffe-uds/socket'),
          files: undefined,
        },
        {
          name: 'b',
          namespace: 'ns',
          serviceAccount: 'sa.b',
          tokenFile: '/t=x',
          socket: path.resolve('s'),
          files: ['/one', '/two'],
        },
      ],
      keyType: 'ecdsa-p256',
      lifetime: 60,
      admin: { host: '127.0.0.1', port: 15020 },
    });
  });

  it.each<[readonly string[], RegExp]>([
    [[], /--citadel is required/],
    [['--citadel', 'x:1'], /--root-cert is required.*first use/],
    [['--citadel', 'x', '--root-cert', 'r', ...workload], /'x' is not HOST:PORT/],
    [needed, /--workload is required/],
    [[...needed, '--nonsense'], /nonsense/],
    [[...needed, '--workload', 'a'], /begins with NAME=NAMESPACE\/ACCOUNT/],
    [[...needed, '--workload', 'a=b/c'], /lacks token-file/],
    [[...needed, '--workload', 'a=b/c,token-file='], /'token-file=' is none of/],
    [[...needed, '--workload', 'a=b/c,tokenfile=x'], /'tokenfile=x' is none of token-file=…/],
    [[...needed, '--workload', 'a=b/c,token-file=x,token-file=y'], /token-file is given twice/],
    [[...needed, ...workload, ...workload], /--workload 'a' is given twice/],
    [[...needed, '--workload', `a=b/c,token-file=x,socket=/${'s'.repeat(107)}`], /longer than 107 bytes/],
    [[...needed, ...workload, '--key-type', 'dsa'], /none of ecdsa-p256, rsa-2048/],
    [[...needed, ...workload, '--ttl', '-1'], /number of seconds|ambiguous/],
    [[...needed, ...workload, '--trust-domain', 'A'], /lower-case/],
    [[...needed, ...workload, '--admin', 'x:99999'], /HOST:PORT/],
  ])('refuses %j', (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(message);
  });
});
