import type { MessageInitShape } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import type { PermissionSchema } from '@seine/envoy/envoy/config/rbac/v3/rbac_pb.js';
import { UriTemplateMatchConfigSchema } from '@seine/envoy/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js';
import { matchHeader, matchHost, matchValue, readRange } from './patterns.js';
import { anyValue, elementValue, type MetadataInit, textValue } from './principals.js';

export type PermissionInit = MessageInitShape<typeof PermissionSchema>;

export const anything: PermissionInit = { rule: { case: 'any', value: true } };

export function hostPermissions(value: string): readonly PermissionInit[] {
  return matchHost(value).map((header) => ({ rule: { case: 'header', value: header } }));
}

export function methodPermission(value: string): PermissionInit {
  return { rule: { case: 'header', value: matchHeader(':method', value) } };
}

/** `{*}` stands for a segment and `{**}` for any rest; other paths are compared without query and fragment. */
export function pathPermission(value: string): PermissionInit {
  if (!/\{\*\*?\}/.test(value)) {
    return { rule: { case: 'urlPath', value: { rule: { case: 'path', value: matchValue(value) } } } };
  }
  const pathTemplate = value.replaceAll('{*}', '*').replaceAll('{**}', '**');
  const typedConfig = toAny(UriTemplateMatchConfigSchema, { pathTemplate });
  return { rule: { case: 'uriTemplate', value: { name: 'uri-template', typedConfig } } };
}

/** The workload's port; undefined for what is no port. */
export function portPermission(value: string): PermissionInit | undefined {
  const port = Number(value);
  const isPort = /^\d+$/.test(value) && port >= 1 && port <= 65535;
  return isPort ? { rule: { case: 'destinationPort', value: port } } : undefined;
}

/** The address that the connection goes to; undefined for what is no address. */
export function destinationIpPermission(value: string): PermissionInit | undefined {
  const range = readRange(value);
  return range && { rule: { case: 'destinationIp', value: range } };
}

export function sniPermission(value: string): PermissionInit {
  return { rule: { case: 'requestedServerName', value: matchValue(value) } };
}

/**
 * `experimental.envoy.filters.NAME[KEY]`: what another filter has left in the dynamic metadata. A value in brackets is
 * an element of a list. Undefined for a key of another form.
 */
export function filterMetadataPermission(key: string, values: readonly string[]): PermissionInit | undefined {
  const [, filter, field] = /^experimental\.(.+?)\[(.+)\]$/.exec(key) ?? [];
  if (filter === undefined || field === undefined) return undefined;
  const matchers = values.map((value) => {
    const [, element] = /^\[(.*)\]$/.exec(value) ?? [];
    return element === undefined ? textValue(matchValue(value)) : elementValue(textValue(matchValue(element)));
  });
  const value: MetadataInit = { filter, path: [{ segment: { case: 'key', value: field } }], value: anyValue(matchers) };
  return { rule: { case: 'metadata', value } };
}

/** Of none of several it holds for nothing. */
export function anyPermission(rules: readonly PermissionInit[]): PermissionInit {
  if (rules.length === 0) return notPermission(anything);
  return { rule: { case: 'orRules', value: { rules: [...rules] } } };
}

export function allPermissions(rules: readonly PermissionInit[]): PermissionInit {
  return { rule: { case: 'andRules', value: { rules: rules.length > 0 ? [...rules] : [anything] } } };
}

export function notPermission(rule: PermissionInit): PermissionInit {
  return { rule: { case: 'notRule', value: rule } };
}
