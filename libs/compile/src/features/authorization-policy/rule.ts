import type { MessageInitShape } from '@bufbuild/protobuf';
import type { PolicySchema } from '@seine/envoy/envoy/config/rbac/v3/rbac_pb.js';
import type { Condition, Operation, Rule, Source } from '@seine/istio';
import {
  allPermissions,
  anyPermission,
  destinationIpPermission,
  filterMetadataPermission,
  hostPermissions,
  methodPermission,
  notPermission,
  pathPermission,
  type PermissionInit,
  portPermission,
  sniPermission,
} from './permissions.js';
import { matchHeader } from './patterns.js';
import {
  allOf,
  anyOf,
  claimOf,
  namespaceOf,
  noneOf,
  type PrincipalInit,
  principalOf,
  remoteIpOf,
  requestPrincipalOf,
  serviceAccountOf,
  sourceIpOf,
  trustDomainOf,
} from './principals.js';
import { expandTrustDomains } from './trust-domain-aliases.js';

export type PolicyInit = MessageInitShape<typeof PolicySchema>;

export interface RuleContext {
  readonly protocol: 'http' | 'tcp';
  /** The policy's own. */
  readonly namespace: string;
  /** The mesh's trust domain and its aliases. */
  readonly trustDomains: readonly string[];
}

/** What a field makes of its values; it concerns HTTP only, or connections of any kind. */
interface Field<T> {
  readonly httpOnly: boolean;
  /** Undefined when one of the values cannot be read: then the field cannot be judged. */
  readonly emit: (values: readonly string[], context: RuleContext) => readonly T[] | undefined;
}

type Values = readonly string[] | undefined;
const none: readonly never[] = Object.freeze([]);

function each<T>(httpOnly: boolean, one: (value: string, context: RuleContext) => T | undefined): Field<T> {
  return {
    httpOnly,
    emit: (values, context) => {
      const items = values.map((value) => one(value, context));
      return items.every((item) => item !== undefined) ? items : undefined;
    },
  };
}

const principalField: Field<PrincipalInit> = {
  httpOnly: false,
  emit: (values, { trustDomains }) => expandTrustDomains(values, trustDomains).map(principalOf),
};

const claimField = (path: readonly string[]): Field<PrincipalInit> => ({
  httpOnly: true,
  emit: (values) => [claimOf(path, values)],
});

/** Fields of `source`, in the order in which Envoy tries them, with the names of the field and of its negation. */
const sourceFields: readonly (readonly [keyof Source, keyof Source, Field<PrincipalInit>])[] = [
  ['serviceAccounts', 'notServiceAccounts', each(false, (value, { namespace }) => serviceAccountOf(value, namespace))],
  ['principals', 'notPrincipals', principalField],
  ['requestPrincipals', 'notRequestPrincipals', each(true, requestPrincipalOf)],
  ['namespaces', 'notNamespaces', each(false, namespaceOf)],
  ['trustDomains', 'notTrustDomains', each(false, trustDomainOf)],
  ['remoteIpBlocks', 'notRemoteIpBlocks', each(false, remoteIpOf)],
  ['ipBlocks', 'notIpBlocks', each(false, sourceIpOf)],
];

const hostField: Field<PermissionInit> = { httpOnly: true, emit: (values) => values.flatMap(hostPermissions) };

const operationFields: readonly (readonly [keyof Operation, keyof Operation, Field<PermissionInit>])[] = [
  ['hosts', 'notHosts', hostField],
  ['methods', 'notMethods', each(true, methodPermission)],
  ['paths', 'notPaths', each(true, pathPermission)],
  ['ports', 'notPorts', each(false, portPermission)],
];

/** Keys of `when` that speak of who calls. */
function sourceCondition(key: string): Field<PrincipalInit> | undefined {
  const plain: Readonly<Record<string, Field<PrincipalInit>>> = {
    'source.ip': each(false, sourceIpOf),
    'remote.ip': each(false, remoteIpOf),
    'source.namespace': each(false, namespaceOf),
    'source.principal': principalField,
    'source.serviceAccount': each(false, (value, { namespace }) => serviceAccountOf(value, namespace)),
    'source.trustDomain': each(false, trustDomainOf),
    'request.auth.principal': each(true, requestPrincipalOf),
    'request.auth.audiences': claimField(['aud']),
    'request.auth.presenter': claimField(['azp']),
  };
  const header = /^request\.headers\[(.+)\]$/.exec(key)?.[1];
  if (header !== undefined)
    return each(true, (value) => ({ identifier: { case: 'header', value: matchHeader(header, value) } }));
  const claims = /^request\.auth\.claims((\[[^[\]]+\])+)$/.exec(key)?.[1];
  return claims === undefined ? plain[key] : claimField(claims.slice(1, -1).split(']['));
}

/** Keys of `when` that speak of what is asked for. */
function operationCondition(key: string): Field<PermissionInit> | undefined {
  const plain: Readonly<Record<string, Field<PermissionInit>>> = {
    'destination.ip': each(false, destinationIpPermission),
    'destination.port': each(false, portPermission),
    'connection.sni': each(false, sniPermission),
  };
  if (!key.startsWith('experimental.')) return plain[key];
  return {
    httpOnly: false,
    emit: (values) => {
      const permission = filterMetadataPermission(key, values);
      return permission && [permission];
    },
  };
}

