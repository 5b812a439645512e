import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { JwtAuthenticationSchema } from '@seine/envoy/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import type { JWTRule, RequestAuthentication } from '@seine/istio';
import { defaultMeshConfig, type KeySet } from '@seine/model';
import { type ChainRole, noPolicies } from '../../inputs.js';
import { keysOfNobody } from './keys-of-nobody.js';
import { emitRequestAuthentication } from './request-authentication.js';

const policy = (...jwtRules: readonly JWTRule[]): RequestAuthentication => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'RequestAuthentication',
  metadata: { name: 'jwt', namespace: 'default' },
  spec: { jwtRules },
});

interface Shown {
  readonly providers: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly rules: readonly { readonly requires: unknown }[];
}

function emitted(
  requestAuthentications: readonly RequestAuthentication[],
  keySets: readonly KeySet[],
  role: ChainRole,
) {
  const policies = { ...noPolicies, requestAuthentications, keySets };
  return emitRequestAuthentication({ role, policies, config: defaultMeshConfig });
}

function filterOf(
  policies: readonly RequestAuthentication[],
  keySets: readonly KeySet[] = [],
  role: ChainRole = 'inbound',
): Shown {
  const [filter] = emitted(policies, keySets, role);
  if (filter?.configType.case !== 'typedConfig') throw new Error('no filter');
  const config = anyUnpack(filter.configType.value, JwtAuthenticationSchema);
  return toEnvoyJson(JwtAuthenticationSchema, config!) as unknown as Shown;
}

/** A set of one key: the generator of the curve (SEC 2, 2.4.2). */
const keySetOf = (kid: string): string =>
  JSON.stringify({
    keys: [
      {
        kty: 'EC',
        crv: 'P-256',
        kid,
        x: 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY',
        y: 'T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU',
      },
    ],
  });
const jwks = keySetOf('mine');

