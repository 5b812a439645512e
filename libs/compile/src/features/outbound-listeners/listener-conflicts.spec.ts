import { describe, expect, it } from '@jest/globals';
import type { MeshService, Protocol } from '@seine/model';
import { aPort, aService } from '@seine/testing';
import { listenerConflicts } from './listener-conflicts.js';

function service(name: string, protocol: Protocol, addresses: string[] = [], year = 2020, port = 80): MeshService {
  const creationTimestamp = `${year}-01-01T00:00:00Z`;
  return aService({ name, addresses, ports: [aPort(port, protocol)], creationTimestamp });
}

describe('listenerConflicts', () => {
  it.each<[string, MeshService[], string[]]>([
    ['HTTP services', [service('a', 'HTTP'), service('b', 'GRPC')], []],
    ['TCP at addresses of their own', [service('a', 'TCP', ['10.0.0.1']), service('b', 'Mongo', ['10.0.0.2'])], []],
    ['TCP at its address beside HTTP', [service('a', 'TCP', ['10.0.0.1']), service('b', 'HTTP')], []],
    ['TLS', [service('a', 'TLS'), service('b', 'TLS'), service('c', 'HTTP')], []],
    ['blocks', [service('a', 'TCP', ['10.0.0.0/8']), service('b', 'TCP', ['11.0.0.0/8'])], []],
    ['other ports', [service('a', 'TCP'), service('b', 'TCP', [], 2020, 81)], []],
    ['UDP', [service('a', 'TCP'), service('b', 'UDP')], []],
    ['TCP without addresses', [service('a', 'TCP', [], 2021), service('b', 'TCP')], ['a']],
    ['TCP at one address', [service('a', 'TCP', ['10.0.0.1']), service('b', 'TCP', ['10.0.0.1'])], ['b']],
    ['younger TCP beside HTTP', [service('a', 'TCP', [], 2021), service('b', 'HTTP'), service('c', 'HTTP')], ['a']],
    ['younger HTTP beside TCP', [service('a', 'TCP'), service('b', 'HTTP', [], 2021)], ['b']],
  ])('%s', (_what, services, losers) => {
    expect(listenerConflicts(services).map(({ object }) => object?.name)).toEqual(losers);
  });

  it('says who wins, and what to do', () => {
    const [found] = listenerConflicts([service('a', 'TCP', [], 2021), service('b', 'HTTP')]);
    expect(found).toEqual({
      severity: 'warning',
      code: 'SEINE-LISTENER-CONFLICT',
      message:
        'Port 80 (TCP) of a.default.svc.cluster.local cannot be told apart from that (HTTP) of b.default.svc.cluster.local, as neither has an address of its own there; Service default/b is older and gets the connections. Use another port, or give the TCP service an address.',
      object: { kind: 'Service', namespace: 'default', name: 'a' },
      path: 'spec.ports',
    });
  });
});
