import { create } from '@bufbuild/protobuf';
import {
  type HeaderValueOption,
  HeaderValueOption_HeaderAppendAction as Action,
  HeaderValueOptionSchema,
} from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import type { Headers } from '@seine/istio';

/** The four fields by which Envoy changes headers, on routes and on weighted clusters alike. */
export interface HeaderFields {
  readonly requestHeadersToAdd: HeaderValueOption[];
  readonly requestHeadersToRemove: string[];
  readonly responseHeadersToAdd: HeaderValueOption[];
  readonly responseHeadersToRemove: string[];
}

/**
 * `headers` of a route, followed by those of its single destination. `set` overwrites, `add` appends; Envoy applies them in this
 * order, then removes. Pseudo-headers and Host are left to hostRewriteOf, as Envoy refuses to change them here.
 */
export function emitHeaderOperations(...levels: readonly (Headers | undefined)[]): HeaderFields {
  const requests = levels.map((headers) => headers?.request);
  const responses = levels.map((headers) => headers?.response);
  return {
    requestHeadersToAdd: requests.flatMap(valueOptions),
    requestHeadersToRemove: requests.flatMap(removals),
    responseHeadersToAdd: responses.flatMap(valueOptions),
    responseHeadersToRemove: responses.flatMap(removals),
  };
}

/** The Host that `set` (before `add`) of the request headers asks for. */
export function hostRewriteOf(headers: Headers | undefined): string | undefined {
  for (const map of [headers?.request?.set, headers?.request?.add])
    for (const [name, value] of Object.entries(map ?? {})) if (isHost(name)) return value;
  return undefined;
}

type Operations = Headers['request'];

function valueOptions(operations: Operations): HeaderValueOption[] {
  return [
    ...options(operations?.set, Action.OVERWRITE_IF_EXISTS_OR_ADD),
    ...options(operations?.add, Action.APPEND_IF_EXISTS_OR_ADD),
  ];
}

function options(map: Readonly<Record<string, string>> | undefined, appendAction: Action): HeaderValueOption[] {
  return Object.entries(map ?? {})
    .filter(([name]) => isChangeable(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) =>
      create(HeaderValueOptionSchema, { header: { key, value: escapeFormat(value) }, appendAction }),
    );
}

function removals(operations: Operations): string[] {
  return (operations?.remove ?? []).filter(isChangeable);
}

function isHost(name: string): boolean {
  return [':authority', 'host'].includes(name.toLowerCase());
}

function isChangeable(name: string): boolean {
  return name !== '' && !name.startsWith(':') && !isHost(name);
}

/** A command of Envoy's format strings: `%PROTOCOL%`, `%REQ(x-a?x-b):10%`; or an escaped percent sign. */
const formatCommand = /%%|%[A-Z][A-Z0-9_]*(?:\([^)]*\))?(?::\d+)?%/g;

/** Values may hold Envoy's format commands; any other `%` is made literal, or Envoy would refuse the route. */
function escapeFormat(value: string): string {
  let literalFrom = 0;
  let out = '';
  for (const command of value.matchAll(formatCommand)) {
    out += value.slice(literalFrom, command.index).replaceAll('%', '%%') + command[0];
    literalFrom = command.index + command[0].length;
  }
  return out + value.slice(literalFrom).replaceAll('%', '%%');
}
