import { describe, expect, it } from '@jest/globals';
import { semanticErrors } from './index.js';

const server = (content: object) => ({ servers: [{ hosts: ['*'], ...content }] });
const http = { number: 80, name: 'http', protocol: 'HTTP' };
const https = { number: 443, name: 'https', protocol: 'HTTPS' };
const certificate = { credentialName: 'secret' };

describe('servers of a Gateway', () => {
  it.each([
    ['plain HTTP', { port: http }],
    ['plain HTTP with a redirect', { port: http, tls: { httpsRedirect: true } }],
    ['plain HTTP with settings that do nothing', { port: http, tls: { httpsRedirect: false } }],
    ['plain HTTP that says it passes through', { port: http, tls: { mode: 'PASSTHROUGH' } }],
    ['TLS with a secret', { port: https, tls: { mode: 'SIMPLE', ...certificate } }],
    ['TLS with files', { port: https, tls: { mode: 'SIMPLE', serverCertificate: '/c', privateKey: '/k' } }],
    ['TLS passed through', { port: { ...https, protocol: 'TLS' }, tls: { mode: 'PASSTHROUGH' } }],
    ['hosts of a namespace', { port: http, hosts: ['bookinfo/*.example.com', './a.example.com'] }],
  ])('%s', (_, content) => {
    expect(semanticErrors('Gateway', server(content))).toEqual([]);
  });

  it.each([
    ['TLS without settings', { port: https }, 'spec.servers[0]'],
    ['certificates for plain HTTP', { port: http, tls: { mode: 'SIMPLE', ...certificate } }, 'spec.servers[0].tls'],
    ['TLS settings for TCP', { port: { ...http, protocol: 'TCP' }, tls: {} }, 'spec.servers[0].tls'],
    ['a protocol that does not exist', { port: { ...http, protocol: 'HTPP' } }, 'spec.servers[0].port.protocol'],
    ['no port number', { port: { ...http, number: 0 } }, 'spec.servers[0].port.number'],
    ['no hosts', { port: http, hosts: [] }, 'spec.servers[0].hosts'],
    ['a host with two slashes', { port: http, hosts: ['a/b/c'] }, 'spec.servers[0].hosts[0]'],
    ['a wildcard in the middle', { port: http, hosts: ['a.*.com'] }, 'spec.servers[0].hosts[0]'],
    [
      'no private key',
      { port: https, tls: { mode: 'SIMPLE', serverCertificate: '/c' } },
      'spec.servers[0].tls.privateKey',
    ],
    [
      'a certificate for the mesh identity',
      { port: https, tls: { mode: 'ISTIO_MUTUAL', ...certificate } },
      'spec.servers[0].tls.credentialName',
    ],
    [
      'versions in the wrong order',
      {
        port: https,
        tls: { mode: 'SIMPLE', ...certificate, minProtocolVersion: 'TLSV1_3', maxProtocolVersion: 'TLSV1_2' },
      },
      'spec.servers[0].tls',
    ],
  ])('refused: %s', (_, content, path) => {
    const found = semanticErrors('Gateway', server(content));
    expect(found.map(({ severity, code, path: at }) => [severity, code, at])).toEqual([
      ['error', 'SEINE-INVALID', path],
    ]);
  });

  it('have different port names', () => {
    const found = semanticErrors('Gateway', {
      servers: [
        { hosts: ['a'], port: http },
        { hosts: ['b'], port: http },
      ],
    });
    expect(found.map(({ path }) => path)).toEqual(['spec.servers[1].port.name']);
  });
});
