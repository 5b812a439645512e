import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formatDiagnostic } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';
import { parseAllDocuments } from 'yaml';
import { normalizeObject } from '../validation/normalize-object.js';
import { validateObject } from '../validation/validate-object.js';

function object(kind: string, spec: unknown): ConfigObject {
  return {
    apiVersion: 'config.istio.io/v1alpha2',
    kind,
    metadata: { name: 'x', namespace: 'shop' },
    spec,
  };
}

const action = { handler: 'deny', instances: ['nothing'] };
const header = (operation: object): object => ({ responseHeaderOperations: [operation] });
const quotas = (rule: object): object => ({ rules: [{ quotas: [{ quota: 'requests' }], ...rule }] });
const binding = (services: unknown): object => ({ services, quotaSpecs: [{ name: 'requests' }] });

describe('what mixer’s kinds must say', () => {
  it.each<readonly [what: string, kind: string, spec: unknown, ...paths: string[]]>([
    ['an attribute', 'attributemanifest', { attributes: { 'shop.tier': { valueType: 'STRING' } } }],
    ['an attribute in snake case', 'attributemanifest', { attributes: { 'shop.tier': { value_type: 'STRING' } } }],
    ['no type', 'attributemanifest', { attributes: { tier: {} } }, 'spec.attributes.tier.valueType'],
    [
      'a type that there is not',
      'attributemanifest',
      { attributes: { tier: { valueType: 'TEXT' } } },
      'spec.attributes.tier.valueType',
    ],
    ['no name', 'attributemanifest', { attributes: { 'a b': { valueType: 'BOOL' } } }, 'spec.attributes["a b"]'],
    ['a handler', 'handler', { compiledAdapter: 'denier', params: { status: { code: 7 } } }],
    ['a handler of nothing', 'handler', { params: {} }, 'spec'],
    ['an adapter far away', 'handler', { adapter: 'mygrpc', connection: { address: 'adapter.shop:9070' } }],
    ['nowhere', 'handler', { adapter: 'mygrpc', connection: { address: 'adapter' } }, 'spec.connection.address'],
    ['an instance', 'instance', { compiledTemplate: 'listentry', params: { value: 'source.ip' } }],
    ['an instance without parameters', 'instance', { template: 'checknothing' }],
    ['an instance of nothing', 'instance', {}, 'spec.compiledTemplate'],
    ['an unknown field', 'instance', { template: 'listentry', params: { values: '' } }, 'spec.params.values'],
    ['a number for an expression', 'instance', { template: 'metric', params: { value: 1 } }, 'spec.params.value'],
    [
      'a map for an expression',
      'instance',
      { template: 'authorization', params: { subject: { user: {} } } },
      'spec.params.subject.user',
    ],
    ['snake case', 'logentry', { monitored_resource_type: '"UNSPECIFIED"', variables: { a: 'source.ip' } }],
    ['an unknown field of an old kind', 'logentry', { variable: {} }, 'spec.variable'],
    ['an old kind of nothing', 'checknothing', null],
    [
      'bindings of the old kind',
      'kubernetes',
      { source_uid: 'source.uid', attribute_bindings: { 'source.ip': '$out.source_pod_ip' } },
    ],
    ['bindings of another', 'metric', { attribute_bindings: {} }, 'spec.attribute_bindings'],
    ['any parameters', 'prometheus', { metrics: [{ name: 'a', label_names: ['b'] }] }],
    ['a rule', 'rule', { match: 'true', actions: [action] }],
    ['a rule about nothing', 'rule', { match: 'true' }, 'spec.actions'],
    ['an action for nobody', 'rule', { actions: [{ instances: ['a'] }] }, 'spec.actions[0].handler'],
    ['a header', 'rule', header({ name: 'x-a', values: ['"b"'], operation: 'APPEND' })],
    ['a header removed', 'rule', header({ name: 'x-a', operation: 'REMOVE' })],
    ['a header of nothing', 'rule', header({ name: 'x-a' }), 'spec.responseHeaderOperations[0].values'],
    ['no header', 'rule', header({ name: 'a b', values: ['"b"'] }), 'spec.responseHeaderOperations[0].name'],
    [
      'more than all',
      'rule',
      { actions: [action], sampling: { random: { percentSampled: { numerator: 101 } } } },
      'spec.sampling.random.percentSampled.numerator',
    ],
    ['a misspelt field', 'rule', { matches: 'true', actions: [action] }, 'spec.matches'],
    ['quotas', 'QuotaSpec', quotas({ match: [{ clause: { 'request.path': { prefix: '/a' } } }] })],
    ['quotas of nothing', 'QuotaSpec', {}, 'spec.rules'],
    ['an empty clause', 'QuotaSpec', quotas({ match: [{}] }), 'spec.rules[0].match[0].clause'],
    [
      'a clause without condition',
      'QuotaSpec',
      quotas({ match: [{ clause: { a: {} } }] }),
      'spec.rules[0].match[0].clause.a',
    ],
    [
      'a broken expression',
      'QuotaSpec',
      quotas({ match: [{ clause: { a: { regex: '(' } } }] }),
      'spec.rules[0].match[0].clause.a.regex',
    ],
    ['no charge', 'QuotaSpec', quotas({ quotas: [{ quota: 'a', charge: 0 }] }), 'spec.rules[0].quotas[0].charge'],
    ['a charge as text', 'QuotaSpec', quotas({ quotas: [{ quota: 'a', charge: '5' }] })],
    ['a binding', 'QuotaSpecBinding', binding([{ name: 'cart' }, { service: '*' }])],
    ['a binding to nothing', 'QuotaSpecBinding', binding(null), 'spec.services'],
    ['a service without name', 'QuotaSpecBinding', binding([{ namespace: 'a' }]), 'spec.services[0]'],
    [
      'an API',
      'HTTPAPISpec',
      {
        attributes: { attributes: { 'api.service': { string_value: 'pets' } } },
        patterns: [{ httpMethod: 'GET', uriTemplate: '/pets/{id}' }],
        api_keys: [{ header: 'x-api-key' }],
      },
    ],
    ['no path', 'HTTPAPISpec', { patterns: [{ httpMethod: 'GET' }] }, 'spec.patterns[0]'],
    ['a key nowhere', 'HTTPAPISpec', { apiKeys: [{}] }, 'spec.apiKeys[0]'],
    ['an API of nobody', 'HTTPAPISpecBinding', { apiSpecs: [{ name: 'pets' }] }, 'spec.services'],
  ])('%s (%s)', (_, kind, spec, ...paths) => {
    const errors = validateObject(object(kind, spec)).filter(({ severity }) => severity === 'error');
    expect(errors.map(({ path }) => path ?? '')).toEqual(paths);
  });

  it('warns of templates that nobody knows', () => {
    const found = validateObject(object('instance', { compiledTemplate: 'listentri' }));
    expect(found.map(({ severity, code, path }) => [severity, code, path])).toEqual([
      ['warning', 'SEINE-UNSUPPORTED', 'spec.compiledTemplate'],
    ]);
    expect(found[0]?.message).toContain('listentry');
  });

  it('reads snake case', () => {
    const written = object('rule', { response_header_operations: [{ name: 'a', values: ['"b"'] }] });
    expect(normalizeObject(written).spec).toEqual({ responseHeaderOperations: [{ name: 'a', values: ['"b"'] }] });
  });
});

const cases = process.env['SEINE_CASES'] ?? resolve(import.meta.dirname, '../../../../../../shared/cases');

describe('YAML of Istio 1.1 to 1.4', () => {
  const rows = readFileSync(join(cases, 'index.tsv'), 'utf8')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([file = '']) =>
      /^legacy\/(config|policy|telemetry)\/|^legacy\/dataset\/config|rbac-permissive-telemetry/.test(file),
    )
    .flatMap(([file = '', verdict = '']): (readonly [string, boolean])[] => [[file, !verdict.startsWith('REJECT')]]);

  it('is there', () => expect(rows.length).toBeGreaterThan(38));

  it.each(rows)('%s', (file, accepted) => {
    const found = parseAllDocuments(readFileSync(join(cases, file), 'utf8')).flatMap((document) => {
      const written = document.toJS() as ConfigObject | null;
      if (!written?.kind) return [];
      return validateObject({ ...written, metadata: { ...written.metadata, namespace: 'default' } });
    });
    const errors = found.filter(({ severity }) => severity === 'error').map(formatDiagnostic);
    if (accepted) expect(errors).toEqual([]);
    else expect(errors).not.toEqual([]);
  });
});
