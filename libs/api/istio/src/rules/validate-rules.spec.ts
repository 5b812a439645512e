import { describe, expect, it } from '@jest/globals';
import type { JsonSchema } from '@seine/k8s';
import { ruleErrors } from './validate-rules.js';

const text: JsonSchema = { type: 'string' };
const integer: JsonSchema = { type: 'integer' };
const rule = (expression: string) => ({ 'x-kubernetes-validations': [{ rule: expression, message: 'no' }] });

const cases: readonly (readonly [string, JsonSchema, unknown, readonly (readonly [string | undefined, string])[]])[] = [
  ['a rule that holds', { ...text, ...rule("self != '*'") }, 'a', []],
  ['a rule that does not', { ...text, ...rule("self != '*'") }, '*', [[undefined, 'no.']]],
  ['whole numbers are ints', { ...integer, ...rule('self % 2 == 0') }, 3, [[undefined, 'no.']]],
  ['fractions are doubles', { type: 'number', ...rule('self < 0.5') }, 0.25, []],
  [
    'rules of items',
    { type: 'array', items: { ...text, ...rule("self.startsWith('a')") } },
    ['a', 'b', 'c'],
    [
      ['[1]', 'no.'],
      ['[2]', 'no.'],
    ],
  ],
  [
    'rules of entries of a map',
    { type: 'object', additionalProperties: { ...text, ...rule('size(self) < 3') } },
    { a: 'xyz', b: 'x' },
    [['a', 'no.']],
  ],
  [
    'rules between fields',
    { type: 'object', properties: { a: text, b: text }, ...rule('has(self.a) != has(self.b)') },
    { a: 'x', b: 'y' },
    [[undefined, 'no.']],
  ],
  [
    'why a rule cannot be evaluated',
    { type: 'object', ...rule('self.all(key, int(key) > 0)') },
    { acd: {} },
    [[undefined, 'no (Cannot convert acd to a BigInt).']],
  ],
  ['URLs', { ...text, ...rule("url(self).getScheme() in ['http', 'https']") }, 'https://example.com/jwks', []],
  [
    'other schemes',
    { ...text, ...rule("url(self).getScheme() in ['http', 'https']") },
    'ftp://a',
    [[undefined, 'no.']],
  ],
  ['what is no URL', { ...text, ...rule('isURL(self)') }, 'example com', [[undefined, 'no.']]],
  ['a path is a URL', { ...text, ...rule('isURL(self)') }, '/a/b', []],
  [
    'groups of fields',
    { type: 'object', properties: { a: text, b: text, c: text }, 'x-seine-oneofs': [['a', 'b', 'c']] },
    { a: 'x', c: 'y' },
    [[undefined, 'Only one of a, b, c can be set, but a and c are.']],
  ],
  [
    'keys of lists',
    { type: 'array', items: { type: 'object', properties: { name: text } }, 'x-kubernetes-list-map-keys': ['name'] },
    [{ name: 'a' }, { name: 'b' }, {}, {}, { name: 'a' }],
    [['[4].name', 'Duplicate value: another entry has "a" already.']],
  ],
  [
    'deprecated fields',
    { type: 'object', properties: { old: { ...text, description: 'Deprecated: use new.' } } },
    { old: 'x' },
    [['old', 'Deprecated: use new.']],
  ],
  ['fields that are not set', { type: 'object', properties: { a: { ...text, ...rule('false') } } }, {}, []],
];

describe('ruleErrors', () => {
  it.each(cases)('%s', (_, schema, value, expected) => {
    expect(ruleErrors(schema, value).map(({ path, message }) => [path, message])).toEqual(expected);
  });
});
