import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import {
  JwtAuthenticationSchema,
  type JwtProviderSchema,
} from '@seine/envoy/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import {
  type HttpFilter,
  HttpFilterSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { type JWTRule, readKeySet } from '@seine/istio';
import { type KeySet, keySource } from '@seine/model';
import type { ChainContext } from '../../inputs.js';
import { keysOfNobody } from './keys-of-nobody.js';
import { tokenRequirements } from './token-requirements.js';

type ProviderInit = MessageInitShape<typeof JwtProviderSchema>;

/** Where AuthorizationPolicies look for claims, and route matches on `@request.auth.claims`. */
const payloadInMetadata = 'payload';

/** Claims that OAuth writes as lists separated by spaces (RFC 8693, 4.2). */
const spaceDelimited = ['permission', 'scope'];

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What a provider checks tokens by. Envoy takes no set without a usable key; see `keysOfNobody`. */
function keysOf(rule: JWTRule, keySets: readonly KeySet[]): string {
  const wanted = keySource(rule);
  const jwks = wanted === undefined ? rule.jwks : keySets.find(({ source }) => source === wanted)?.jwks;
  return jwks && readKeySet(jwks).keys.length > 0 ? jwks : keysOfNobody;
}

function locationsOf({ fromHeaders, fromParams, fromCookies }: JWTRule) {
  const headers = (fromHeaders ?? []).map(({ name, prefix = '' }) => ({ name, valuePrefix: prefix }));
  // Where the rule names no place, Envoy looks where RFC 6750 says: Authorization, and the parameter access_token.
  return { fromHeaders: headers, fromParams: [...(fromParams ?? [])], fromCookies: [...(fromCookies ?? [])] };
}

function emitProvider(rule: JWTRule, keySets: readonly KeySet[], clearRouteCache: boolean): ProviderInit {
  const claims = rule.outputClaimToHeaders ?? [];
  return {
    issuer: rule.issuer ?? '',
    audiences: [...(rule.audiences ?? [])],
    jwksSourceSpecifier: {
      case: 'localJwks',
      value: { specifier: { case: 'inlineString', value: keysOf(rule, keySets) } },
    },
    ...locationsOf(rule),
    forward: rule.forwardOriginalToken ?? false,
    forwardPayloadHeader: rule.outputPayloadToHeader ?? '',
    claimToHeaders: claims.map(({ header, claim }) => ({ headerName: header, claimName: claim })),
    payloadInMetadata,
    normalizePayloadInMetadata: {
      spaceDelimitedClaims: [...new Set([...spaceDelimited, ...(rule.spaceDelimitedClaims ?? [])])],
    },
    clearRouteCache,
  };
}

/**
 * The HTTP filter that checks the tokens of end users (RequestAuthentication): a request without a token passes, and
 * has no principal; one with a bad token is answered 401. None where no rule asks for it.
 */
export function emitRequestAuthentication({ role, policies }: ChainContext): HttpFilter[] {
  const rules = policies.requestAuthentications.flatMap(({ spec }) => spec.jwtRules ?? []);
  if (rules.length === 0) return [];
  // By issuer, so that the order does not hang on which policy is older.
  const sorted = [...rules].sort((a, b) => compare(a.issuer ?? '', b.issuer ?? ''));
  // Routes of gateways may test claims, which are known only now: the route is looked for again.
  const clearRouteCache = role === 'gateway';
  const nameOf = (index: number): string => `origins-${index}`;
  const providers = Object.fromEntries(
    sorted.map((rule, i) => [nameOf(i), emitProvider(rule, policies.keySets, clearRouteCache)]),
  );
  const config = toAny(JwtAuthenticationSchema, {
    providers,
    rules: tokenRequirements(sorted, nameOf, policies.requestAuthentications),
    // Browsers send preflights without credentials.
    bypassCorsPreflight: true,
  });
  return [
    create(HttpFilterSchema, {
      name: 'envoy.filters.http.jwt_authn',
      configType: { case: 'typedConfig', value: config },
    }),
  ];
}
