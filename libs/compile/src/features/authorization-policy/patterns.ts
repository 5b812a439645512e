import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CidrRangeSchema } from '@seine/envoy/envoy/config/core/v3/address_pb.js';
import type { HeaderMatcherSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { StringMatcherSchema } from '@seine/envoy/envoy/type/matcher/v3/string_pb.js';
import { parseCidr } from '@seine/model';

export type StringInit = MessageInitShape<typeof StringMatcherSchema>;
type HeaderInit = MessageInitShape<typeof HeaderMatcherSchema>;

export function quoteRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

export function matchRegex(regex: string): StringInit {
  return { matchPattern: { case: 'safeRegex', value: { regex } } };
}

export function matchExact(value: string): StringInit {
  return { matchPattern: { case: 'exact', value } };
}

export function matchPrefix(value: string): StringInit {
  return { matchPattern: { case: 'prefix', value } };
}

/** Anything, but not nothing. */
export const matchAny: StringInit = matchRegex('.+');

/**
 * The values of an AuthorizationPolicy: `*` for any but the empty one, `*end`, `start*`, else the value itself. A star
 * in the middle stands for itself.
 */
export function matchValue(value: string): StringInit {
  if (value === '*') return matchAny;
  if (value.startsWith('*')) return { matchPattern: { case: 'suffix', value: value.slice(1) } };
  if (value.endsWith('*')) return matchPrefix(value.slice(0, -1));
  return matchExact(value);
}

/** A header by such a value; `*` means that it is there. */
export function matchHeader(name: string, value: string, ignoreCase = false): HeaderInit {
  if (value === '*') return { name, headerMatchSpecifier: { case: 'presentMatch', value: true } };
  return { name, headerMatchSpecifier: { case: 'stringMatch', value: { ...matchValue(value), ignoreCase } } };
}

/**
 * A host, which also stands for itself with any port, and with the dot that ends a name in DNS: neither
 * `Host: admin.example.com:8080` nor `admin.example.com.` may slip past a rule on `admin.example.com`. A host with a
 * wildcard at its end covers them as it is.
 */
export function matchHost(value: string): readonly HeaderInit[] {
  const host = matchHeader(':authority', value, true);
  if (value.endsWith('*')) return [host];
  const [, name = value, port] = /^(.*?)(:\d+)$/.exec(value) ?? [];
  const start = name.startsWith('*') ? `.*${quoteRegex(name.slice(1))}` : quoteRegex(name);
  const otherwise = matchRegex(`(?i)${start}${port === undefined ? '(\\.|\\.?:.*)' : `\\.${port}`}`);
  return [host, { name: ':authority', headerMatchSpecifier: { case: 'stringMatch', value: otherwise } }];
}

/** An address or a block; undefined for what is neither. */
export function readRange(text: string): MessageInitShape<typeof CidrRangeSchema> | undefined {
  const cidr = parseCidr(text);
  return cidr && { addressPrefix: cidr.address, prefixLen: cidr.prefixLength };
}
