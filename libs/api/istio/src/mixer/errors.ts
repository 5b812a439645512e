import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject, JsonSchema } from '@seine/k8s';
import { each } from '../semantics/each.js';
import { checkRegex } from '../semantics/field-checks.js';
import { suggestion } from '../validation/near-match.js';
import { normalizeValue } from '../validation/normalize-value.js';
import { schemaErrors } from '../validation/schema-errors.js';
import { Scope } from '../validation/scope.js';
import type { HttpApiSpecBindingSpec, HttpApiSpecSpec } from './api-spec.js';
import type { AttributeManifestSpec } from './attribute-manifest.js';
import type { MixerHandlerSpec } from './handler.js';
import type { MixerInstanceSpec } from './instance.js';
import type { IstioService, QuotaSpecBindingSpec, QuotaSpecSpec } from './quota-spec.js';
import type { RuleHeaderOperation, MixerRuleSpec } from './rule.js';
import { mixerTemplates, oldTemplateSchema, templateSchema } from './templates.js';

type Check = (object: ConfigObject, found: Diagnostic[], scope: Scope) => void;

function checkManifest(object: ConfigObject, _: unknown, scope: Scope): void {
  const { attributes } = (object.spec ?? {}) as AttributeManifestSpec;
  for (const [name, { valueType }] of Object.entries(attributes ?? {})) {
    const at = scope.at('attributes', name);
    if (!/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(name))
      at.error(`${JSON.stringify(name)} is no name of an attribute: words with points between them`);
    if (valueType === undefined || valueType === 'VALUE_TYPE_UNSPECIFIED')
      at.at('valueType').error('must say which type the attribute has');
  }
}

function checkHandler(object: ConfigObject, _: unknown, scope: Scope): void {
  const { compiledAdapter, adapter, connection } = (object.spec ?? {}) as MixerHandlerSpec;
  if (!compiledAdapter && !adapter)
    scope.error('must name an adapter: compiledAdapter, or adapter with its connection');
  if (connection && !/^[^\s:]+:\d+$|^\[[0-9a-fA-F:]+\]:\d+$/.test(connection.address ?? ''))
    scope.at('connection', 'address').error('must be host:port of the adapter’s gRPC service');
}

/** Fields below `at` as the template has them. */
function checkTemplate(schema: JsonSchema | undefined, params: unknown, at: string, found: Diagnostic[]): void {
  if (!schema) return;
  for (const { path, ...one } of schemaErrors(schema, normalizeValue(schema, params ?? {})))
    found.push({
      ...one,
      path: path === undefined || path === '' ? at : path.startsWith('[') ? `${at}${path}` : `${at}.${path}`,
      severity: 'error',
      message: one.message.replace(', so it has no effect', ''),
    });
}

function checkInstance(object: ConfigObject, found: Diagnostic[], scope: Scope): void {
  const { compiledTemplate, template, params } = (object.spec ?? {}) as MixerInstanceSpec;
  const name = compiledTemplate || template;
  const field = compiledTemplate ? 'compiledTemplate' : 'template';
  if (!name) scope.at('compiledTemplate').error('must name the template that is filled');
  else if (!templateSchema(name))
    scope
      .at(field)
      .warning(
        `there is no template ${JSON.stringify(name)}, so nothing is made of it; there are ${Object.keys(mixerTemplates).join(', ')}.${suggestion(name, Object.keys(mixerTemplates))}`,
        'SEINE-UNSUPPORTED',
      );
  else checkTemplate(templateSchema(name), params, 'spec.params', found);
}

