import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
  type RateLimit_Action,
  RateLimit_Action_MetaData_Source as MetaDataSource,
  RateLimit_ActionSchema,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import { DescriptorSchema as ExpressionSchema } from '@seine/envoy/envoy/extensions/rate_limit_descriptors/expr/v3/expr_pb.js';
import type { LimitDescriptorEntry, LimitMatch, StringMatch } from '@seine/istio';
import type { Fragment } from '../../frame/clusters-fragment.js';
import { emitStringMatcher } from '../match/string-match.js';

/** One entry of a descriptor: its key, and the action by which Envoy finds its value in a request. */
export interface Entry {
  readonly key: string;
  readonly action: RateLimit_Action;
}

type Specifier = Exclude<
  NonNullable<Fragment<typeof RateLimit_ActionSchema>['actionSpecifier']>,
  { readonly case: 'dynamicMetadata' }
>;

function entry(key: string, actionSpecifier: Specifier): Entry {
  return { key, action: create(RateLimit_ActionSchema, { actionSpecifier }) };
}

/** An entry that is the same for all requests; with a match, those that do not match have none and are not limited. */
export function constantEntry(key: string, value: string, match?: LimitMatch): Entry {
  const headers = matchHeaders(match);
  if (headers.length === 0)
    return entry(key, { case: 'genericKey', value: { descriptorKey: key, descriptorValue: value } });
  const matched = { descriptorKey: key, descriptorValue: value, headers };
  return entry(key, { case: 'headerValueMatch', value: matched });
}

/** What the user's `descriptors` are in Envoy, each as an entry. */
export function descriptorEntries(descriptors: readonly LimitDescriptorEntry[] | undefined): readonly Entry[] {
  return (descriptors ?? []).flatMap((descriptor) => descriptorEntry(descriptor) ?? []);
}

/** Where jwt_authn leaves the claims of a token that it has checked. */
const claimsNamespace = 'envoy.filters.http.jwt_authn';

function descriptorEntry(from: LimitDescriptorEntry): Entry | undefined {
  const { key, fromHeader, fromQueryParameter, fromJwtClaim, genericKey } = from;
  if (fromHeader !== undefined) return headerEntry(key ?? fromHeader, fromHeader);
  if (from.fromPath) return headerEntry(key ?? 'path', ':path');
  if (from.fromMethod) return headerEntry(key ?? 'method', ':method');
  if (fromQueryParameter !== undefined) return parameterEntry(key ?? fromQueryParameter, fromQueryParameter);
  if (fromJwtClaim !== undefined) return claimEntry(key ?? fromJwtClaim, fromJwtClaim);
  if (from.remoteAddress) return addressEntry();
  if (from.sourceIdentity) return identityEntry(key ?? 'source_identity');
  return genericKey === undefined ? undefined : constantEntry(key ?? 'generic_key', genericKey);
}

function parameterEntry(key: string, queryParameterName: string): Entry {
  return entry(key, {
    case: 'queryParameters',
    value: { queryParameterName, descriptorKey: key, skipIfAbsent: false },
  });
}

function claimEntry(key: string, claim: string): Entry {
  const path = ['payload', ...claim.split('.')].map((part) => ({ segment: { case: 'key' as const, value: part } }));
  return entry(key, {
    case: 'metadata',
    value: { descriptorKey: key, metadataKey: { key: claimsNamespace, path }, source: MetaDataSource.DYNAMIC },
  });
}

/** Envoy names the entry itself. */
function addressEntry(): Entry {
  return entry('remote_address', { case: 'remoteAddress', value: {} });
}

/** Plaintext has no certificate, and a certificate may have no identity: those are one client. */
const identity = "'uri_san_peer_certificate' in connection ? connection.uri_san_peer_certificate : '-'";

function identityEntry(key: string): Entry {
  const typedConfig = toAny(ExpressionSchema, {
    descriptorKey: key,
    exprSpecifier: { case: 'text', value: identity },
  });
  return entry(key, { case: 'extension', value: { name: 'envoy.rate_limit_descriptors.expr', typedConfig } });
}

function headerEntry(key: string, headerName: string): Entry {
  return entry(key, { case: 'requestHeaders', value: { headerName, descriptorKey: key } });
}

/** Conditions on headers that say what a match says. Paths are compared without their query. */
function matchHeaders(match: LimitMatch | undefined): HeaderMatcher[] {
  const { path, methods, headers } = match ?? {};
  return [
    ...(path ? [pathMatcher(path)] : []),
    ...(methods?.length ? [regexMatcher(':method', methods.map(escapeRegex).join('|'))] : []),
    ...Object.entries(headers ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, condition]) => headerMatcher(name, condition)),
  ];
}

const anyQuery = String.raw`(\?.*)?`;

function pathMatcher(path: StringMatch): HeaderMatcher {
  if (path.exact !== undefined) return regexMatcher(':path', `${escapeRegex(path.exact)}${anyQuery}`);
  if (path.regex !== undefined) return regexMatcher(':path', `(?:${path.regex})${anyQuery}`);
  return headerMatcher(':path', path);
}

function headerMatcher(name: string, condition: StringMatch): HeaderMatcher {
  const value = emitStringMatcher(condition);
  return create(HeaderMatcherSchema, {
    name,
    headerMatchSpecifier: value ? { case: 'stringMatch', value } : { case: 'presentMatch', value: true },
  });
}

function regexMatcher(name: string, regex: string): HeaderMatcher {
  return create(HeaderMatcherSchema, {
    name,
    headerMatchSpecifier: {
      case: 'stringMatch',
      value: { matchPattern: { case: 'safeRegex', value: { regex } } },
    },
  });
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
