import { describe, expect, it } from '@jest/globals';
import type { Gateway, Server } from '@seine/istio';
import { gatewayConflicts } from './gateway-conflicts.js';

const files = { serverCertificate: '/c.pem', privateKey: '/k.pem' };
const simple: Server['tls'] = { mode: 'SIMPLE', ...files };

function server(protocol: string, hosts: string[], more: Partial<Server> = {}): Server {
  return { port: { number: 443, protocol, name: protocol.toLowerCase() }, hosts, ...more };
}

function conflicts(older: Server[], younger: Server[], workloadCertificates = false) {
  const gateways = [older, younger].map((servers, i): Gateway => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata: { name: ['older', 'younger'][i]!, namespace: 'default' },
    spec: { selector: {}, servers },
  }));
  const servers = gateways.flatMap((gateway) => (gateway.spec.servers ?? []).map((_, index) => ({ gateway, index })));
  return gatewayConflicts({ bindPort: 8443, servers, workloadCertificates });
}

const summary = (found: ReturnType<typeof conflicts>) => found.map(({ object, path }) => `${object?.name} ${path}`);

describe('gatewayConflicts', () => {
  it.each<[string, Server[], Server[], string[]]>([
    ['HTTP beside HTTP', [server('HTTP', ['a'])], [server('GRPC', ['a'])], []],
    ['TLS of other hosts', [server('HTTPS', ['a'], { tls: simple })], [server('TLS', ['b'], { tls: simple })], []],
    [
      'TLS behind HTTP',
      [server('HTTP', ['a'])],
      [server('HTTPS', ['b'], { tls: simple })],
      ['younger spec.servers[0].port'],
    ],
    [
      'HTTP behind TLS',
      [server('HTTPS', ['a'], { tls: simple })],
      [server('HTTP', ['b'])],
      ['younger spec.servers[0].port'],
    ],
    ['TCP behind TCP', [server('TCP', ['*'])], [server('TCP', ['*'])], ['younger spec.servers[0].port']],
    ['another bind', [server('HTTP', ['a'])], [server('TCP', ['b'], { bind: '127.0.0.2' })], []],
    [
      'one host of two',
      [server('HTTPS', ['a.com', 'ns/B.com'], { tls: simple })],
      [server('HTTPS', ['c.com', 'b.com'], { tls: simple })],
      ['younger spec.servers[0].hosts[1]'],
    ],
    [
      'a host that is passed through and ended',
      [server('TLS', ['a.com'], { tls: { mode: 'PASSTHROUGH' } })],
      [server('HTTPS', ['a.com'], { tls: simple })],
      ['younger spec.servers[0].hosts[0]'],
    ],
    [
      'a host that two pass through',
      [server('TLS', ['a.com'], { tls: { mode: 'PASSTHROUGH' } })],
      [server('TLS', ['a.com'], { tls: { mode: 'PASSTHROUGH' } })],
      [],
    ],
    [
      'servers of one Gateway',
      [server('HTTPS', ['a.com'], { tls: simple }), server('HTTPS', ['a.com'], { tls: simple })],
      [],
      ['older spec.servers[1].hosts[0]'],
    ],
    [
      'a mode that needs an agent',
      [server('HTTPS', ['a.com'], { tls: { mode: 'ISTIO_MUTUAL' } })],
      [],
      ['older spec.servers[0].tls.mode'],
    ],
  ])('%s', (_what, older, younger, expected) => {
    expect(summary(conflicts(older, younger))).toEqual(expected);
  });

  it('says who stands there, and what would be right', () => {
    expect(conflicts([server('HTTP', ['a'])], [server('TCP', ['b'])])).toEqual([
      {
        severity: 'warning',
        code: 'SEINE-GATEWAY-CONFLICT',
        message:
          'Server "http" of Gateway default/older has port 443 with plain HTTP already, so this server has no effect; give it another port or bind, or the same protocol.',
        object: { kind: 'Gateway', namespace: 'default', name: 'younger' },
        path: 'spec.servers[0].port',
      },
    ]);
  });

  it('is silent about ISTIO_MUTUAL where an agent serves the certificate', () => {
    expect(conflicts([server('HTTPS', ['a.com'], { tls: { mode: 'ISTIO_MUTUAL' } })], [], true)).toEqual([]);
  });
});