function checkHeaderOperation({ name, values, operation }: RuleHeaderOperation, scope: Scope): void {
  if (!name || !/^:?[-!#$%&'*+.^_`|~0-9A-Za-z]+$/.test(name)) scope.at('name').error('must be the name of a header');
  if (operation !== 'REMOVE' && !values?.length) scope.at('values').error('must say what the header is set to');
}

function checkRule(object: ConfigObject, _: unknown, scope: Scope): void {
  const { actions, requestHeaderOperations, responseHeaderOperations, sampling } = (object.spec ?? {}) as MixerRuleSpec;
  if (!actions?.length && !requestHeaderOperations?.length && !responseHeaderOperations?.length)
    scope.at('actions').error('must have an action, or change a header');
  each(actions, scope.at('actions'), ({ handler }, at) => {
    if (!handler) at.at('handler').error('must name a handler');
  });
  each(requestHeaderOperations, scope.at('requestHeaderOperations'), checkHeaderOperation);
  each(responseHeaderOperations, scope.at('responseHeaderOperations'), checkHeaderOperation);
  const { numerator = 0, denominator } = sampling?.random?.percentSampled ?? {};
  const all = denominator === 'TEN_THOUSAND' ? 10_000 : 100;
  if (numerator > all) scope.at('sampling', 'random', 'percentSampled', 'numerator').error(`is at most ${all}`);
}

function checkQuotaSpec(object: ConfigObject, _: unknown, scope: Scope): void {
  const { rules } = (object.spec ?? {}) as QuotaSpecSpec;
  if (!rules?.length) scope.at('rules').error('must have at least one rule');
  each(rules, scope.at('rules'), ({ match, quotas }, at) => {
    each(match, at.at('match'), ({ clause }, of) => {
      if (!clause || Object.keys(clause).length === 0) of.at('clause').error('must have at least one attribute');
      for (const [name, condition] of Object.entries(clause ?? {})) {
        if (Object.keys(condition).length === 0)
          of.at('clause', name).error('must have one of exact, prefix and regex');
        if (condition.regex !== undefined) checkRegex(condition.regex, of.at('clause', name, 'regex'));
      }
    });
    if (!quotas?.length) at.at('quotas').error('must have at least one quota');
    each(quotas, at.at('quotas'), ({ quota, charge = 1 }, of) => {
      if (!quota) of.at('quota').error('must name an instance of the template quota');
      if (charge < 1) of.at('charge').error('must be at least 1');
    });
  });
}

function checkServices(services: readonly IstioService[] | undefined, scope: Scope): void {
  if (!services?.length) scope.error('must name at least one service');
  each(services, scope, ({ name, service, labels }, at) => {
    if (labels) at.at('labels').warning('was never read by Istio, and is not here', 'SEINE-UNSUPPORTED');
    if (!name && !service) at.error('must have a name, or be service: "*"');
  });
}

function checkReferences(list: readonly { readonly name?: string }[] | undefined, what: string, scope: Scope): void {
  if (!list?.length) scope.error(`must name at least one ${what}`);
  each(list, scope, ({ name }, at) => {
    if (!name) at.at('name').error(`must name the ${what}`);
  });
}

function checkQuotaSpecBinding(object: ConfigObject, _: unknown, scope: Scope): void {
  const { services, quotaSpecs } = (object.spec ?? {}) as QuotaSpecBindingSpec;
  checkServices(services, scope.at('services'));
  checkReferences(quotaSpecs, 'QuotaSpec', scope.at('quotaSpecs'));
}

function checkApiSpec(object: ConfigObject, _: unknown, scope: Scope): void {
  const { patterns, apiKeys } = (object.spec ?? {}) as HttpApiSpecSpec;
  each(patterns, scope.at('patterns'), ({ uriTemplate, regex }, at) => {
    if (uriTemplate === undefined && regex === undefined) at.error('must have a uriTemplate or a regex');
    if (regex !== undefined) checkRegex(regex, at.at('regex'));
    if (uriTemplate !== undefined && !uriTemplate.startsWith('/')) at.at('uriTemplate').error('must begin with /');
  });
  each(apiKeys, scope.at('apiKeys'), (key, at) => {
    if (Object.keys(key).length === 0) at.error('must have one of query, header and cookie');
  });
}

function checkApiSpecBinding(object: ConfigObject, _: unknown, scope: Scope): void {
  const { services, apiSpecs } = (object.spec ?? {}) as HttpApiSpecBindingSpec;
  checkServices(services, scope.at('services'));
  checkReferences(apiSpecs, 'HTTPAPISpec', scope.at('apiSpecs'));
}

const checks: Readonly<Record<string, Check>> = {
  attributemanifest: checkManifest,
  handler: checkHandler,
  instance: checkInstance,
  rule: checkRule,
  QuotaSpec: checkQuotaSpec,
  QuotaSpecBinding: checkQuotaSpecBinding,
  HTTPAPISpec: checkApiSpec,
  HTTPAPISpecBinding: checkApiSpecBinding,
};

/**
 * What is wrong with objects of mixer's kinds beyond their schemas. Expressions, and parameters of adapters, are looked at where
 * they are compiled: mixer and `analyze` say what is wrong with them.
 */
export function mixerErrors(object: ConfigObject): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const check = Object.hasOwn(checks, object.kind) ? checks[object.kind] : undefined;
  if (check) check(object, found, new Scope(found, 'spec'));
  else checkTemplate(oldTemplateSchema(object.kind), object.spec, 'spec', found);
  return found;
}