describe('RequestAuthentication', () => {
  it.each([[[]], [[policy()]]])('asks for nothing without rules', (policies) => {
    expect(emitted(policies, [], 'inbound')).toEqual([]);
  });

  it('takes a token of the one issuer, or none', () => {
    const { providers, rules } = filterOf([policy({ issuer: 'me', jwks })]);
    expect(providers).toEqual({
      'origins-0': {
        issuer: 'me',
        local_jwks: { inline_string: jwks },
        payload_in_metadata: 'payload',
        normalize_payload_in_metadata: { space_delimited_claims: ['permission', 'scope'] },
      },
    });
    expect(rules).toEqual([
      {
        match: { prefix: '/' },
        requires: { requires_any: { requirements: [{ provider_name: 'origins-0' }, { allow_missing: {} }] } },
      },
    ]);
  });

  it('J-7: takes a token of any of several issuers, each of which may have none', () => {
    const { providers, rules } = filterOf([policy({ issuer: 'b', jwks }), policy({ issuer: 'a', jwks })]);
    expect(Object.values(providers).map(({ issuer }) => issuer)).toEqual(['a', 'b']);
    const orMissing = (name: string) => ({
      requires_any: { requirements: [{ provider_name: name }, { allow_missing: {} }] },
    });
    expect(rules[0]?.requires).toEqual({
      requires_any: {
        requirements: [
          { provider_name: 'origins-0' },
          { provider_name: 'origins-1' },
          { requires_all: { requirements: [orMissing('origins-0'), orMissing('origins-1')] } },
        ],
      },
    });
  });

  it('asks for a token where one is required', () => {
    const required = (value: string): RequestAuthentication => {
      const base = policy({ issuer: 'me', jwks });
      return { ...base, metadata: { ...base.metadata, annotations: { 'internal.istio.io/required-tokens': value } } };
    };
    const optional = { requires_any: { requirements: [{ provider_name: 'origins-0' }, { allow_missing: {} }] } };
    const always = { provider_name: 'origins-0' };
    expect(filterOf([required('{"paths":["/a","/b*"],"notPaths":["*.css"]}')]).rules).toEqual([
      { match: { safe_regex: { regex: '.*\\.css' } }, requires: optional },
      { match: { path: '/a' }, requires: always },
      { match: { prefix: '/b' }, requires: always },
      { match: { prefix: '/' }, requires: optional },
    ]);
    expect(filterOf([required('{}')]).rules[0]).toEqual({ match: { prefix: '/' }, requires: always });
    expect(filterOf([required('nonsense')]).rules).toEqual([{ match: { prefix: '/' }, requires: optional }]);
    // Of two that ask, neither can be told from the other: who asks for tokens beside says so with 403.
    expect(filterOf([required('{}'), required('{}')]).rules).toHaveLength(1);
  });

  it('J-7: asks for a good token in each place that holds one', () => {
    const { rules } = filterOf([
      policy(
        { issuer: 'a', jwks },
        { issuer: 'b', jwks, fromHeaders: [{ name: 'X-B' }], fromCookies: ['b'] },
        { issuer: 'c', jwks, fromParams: ['access_token'] },
        { issuer: 'd', jwks, fromHeaders: [{ name: 'x-b', prefix: 'd ' }] },
      ),
    ]);
    const name = (index: number) => ({ provider_name: `origins-${index}` });
    const any = (...requirements: readonly object[]) => ({ requires_any: { requirements } });
    const all = (...requirements: readonly object[]) => ({ requires_all: { requirements } });
    const oneOrNone = (one: number, two: number) =>
      any(name(one), name(two), all(any(name(one), { allow_missing: {} }), any(name(two), { allow_missing: {} })));
    expect(rules[0]?.requires).toEqual(all(oneOrNone(0, 2), oneOrNone(1, 3)));
  });

  it('hands every field on', () => {
    const { providers } = filterOf([
      policy({
        issuer: 'me',
        jwks,
        audiences: ['shop'],
        fromHeaders: [{ name: 'x-jwt', prefix: 'Bearer ' }, { name: 'x-raw' }],
        fromParams: ['token'],
        fromCookies: ['session'],
        forwardOriginalToken: true,
        outputPayloadToHeader: 'x-payload',
        outputClaimToHeaders: [{ header: 'x-user', claim: 'sub' }],
        spaceDelimitedClaims: ['roles', 'scope'],
      }),
    ]);
    expect(providers['origins-0']).toEqual({
      issuer: 'me',
      audiences: ['shop'],
      local_jwks: { inline_string: jwks },
      from_headers: [{ name: 'x-jwt', value_prefix: 'Bearer ' }, { name: 'x-raw' }],
      from_params: ['token'],
      from_cookies: ['session'],
      forward: true,
      forward_payload_header: 'x-payload',
      claim_to_headers: [{ header_name: 'x-user', claim_name: 'sub' }],
      payload_in_metadata: 'payload',
      normalize_payload_in_metadata: { space_delimited_claims: ['permission', 'scope', 'roles'] },
    });
  });

  it('looks for the route again where routes may test claims', () => {
    const cleared = (role: ChainRole) =>
      filterOf([policy({ issuer: 'me', jwks })], [], role).providers['origins-0']?.['clear_route_cache'];
    expect([cleared('gateway'), cleared('inbound')]).toEqual([true, undefined]);
  });

  it('finds fetched keys by their address, or by the issuer where discovery finds it', () => {
    const rules: readonly JWTRule[] = [{ issuer: 'https://a', jwksUri: 'https://a/keys' }, { issuer: 'https://b' }];
    const { providers } = filterOf(
      [policy(...rules)],
      [
        { source: 'https://b', jwks: keySetOf('b') },
        { source: 'https://a/keys', jwks: keySetOf('a') },
      ],
    );
    expect(Object.values(providers).map(({ local_jwks: keys }) => keys)).toEqual([
      { inline_string: keySetOf('a') },
      { inline_string: keySetOf('b') },
    ]);
  });

  it.each(['{"keys":[]}', '{"keys":[{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}]}'])(
    'J-9: gives Envoy a set that it takes in place of %s, stated or fetched',
    (unusable) => {
      const { providers } = filterOf(
        [policy({ issuer: 'a', jwks: unusable }, { issuer: 'https://b' })],
        [{ source: 'https://b', jwks: unusable }],
      );
      const sets = Object.values(providers).map(({ local_jwks: keys }) => keys);
      expect(sets).toEqual([{ inline_string: keysOfNobody }, { inline_string: keysOfNobody }]);
    },
  );

  it('J-9: has no key that somebody has for an issuer whose keys are not known', () => {
    const rules: readonly JWTRule[] = [
      { issuer: 'known', jwksUri: 'https://known/keys' },
      { issuer: 'unknown', jwksUri: 'https://unknown/keys' },
    ];
    const { providers } = filterOf([policy(...rules)], [{ source: 'https://known/keys', jwks }]);
    expect(Object.values(providers).map(({ local_jwks: keys }) => keys)).toEqual([
      { inline_string: jwks },
      { inline_string: keysOfNobody },
    ]);
  });
});