/** A claim or a filter's metadata says "any of" by itself. */
function isWhole(key: string): boolean {
  return key.startsWith('request.auth.') && key !== 'request.auth.principal' ? true : key.startsWith('experimental.');
}

/**
 * What cannot be judged (something of HTTP on TCP, or what nobody can read) is left out of a rule of a DENY policy; an
 * ALLOW rule that has it is left out itself.
 */
type Emitted<T> = readonly T[] | 'unjudged';

function emitField<T>(
  field: Field<T>,
  values: Values = none,
  notValues: Values = none,
  context: RuleContext,
  combine: { readonly any: (items: readonly T[]) => T; readonly not: (item: T) => T },
): Emitted<T> {
  if (values.length + notValues.length === 0) return none;
  if (field.httpOnly && context.protocol === 'tcp') return 'unjudged';
  const yes = field.emit(values, context);
  const no = field.emit(notValues, context);
  if (!yes || !no) return 'unjudged';
  return [
    ...(values.length > 0 ? [combine.any(yes)] : []),
    ...(notValues.length > 0 ? [combine.not(combine.any(no))] : []),
  ];
}

const principals = { any: anyOf, not: noneOf };
const permissions = { any: anyPermission, not: notPermission };
const whole = <T>(items: readonly T[], otherwise: (items: readonly T[]) => T): T =>
  items.length === 1 && items[0] !== undefined ? items[0] : otherwise(items);
const wholePrincipals = { any: (items: readonly PrincipalInit[]) => whole(items, anyOf), not: noneOf };
const wholePermissions = { any: (items: readonly PermissionInit[]) => whole(items, anyPermission), not: notPermission };

/** Gathers what fields emit. @returns undefined when one of them cannot be judged and none may be left out */
function gather<T>(emitted: readonly Emitted<T>[], keepRest: boolean): readonly T[] | undefined {
  if (!keepRest && emitted.includes('unjudged')) return undefined;
  return emitted.flatMap((items) => (items === 'unjudged' ? [] : items));
}

interface Conditions {
  readonly principals: readonly PrincipalInit[];
  readonly permissions: readonly PermissionInit[];
}

/** Unknown keys cannot be judged: validation refuses them, but what is stored need not have been validated. */
function emitConditions(
  conditions: readonly Condition[],
  context: RuleContext,
  keepRest: boolean,
): Conditions | undefined {
  const who: Emitted<PrincipalInit>[] = [];
  const what: Emitted<PermissionInit>[] = [];
  for (const { key, values, notValues } of conditions) {
    const source = sourceCondition(key);
    const operation = operationCondition(key);
    if (source) who.push(emitField(source, values, notValues, context, isWhole(key) ? wholePrincipals : principals));
    else if (operation)
      what.push(emitField(operation, values, notValues, context, isWhole(key) ? wholePermissions : permissions));
    else who.push('unjudged');
  }
  const [principalsOfAll, permissionsOfAll] = [gather(who, keepRest), gather(what, keepRest)];
  return principalsOfAll && permissionsOfAll && { principals: principalsOfAll, permissions: permissionsOfAll };
}

/** Whether a rule rests on something that only HTTP has. */
export function concernsHttp({ from = [], to = [], when = [] }: Rule): boolean {
  const sets = (
    value: Source | Operation | undefined,
    fields: readonly (readonly [string, string, { httpOnly: boolean }])[],
  ) =>
    fields.some(([yes, no, { httpOnly }]) => {
      const said = value as Readonly<Record<string, Values>> | undefined;
      return httpOnly && (said?.[yes]?.length ?? 0) + (said?.[no]?.length ?? 0) > 0;
    });
  return (
    from.some(({ source }) => sets(source, sourceFields)) ||
    to.some(({ operation }) => sets(operation, operationFields)) ||
    when.some(({ key }) => sourceCondition(key)?.httpOnly ?? operationCondition(key)?.httpOnly ?? false)
  );
}

/**
 * A rule as Envoy's RBAC policy: any of `from`, any of `to`, all of `when`.
 * @param keepRest on TCP ports, what a rule says of HTTP is left out of it, so that it holds for more (DENY, CUSTOM);
 * else such a rule is left out itself (ALLOW, AUDIT). Either way nobody is let in by what cannot be judged
 * @returns undefined when the rule is left out
 */
export function emitRule(rule: Rule, context: RuleContext, keepRest: boolean): PolicyInit | undefined {
  const when = emitConditions(rule.when ?? [], context, keepRest);
  if (!when) return undefined;
  const sources = rule.from?.length ? rule.from.map(({ source }) => source ?? {}) : [{}];
  const operations = rule.to?.length ? rule.to.map(({ operation }) => operation ?? {}) : [{}];
  const who = sources.map((source: Source) =>
    gather(
      sourceFields.map(([yes, no, field]) => emitField(field, source[yes], source[no], context, principals)),
      keepRest,
    ),
  );
  const what = operations.map((operation: Operation) =>
    gather(
      operationFields.map(([yes, no, field]) => emitField(field, operation[yes], operation[no], context, permissions)),
      keepRest,
    ),
  );
  if (who.includes(undefined) || what.includes(undefined)) return undefined;
  return {
    principals: who.map((ids = []) => allOf([...ids, ...when.principals])),
    permissions: what.map((rules = []) => allPermissions([...rules, ...when.permissions])),
  };
}
