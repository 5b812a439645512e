import type { MessageInitShape } from '@bufbuild/protobuf';
import type { StringMatcherSchema } from '@seine/envoy/envoy/type/matcher/v3/string_pb.js';
import type { ValueMatcherSchema } from '@seine/envoy/envoy/type/matcher/v3/value_pb.js';
import {
  matchAny,
  matchExact,
  matchPrefix,
  matchRegex,
  quoteRegex,
  readRange,
} from '../authorization-policy/patterns.js';
import { authenticated, metadataPrincipal, sourceIpOf } from '../authorization-policy/principals.js';
import { always, and, atom, type Formula, not, or } from './formula.js';
import type { Case, Term, Text } from './term.js';
import { type Truth, truth } from './truth.js';

type StringInit = MessageInitShape<typeof StringMatcherSchema>;
type ValueInit = MessageInitShape<typeof ValueMatcherSchema>;

/** Which attributes of a request Envoy's RBAC can look at, and how: as mixer fills them from the same request. */

const anyText = matchRegex('(?s).*');

/** A text that Envoy has matchers for. @param id the attribute @param match the condition that it is such a text */
function matchable(id: string, match: (matcher: StringInit) => Formula): Text {
  const unlessEmpty = (matcher: (other: string) => StringInit) => (other: string) =>
    match(other === '' ? anyText : matcher(other));
  return {
    kind: 'text',
    id,
    is: (other) => match(matchExact(other)),
    startsWith: unlessEmpty(matchPrefix),
    endsWith: unlessEmpty((value) => ({ matchPattern: { case: 'suffix', value } })),
    contains: unlessEmpty((value) => ({ matchPattern: { case: 'contains', value } })),
  };
}

const plainHeader = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/**
 * A header, or nothing where it is not on the request. Undefined for names of which Envoy and mixer may not think the same:
 * Envoy knows no case, and has several names for the host.
 */
export function headerTerm(name: string, id: string): Term | undefined {
  return plainHeader.test(name) && name !== 'host' ? headerOf(name, id) : undefined;
}

/** No request comes as far without these. */
const alwaysThere: ReadonlySet<string> = new Set([':method', ':path', ':scheme']);

function presenceOf(name: string): Formula {
  if (alwaysThere.has(name)) return always;
  return atom({
    identifier: { case: 'header', value: { name, headerMatchSpecifier: { case: 'presentMatch', value: true } } },
  });
}

/** @param known what it must be to count as there; default anything */
function headerOf(name: string, id: string, known?: StringInit): Term {
  const match = (value: StringInit) =>
    atom({ identifier: { case: 'header', value: { name, headerMatchSpecifier: { case: 'stringMatch', value } } } });
  const value: Text = { ...matchable(id, match), written: `%REQ(${name.toUpperCase()})%` };
  return [{ when: known ? match(known) : presenceOf(name), value }];
}

const pathWithoutQuery: Text = {
  ...matchable('request.url_path', (path) =>
    atom({ identifier: { case: 'urlPath', value: { rule: { case: 'path', value: path } } } }),
  ),
  written: '%PATH(NQ:PATH)%',
};

const scheme = 'spiffe://';
const meshIdentity = atom(authenticated(matchPrefix(scheme)));

/** What a peer's certificate names, without the scheme. */
function principalTerm(id: string): Term {
  const named = (regex: string) => atom(authenticated(matchRegex(`(?s)${scheme}.*${regex}`)));
  const value: Text = {
    kind: 'text',
    id,
    written: '%DOWNSTREAM_PEER_URI_SAN%',
    is: (other) => atom(authenticated(matchExact(scheme + other))),
    startsWith: (other) => atom(authenticated(matchPrefix(scheme + other))),
    endsWith: (other) => named(quoteRegex(other)),
    contains: (other) => named(`${quoteRegex(other)}.*`),
  };
  return [{ when: meshIdentity, value }];
}

const wholeIdentity = atom(authenticated(matchRegex(`${scheme}[^/]+/ns/[^/]+/sa/[^/]+`)));

/** A part of the identity where there is one; whose connections prove nothing mixer knows by their addresses. */
function identityPart(id: string, regexOf: (quoted: string) => string): Term {
  const value: Text = {
    kind: 'text',
    id,
    is: (other) => atom(authenticated(matchRegex(`${scheme}[^/]+/ns/${regexOf(quoteRegex(other))}`))),
  };
  return [
    { when: wholeIdentity, value },
    { when: not(wholeIdentity), value: lookedUp(id) },
  ];
}

