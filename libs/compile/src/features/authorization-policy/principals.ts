import type { MessageInitShape } from '@bufbuild/protobuf';
import type { PrincipalSchema } from '@seine/envoy/envoy/config/rbac/v3/rbac_pb.js';
import type { MetadataMatcherSchema } from '@seine/envoy/envoy/type/matcher/v3/metadata_pb.js';
import type { ValueMatcherSchema } from '@seine/envoy/envoy/type/matcher/v3/value_pb.js';
import {
  matchAny,
  matchExact,
  matchPrefix,
  matchRegex,
  matchValue,
  quoteRegex,
  readRange,
  type StringInit,
} from './patterns.js';

export type PrincipalInit = MessageInitShape<typeof PrincipalSchema>;
type ValueInit = MessageInitShape<typeof ValueMatcherSchema>;
export type MetadataInit = MessageInitShape<typeof MetadataMatcherSchema>;

/** Where envoy.filters.http.jwt_authn leaves the claims of a verified token. */
const jwtFilter = 'envoy.filters.http.jwt_authn';
const jwtPayload = 'payload';
const scheme = 'spiffe://';

export const anyone: PrincipalInit = { identifier: { case: 'any', value: true } };

/** What a peer's certificate names. Without a certificate no such principal holds, but its negation does. */
export function authenticated(principalName: StringInit): PrincipalInit {
  return { identifier: { case: 'authenticated', value: { principalName } } };
}

/** `cluster.local/ns/default/sa/sleep`, as in the certificate but for the scheme. */
export function principalOf(value: string): PrincipalInit {
  if (value === '*') return authenticated(matchAny);
  if (value.startsWith('*')) return authenticated(matchRegex(`${scheme}.*${quoteRegex(value.slice(1))}`));
  return authenticated(value.endsWith('*') ? matchPrefix(scheme + value.slice(0, -1)) : matchExact(scheme + value));
}

export function namespaceOf(value: string): PrincipalInit {
  return authenticated(matchRegex(`.*/ns/${quoteRegex(value).replaceAll('\\*', '.*')}/.*`));
}

export function trustDomainOf(value: string): PrincipalInit {
  return authenticated(
    value.includes('*')
      ? matchRegex(`${scheme}${quoteRegex(value).replaceAll('\\*', '[^/]*')}/.*`)
      : matchPrefix(`${scheme}${value}/`),
  );
}

/** `namespace/account`, or `account` of the policy's own namespace. */
export function serviceAccountOf(value: string, ownNamespace: string): PrincipalInit {
  const slash = value.indexOf('/');
  const namespace = quoteRegex(slash < 0 ? ownNamespace : value.slice(0, slash));
  const account = quoteRegex(value.slice(slash + 1));
  return authenticated(matchRegex(`${scheme}.+/ns/${namespace}/(.+/|)sa/${account}(/.+)?`));
}

/** The address that the connection comes from; undefined for what is no address. */
export function sourceIpOf(value: string): PrincipalInit | undefined {
  const range = readRange(value);
  return range && { identifier: { case: 'directRemoteIp', value: range } };
}

/** The address of the client before proxies, as far as X-Forwarded-For and the like are believed. */
export function remoteIpOf(value: string): PrincipalInit | undefined {
  const range = readRange(value);
  return range && { identifier: { case: 'remoteIp', value: range } };
}

export function metadataPrincipal(value: MetadataInit): PrincipalInit {
  return { identifier: { case: 'metadata', value } };
}

function claim(path: readonly string[], value: ValueInit): MetadataInit {
  return {
    filter: jwtFilter,
    path: [jwtPayload, ...path].map((key) => ({ segment: { case: 'key', value: key } })),
    value,
  };
}

/** Any of several forms of a value. */
export function anyValue(matchers: readonly ValueInit[]): ValueInit {
  const [first] = matchers;
  if (matchers.length === 1 && first) return first;
  return { matchPattern: { case: 'orMatch', value: { valueMatchers: [...matchers] } } };
}

export function textValue(value: StringInit): ValueInit {
  return { matchPattern: { case: 'stringMatch', value } };
}

/** An element of a list. */
export function elementValue(oneOf: ValueInit): ValueInit {
  return { matchPattern: { case: 'listMatch', value: { matchPattern: { case: 'oneOf', value: oneOf } } } };
}

/** A claim that is one of these texts, or a list that holds one. */
export function claimOf(path: readonly string[], values: readonly string[]): PrincipalInit {
  const any = anyValue(values.map((value) => textValue(matchValue(value))));
  return metadataPrincipal(claim(path, anyValue([elementValue(any), any])));
}

/** The issuer and the subject that a request principal `issuer/subject` asks for; the issuer may hold slashes. */
function issuerAndSubject(value: string): readonly [issuer: StringInit, subject: StringInit] {
  if (value === '*') return [matchAny, matchAny];
  const slash = value.lastIndexOf('/');
  if (slash >= 0) return [matchValue(value.slice(0, slash)), matchValue(value.slice(slash + 1))];
  if (value.startsWith('*')) return [matchAny, matchValue(value)];
  return value.endsWith('*') ? [matchValue(value), matchAny] : [matchExact(value), matchExact('')];
}

export function requestPrincipalOf(value: string): PrincipalInit {
  const [issuer, subject] = issuerAndSubject(value);
  return allOf([
    metadataPrincipal(claim(['iss'], textValue(issuer))),
    metadataPrincipal(claim(['sub'], textValue(subject))),
  ]);
}

/** Of none of several it holds for nobody. */
export function anyOf(ids: readonly PrincipalInit[]): PrincipalInit {
  if (ids.length === 0) return noneOf(anyone);
  return { identifier: { case: 'orIds', value: { ids: [...ids] } } };
}

export function allOf(ids: readonly PrincipalInit[]): PrincipalInit {
  return { identifier: { case: 'andIds', value: { ids: ids.length > 0 ? [...ids] : [anyone] } } };
}

export function noneOf(id: PrincipalInit): PrincipalInit {
  return { identifier: { case: 'notId', value: id } };
}
