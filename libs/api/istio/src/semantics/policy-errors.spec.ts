import { describe, expect, it } from '@jest/globals';
import { semanticErrors } from './index.js';

type Row = readonly [what: string, spec: unknown, ...errors: readonly string[]];

function check(kind: string, rows: readonly Row[]): void {
  describe(kind, () => {
    it.each(rows)('%s', (...[, spec, ...errors]) =>
      expect(semanticErrors(kind, spec).map(({ path }) => path)).toEqual(errors),
    );
  });
}

const from = (source: unknown): object => ({ rules: [{ from: [{ source }] }] });
const to = (operation: unknown): object => ({ rules: [{ to: [{ operation }] }] });
const when = (condition: object): object => ({ rules: [{ when: [condition] }] });

check('AuthorizationPolicy', [
  ['allow nothing', {}],
  ['deny without rules', { action: 'DENY' }, 'spec.rules'],
  ['deny all', { action: 'DENY', rules: [{}] }],
  ['custom without a provider', { action: 'CUSTOM', rules: [{}] }, 'spec.provider.name'],
  ['a provider without custom', { provider: { name: 'x' }, rules: [{}] }, 'spec.provider'],
  ['an empty source', from({}), 'spec.rules[0].from[0].source'],
  ['no source', from(undefined), 'spec.rules[0].from[0].source'],
  ['an empty list of sources', { rules: [{ from: [] }] }, 'spec.rules[0].from'],
  ['an empty principal', from({ principals: [''] }), 'spec.rules[0].from[0].source.principals[0]'],
  ['an empty list of principals', from({ principals: [] }), 'spec.rules[0].from[0].source.principals'],
  ['addresses', from({ ipBlocks: ['10.0.0.0/8'], notRemoteIpBlocks: ['::1'] })],
  ['an address that is none', from({ notIpBlocks: ['10.0.0.0/99'] }), 'spec.rules[0].from[0].source.notIpBlocks[0]'],
  [
    'a service account with a wildcard',
    from({ serviceAccounts: ['ns/*'] }),
    'spec.rules[0].from[0].source.serviceAccounts[0]',
  ],
  ['an empty operation', to({}), 'spec.rules[0].to[0].operation'],
  ['ports', to({ ports: ['80', '8080'] })],
  ['a port that is none', to({ ports: ['http'] }), 'spec.rules[0].to[0].operation.ports[0]'],
  ['port 0', to({ notPorts: ['0'] }), 'spec.rules[0].to[0].operation.notPorts[0]'],
  ['A-17: path templates', to({ paths: ['/a/{*}/b', '/{**}/c', '/a/*'] })],
  ['A-17: a template inside a part', to({ paths: ['/a{*}'] }), 'spec.rules[0].to[0].operation.paths[0]'],
  ['A-17: a named template', to({ paths: ['/{id}'] }), 'spec.rules[0].to[0].operation.paths[0]'],
  ['A-17: two long templates', to({ paths: ['/{**}/a/{**}'] }), 'spec.rules[0].to[0].operation.paths[0]'],
  ['A-17: a short template after a long one', to({ paths: ['/{**}/{*}'] }), 'spec.rules[0].to[0].operation.paths[0]'],
  ['a condition', when({ key: 'request.headers[x-a]', values: ['b'] })],
  ['a condition on a nested claim', when({ key: 'request.auth.claims[a][b]', notValues: ['c'] })],
  ['A-20: a condition on nothing known', when({ key: 'request.size', values: ['1'] }), 'spec.rules[0].when[0].key'],
  ['a condition without values', when({ key: 'source.ip' }), 'spec.rules[0].when[0]'],
  [
    'A-20: a condition on an address that is none',
    when({ key: 'source.ip', values: ['a'] }),
    'spec.rules[0].when[0].values[0]',
  ],
]);

const jwt = (rule: object): object => ({ jwtRules: [{ issuer: 'a', ...rule }] });
const stated = { jwks: '{"keys":[]}' };

// The generator of the curve (SEC 2, 2.4.2).
const ecKey =
  '{"kty":"EC","crv":"P-256","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY","y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}';