export function lookedUp(id: string): Case['value'] {
  return { kind: 'opaque', why: `${id} is looked up by mixer: a proxy knows of callers what their certificates say` };
}

const sourceIp: Term = [
  {
    when: always,
    value: {
      kind: 'text',
      id: 'source.ip',
      written: '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%',
      is: (other) => {
        const principal = readRange(other) && sourceIpOf(other);
        return principal && atom(principal);
      },
    },
  },
];

const jwtFilter = 'envoy.filters.http.jwt_authn';

function claimCondition(claim: string, value: ValueInit): Formula {
  const path = ['payload', claim].map((key) => ({ segment: { case: 'key' as const, value: key } }));
  return atom(metadataPrincipal({ filter: jwtFilter, path, value }));
}

const textual = (value: StringInit): ValueInit => ({ matchPattern: { case: 'stringMatch', value } });
const isText = (claim: string) => claimCondition(claim, textual(anyText));
const isThere = (claim: string) => claimCondition(claim, { matchPattern: { case: 'presentMatch', value: true } });

/** A claim of a token that was verified. What is no text mixer writes as one. */
export function claimTerm(claim: string, id: string): Term {
  const text: Text = {
    ...matchable(id, (value) => claimCondition(claim, textual(value))),
    ...(/^[\w.-]+$/.test(claim) && { written: `%DYNAMIC_METADATA(${jwtFilter}:payload:${claim})%` }),
  };
  const why = `${id} may be a list or a number, which mixer writes as text`;
  return [
    { when: isText(claim), value: text },
    { when: and(isThere(claim), not(isText(claim))), value: { kind: 'opaque', why } },
  ];
}

/** `issuer/subject`, where slashes may be in both. */
function requestPrincipal(id: string): Term {
  const is = (other: string): Formula => {
    const words = other.split('/');
    const parts = words
      .slice(1)
      .map((_, i) => [words.slice(0, i + 1).join('/'), words.slice(i + 1).join('/')] as const);
    return or(
      ...parts.map(([issuer, subject]) =>
        and(claimCondition('iss', textual(matchExact(issuer))), claimCondition('sub', textual(matchExact(subject)))),
      ),
    );
  };
  const whole = and(isText('iss'), isText('sub'));
  const some = or(isThere('iss'), isThere('sub'));
  const why = `${id} is of a token that lacks its issuer or its subject`;
  return [
    { when: whole, value: { kind: 'text', id, is } },
    { when: and(some, not(whole)), value: { kind: 'opaque', why } },
  ];
}

const requestTerms: Readonly<Record<string, Term>> = {
  'request.method': headerOf(':method', 'request.method'),
  'request.path': headerOf(':path', 'request.path'),
  'request.host': headerOf(':authority', 'request.host', matchAny),
  'request.scheme': headerOf(':scheme', 'request.scheme'),
  'request.useragent': headerOf('user-agent', 'request.useragent'),
  'request.referer': headerOf('referer', 'request.referer'),
  'request.url_path': [{ when: always, value: pathWithoutQuery }],
  'request.auth.principal': requestPrincipal('request.auth.principal'),
  'request.auth.audiences': claimTerm('aud', 'request.auth.audiences'),
  'request.auth.presenter': claimTerm('azp', 'request.auth.presenter'),
};

const connectionTerms: Readonly<Record<string, Term>> = {
  'source.ip': sourceIp,
  'source.principal': principalTerm('source.principal'),
  'source.user': principalTerm('source.user'),
  'source.namespace': identityPart('source.namespace', (namespace) => `${namespace}/sa/[^/]+`),
  'source.serviceAccount': identityPart('source.serviceAccount', (account) => `[^/]+/sa/${account}`),
};

/** How Envoy finds an attribute; undefined where it cannot. */
export function requestTerm(name: string): Term | undefined {
  return requestTerms[name] ?? connectionTerms[name];
}

/** Attributes that are BOOL. */
export function requestTruth(name: string): Truth | undefined {
  return name === 'connection.mtls' ? truth(meshIdentity, not(meshIdentity)) : undefined;
}
