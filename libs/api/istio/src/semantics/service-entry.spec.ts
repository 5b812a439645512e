import { describe, expect, it } from '@jest/globals';
import { semanticErrors } from './index.js';

const http = { number: 80, name: 'http', protocol: 'HTTP' };
const tcp = { number: 5432, name: 'db', protocol: 'TCP' };
const of = (content: object) => ({ hosts: ['api.example.com'], ports: [http], ...content });

describe('a ServiceEntry', () => {
  it.each([
    ['without resolution', of({})],
    ['by DNS', of({ resolution: 'DNS' })],
    ['of a wildcard host that calls are passed on for', of({ hosts: ['*.example.com'] })],
    [
      'of a wildcard host with endpoints',
      of({ hosts: ['*.example.com'], resolution: 'DNS', endpoints: [{ address: 'a.example.com' }] }),
    ],
    ['with endpoints', of({ resolution: 'STATIC', endpoints: [{ address: '10.0.0.1', ports: { http: 8080 } }] })],
    ['with a socket', of({ resolution: 'STATIC', endpoints: [{ address: 'unix:///run/a.sock' }] })],
    ['of any host of a domain', of({ hosts: ['*.example.com'], resolution: 'DYNAMIC_DNS' })],
    ['with IPv6 addresses', of({ addresses: ['2001:db8::1', '2001:db8::/32'] })],
  ])('%s', (_, spec) => {
    expect(semanticErrors('ServiceEntry', spec)).toEqual([]);
  });

  it.each<[string, object, 'error' | 'warning', string]>([
    ['wildcards inside a host', of({ hosts: ['a.*.com'] }), 'error', 'spec.hosts[0]'],
    [
      'a wildcard host that DNS cannot resolve',
      of({ hosts: ['*.example.com'], resolution: 'DNS' }),
      'error',
      'spec.hosts[0]',
    ],
    ['a prefix that is too long', of({ addresses: ['10.0.0.0/33'] }), 'error', 'spec.addresses[0]'],
    [
      'a protocol that does not exist',
      of({ ports: [{ ...http, protocol: 'HTPP' }] }),
      'error',
      'spec.ports[0].protocol',
    ],
    [
      'a name as a static address',
      of({ resolution: 'STATIC', endpoints: [{ address: 'a.example.com' }] }),
      'error',
      'spec.endpoints[0].address',
    ],
    [
      'a port that the service does not have',
      of({ resolution: 'STATIC', endpoints: [{ address: '10.0.0.1', ports: { grpc: 80 } }] }),
      'error',
      'spec.endpoints[0].ports.grpc',
    ],
    ['DYNAMIC_DNS for one host', of({ resolution: 'DYNAMIC_DNS' }), 'error', 'spec.hosts[0]'],
    [
      'DYNAMIC_DNS with addresses',
      of({ hosts: ['*.example.com'], resolution: 'DYNAMIC_DNS', addresses: ['10.0.0.1'] }),
      'error',
      'spec.addresses',
    ],
    [
      'several hosts on one TCP port',
      of({ hosts: ['a.example.com', 'b.example.com'], resolution: 'DNS', ports: [tcp] }),
      'warning',
      'spec.hosts',
    ],
    ['no one and someone to see it', of({ exportTo: ['~', 'a'] }), 'error', 'spec.exportTo'],
  ])('told: %s', (_, spec, severity, path) => {
    const found = semanticErrors('ServiceEntry', spec);
    expect(found.map((diagnostic) => [diagnostic.severity, diagnostic.path])).toEqual([[severity, path]]);
  });
});