check('RequestAuthentication', [
  ['keys', jwt({ jwks: `{"keys":[${ecKey}]}` })],
  ['no keys at all', jwt({ jwks: '{"keys":[]}' })],
  ['keys that are no JSON', jwt({ jwks: '{' }), 'spec.jwtRules[0].jwks'],
  ['keys that are no key set', jwt({ jwks: '{}' }), 'spec.jwtRules[0].jwks'],
  ['a key without a type', jwt({ jwks: '{"keys":[{}]}' }), 'spec.jwtRules[0].jwks'],
  ['a symmetric key', jwt({ jwks: `{"keys":[${ecKey},{"kty":"oct","k":"AA"}]}` }), 'spec.jwtRules[0].jwks'],
  ['a private key', jwt({ jwks: ecKey.replace('{', '{"keys":[{"d":"AA",') + ']}' }), 'spec.jwtRules[0].jwks'],
  ['an RSA key without a modulus', jwt({ jwks: '{"keys":[{"kty":"RSA","e":"AQAB"}]}' }), 'spec.jwtRules[0].jwks'],
  [
    'a curve that Envoy does not know',
    jwt({ jwks: `{"keys":[${ecKey.replace('256', '192')}]}` }),
    'spec.jwtRules[0].jwks',
  ],
  ['an address of keys', jwt({ jwksUri: 'https://a.example.com:8443/keys?tenant=1' })],
  ['neither issuer nor address', { jwtRules: [{ jwks: '{"keys":[]}' }] }, 'spec.jwtRules[0]'],
  ['an address without an issuer', { jwtRules: [{ jwksUri: 'https://a.example.com/keys' }] }],
  ['an issuer through which nothing is found', jwt({}), 'spec.jwtRules[0].issuer'],
  ...['file:///etc/keys', 'gopher://a/keys', 'a.example.com/keys', 'https://', 'https://a:99999/'].map(
    (jwksUri): Row => [`J-13: the address ${jwksUri}`, jwt({ jwksUri }), 'spec.jwtRules[0].jwksUri'],
  ),
  ...[
    ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '[::1]', '0.0.0.0', 'localhost', 'a.localhost'],
    ...['169.254.169.254', '[fe80::1]', '[::ffff:169.254.169.254]', '[fd00:ec2::254]', '100.100.100.200'],
  ].map((host): Row => [
    `J-13: an address at ${host}`,
    jwt({ jwksUri: `http://${host}/keys` }),
    'spec.jwtRules[0].jwksUri',
  ]),
  ...['10.0.0.1', '[fd00::1]', 'localhost.example.com'].map((host): Row => [
    `an address at ${host}`,
    jwt({ jwksUri: `http://${host}/keys` }),
  ]),
  [
    'a header that is no name',
    jwt({ ...stated, fromHeaders: [{ name: 'a b' }] }),
    'spec.jwtRules[0].fromHeaders[0].name',
  ],
  [
    'a prefix of two lines',
    jwt({ ...stated, fromHeaders: [{ name: 'a', prefix: 'b\nc' }] }),
    'spec.jwtRules[0].fromHeaders[0].prefix',
  ],
  [
    'an output header that is no name',
    jwt({ ...stated, outputPayloadToHeader: 'a b' }),
    'spec.jwtRules[0].outputPayloadToHeader',
  ],
]);

check('Telemetry', [
  ['a filter', { accessLogging: [{ filter: { expression: 'response.code >= 400' } }] }],
  [
    'a filter that is no CEL',
    { accessLogging: [{ filter: { expression: 'response.code >=' } }] },
    'spec.accessLogging[0].filter.expression',
  ],
  ['a tag from nowhere', { tracing: [{ customTags: { a: {} } }] }, 'spec.tracing[0].customTags.a'],
]);

describe('a kind without further checks', () => {
  it('has no errors', () => expect(semanticErrors('ProxyConfig', {})).toEqual([]));
  it('may be unknown', () => expect(semanticErrors('Nonsense', {})).toEqual([]));
});

describe('hostile input', () => {
  it('never throws on a spec that is absent', () => {
    for (const kind of ['Gateway', 'Sidecar', 'VirtualService', 'EnvoyFilter', 'AuthorizationPolicy'])
      expect(() => semanticErrors(kind, undefined)).not.toThrow();
  });
});
