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
      trustDomainAliases: [],
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
      federatedBundleFiles: new Map(),
      stateDir: undefined,
      adminSocket: undefined,
      csi: undefined,
      check: false,
      keyType: 'ecdsa-p256',
      lifetime: 60,
      admin: { host: '127.0.0.1', port: 15020 },
    });
  });

  it('reads how pods get their sockets, and the roots of others', () => {
    const csi = ['--csi-socket', '/p/csi.sock', '--state', '/s', '--csi-mount', 'directory', '--node-id', 'n1'];
    const more = [
      '--trust-domain-alias',
      'old',
      '--trust-domain-alias',
      'older',
      '--csi-registration',
      '/r',
      '--federated-bundle',
      'other=/o.pem',
      '--admin-socket',
      '/a.sock',
    ];
    expect(parseArguments([...needed, ...csi, ...more])).toMatchObject({
      workloads: [],
      trustDomainAliases: ['old', 'older'],
      federatedBundleFiles: new Map([['other', '/o.pem']]),
      stateDir: '/s',
      adminSocket: '/a.sock',
      csi: {
        socket: '/p/csi.sock',
        driver: 'agent.seine.dev',
        nodeId: 'n1',
        mount: 'directory',
        audience: 'istio-ca',
        group: 1337,
        registrationDir: '/r',
        endpoint: '/p/csi.sock',
      },
    });
  });

  it.each<[readonly string[], RegExp]>([
    [[], /--citadel is required/],
    [['--citadel', 'x:1'], /--root-cert is required.*first use/],
    [['--citadel', 'x', '--root-cert', 'r', ...workload], /'x' is not HOST:PORT/],
    [needed, /--workload, --admin-socket or --csi-socket is required/],
    [[...needed, '--nonsense'], /nonsense/],
    [[...needed, '--workload', 'a'], /begins with NAME=NAMESPACE\/ACCOUNT/],
    [[...needed, '--workload', 'a=b/c'], /lacks token-file/],
    [[...needed, '--workload', 'a=b/c,token-file='], /'token-file=' is none of/],
    [[...needed, '--workload', 'a=b/c,tokenfile=x'], /'tokenfile=x' is none of token-file=…/],
    [[...needed, '--workload', 'a=b/c,token-file=x,token-file=y'], /token-file is given twice/],
    [[...needed, '--workload', 'a=b/c,token-file=x,envoy=here'], /envoy 'here' is not HOST:PORT/],
    [[...needed, '--workload', 'a=b/c,token-file=x,envoy=h:1,scrape=h:1'], /scrape 'h:1' is not HOST:PORT\/PATH/],
    [[...needed, '--workload', 'a=b/c,token-file=x,scrape=h:1/m'], /scrape lacks envoy/],
    [[...needed, ...workload, ...workload], /--workload 'a' is given twice/],
    [[...needed, '--workload', `a=b/c,token-file=x,socket=/${'s'.repeat(107)}`], /longer than 107 bytes/],
    [[...needed, ...workload, '--key-type', 'dsa'], /none of ecdsa-p256, rsa-2048/],
    [[...needed, ...workload, '--ttl', '-1'], /number of seconds|ambiguous/],
    [[...needed, ...workload, '--trust-domain', 'A'], /lower-case/],
    [[...needed, ...workload, '--admin', 'x:99999'], /HOST:PORT/],
    [[...needed, '--csi-socket', 's'], /--csi-socket needs --state/],
    [[...needed, '--csi-socket', 's', '--state', 'd', '--csi-mount', 'copy'], /none of bind, directory/],
    [[...needed, '--csi-socket', 's', '--state', 'd', '--csi-group', 'x'], /--csi-group 'x' is not a number/],
    [[...needed, '--csi-socket', 's', '--state', 'd', '--csi-driver', 'a b'], /no name of a CSI driver/],
    [[...needed, '--admin-socket', `/${'s'.repeat(107)}`], /longer than 107 bytes/],
    [[...needed, ...workload, '--federated-bundle', 'other'], /is not DOMAIN=FILE/],
    [[...needed, ...workload, '--federated-bundle', 'cluster.local=x'], /is the own trust domain/],
    [[...needed, ...workload, '--trust-domain-alias', 'old', '--federated-bundle', 'old=x'], /old is the own/],
    [[...needed, ...workload, '--trust-domain-alias', 'A'], /--trust-domain-alias 'A': .*lower-case/],
  ])('refuses %j', (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(message);
  });
});
