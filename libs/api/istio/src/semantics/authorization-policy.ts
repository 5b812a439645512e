import type { AuthorizationPolicySpec, Condition, Operation, Rule, Source } from '../security/authorization-policy.js';
import type { Scope } from '../validation/scope.js';
import { each } from './each.js';
import { checkLabels, checkPrefix } from './field-checks.js';

const addressFields = ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks'] as const;

/** A list that is there but empty, or holds an empty text, says nothing, which is hardly what its author meant. */
function checkTexts(value: Readonly<Record<string, unknown>>, scope: Scope): void {
  for (const [field, list] of Object.entries(value)) {
    if (!Array.isArray(list)) continue;
    if (list.length === 0) scope.at(field).error('must not be empty');
    each(list as readonly unknown[], scope.at(field), (item, at) => {
      if (item === '') at.error('must not be empty');
    });
  }
}

function checkSource(source: Source | undefined, scope: Scope): void {
  if (!source || Object.keys(source).length === 0) {
    scope.error('a source must have at least one field');
    return;
  }
  checkTexts(source, scope);
  for (const field of addressFields) each(source[field], scope.at(field), checkPrefix);
  for (const field of ['serviceAccounts', 'notServiceAccounts'] as const)
    each(source[field], scope.at(field), (account, at) => {
      if (account.split('/').length > 2) at.error('must be of the form ACCOUNT or NAMESPACE/ACCOUNT');
      if (account.includes('*')) at.error('a wildcard is not allowed here');
    });
}

/** `{*}` stands for one part of a path, `{**}` for the rest or several; both stand alone between slashes. */
function checkPath(path: string, scope: Scope): void {
  if (!path.includes('{')) return;
  const parts = path.split('/').slice(1);
  const wrong = !path.startsWith('/') || parts.some((part) => /[{}*]/.test(part) && part !== '{*}' && part !== '{**}');
  if (wrong) scope.error(`${JSON.stringify(path)} may have only {*} and {**}, each between slashes`);
  else if (parts.filter((part) => part === '{**}').length > 1) scope.error('{**} may stand only once in a path');
  else if (parts.includes('{**}') && parts.lastIndexOf('{*}') > parts.indexOf('{**}'))
    scope.error('{*} must not stand after {**}');
}

function checkOperation(operation: Operation | undefined, scope: Scope): void {
  if (!operation || Object.keys(operation).length === 0) {
    scope.error('an operation must have at least one field');
    return;
  }
  checkTexts(operation, scope);
  for (const field of ['ports', 'notPorts'] as const)
    each(operation[field], scope.at(field), (port, at) => {
      const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
      if (number < 1 || number > 65535) at.error(`${JSON.stringify(port)} is not a port between 1 and 65535`);
    });
  for (const field of ['paths', 'notPaths'] as const) each(operation[field], scope.at(field), checkPath);
}

const attributes: ReadonlySet<string> = new Set([
  'source.ip',
  'remote.ip',
  'source.namespace',
  'source.principal',
  'source.serviceAccount',
  'source.trustDomain',
  'request.auth.principal',
  'request.auth.audiences',
  'request.auth.presenter',
  'destination.ip',
  'destination.port',
  'connection.sni',
]);
const indexed = [
  /^request\.headers\[[^\]]+\]$/,
  /^request\.auth\.claims(\[[^\]]+\])+$/,
  /^experimental\.envoy\.filters\..+$/,
];

function checkCondition({ key, values = [], notValues = [] }: Condition, scope: Scope): void {
  if (!attributes.has(key) && !indexed.some((form) => form.test(key)))
    scope.at('key').error(`${JSON.stringify(key)} is not an attribute, as source.ip or request.headers[name]`);
  if (values.length === 0 && notValues.length === 0) scope.error('values or notValues must be set');
  if (key.endsWith('.ip'))
    for (const [field, list] of [
      ['values', values],
      ['notValues', notValues],
    ] as const)
      each(list, scope.at(field), checkPrefix);
}

function checkRule(rule: Rule, scope: Scope): void {
  if (rule.from?.length === 0) scope.at('from').error('must have at least one source');
  if (rule.to?.length === 0) scope.at('to').error('must have at least one operation');
  each(rule.from, scope.at('from'), ({ source }, at) => checkSource(source, at.at('source')));
  each(rule.to, scope.at('to'), ({ operation }, at) => checkOperation(operation, at.at('operation')));
  each(rule.when, scope.at('when'), checkCondition);
}

/** What Istio asks of an AuthorizationPolicy beyond its schema. */
export function checkAuthorizationPolicy(spec: AuthorizationPolicySpec, scope: Scope): void {
  const { action = 'ALLOW', rules, provider } = spec;
  if (action === 'CUSTOM' && !provider?.name) scope.at('provider', 'name').error('is required for the action CUSTOM');
  if (action !== 'CUSTOM' && provider) scope.at('provider').error(`must not be set with the action ${action}`);
  if ((action === 'DENY' || action === 'CUSTOM') && !rules)
    scope.at('rules').error(`without rules ${action} never applies; an empty rule {} applies to all requests`);
  checkLabels(spec.selector?.matchLabels, scope.at('selector', 'matchLabels'));
  each(rules, scope.at('rules'), checkRule);
}
