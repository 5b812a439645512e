import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { fakeAdapter, mixerObject } from '../testing/objects.js';
import { compilePolicy } from './compile-policy.js';
import type { MixerPolicy } from './policy.js';

const adapters = [
  fakeAdapter('denier', ['checknothing', 'listentry', 'quota']),
  fakeAdapter('stdio', ['logentry', 'metric']),
];
const deny = mixerObject('handler', 'deny', { compiledAdapter: 'denier' });
const nothing = mixerObject('instance', 'nothing', { compiledTemplate: 'checknothing' });
const rule = (spec: object, id = 'rule'): ConfigObject => mixerObject('rule', id, spec);
const denies = rule({ match: 'request.method == "GET"', actions: [{ handler: 'deny', instances: ['nothing'] }] });

const compile = (...objects: readonly ConfigObject[]): MixerPolicy => compilePolicy(objects, { adapters });

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

describe('a bad object among good ones', () => {
  const good: readonly ConfigObject[] = [
    deny,
    nothing,
    denies,
    mixerObject('stdio', 'out', {}),
    mixerObject('logentry', 'log', { variables: { a: 'source.name | ""' } }),
    rule(
      { match: 'response.code >= 500', actions: [{ handler: 'out.stdio', instances: ['log.logentry'] }] },
      'shop/logs',
    ),
    mixerObject('quota', 'count', { dimensions: { a: 'source.name | ""' } }),
    rule({ actions: [{ handler: 'deny', instances: ['count.quota'] }] }, 'quotas'),
    mixerObject('QuotaSpec', 'q', { rules: [{ quotas: [{ quota: 'count' }] }] }),
    mixerObject('QuotaSpecBinding', 'b', { services: [{ service: '*' }], quotaSpecs: [{ name: 'q' }] }),
    mixerObject('attributemanifest', 'm', { attributes: { 'shop.tier': { valueType: 'STRING' } } }),
  ];
  const kinds = [
    'handler',
    'instance',
    'rule',
    'listentry',
    'metric',
    'stdio',
    'QuotaSpec',
    'QuotaSpecBinding',
    'attributemanifest',
  ];
  const values: readonly unknown[] = [
    null,
    0,
    -1,
    '',
    '(((',
    '"',
    'source.ip |',
    'a.b.c',
    [],
    [null],
    {},
    { a: {} },
    true,
    '\u0000',
  ];
  const fields = [
    ...[
      'match',
      'actions',
      'compiledAdapter',
      'adapter',
      'params',
      'compiledTemplate',
      'template',
      'attributeBindings',
    ],
    ...['rules', 'services', 'quotaSpecs', 'attributes', 'value', 'dimensions', 'variables', 'sampling', 'connection'],
    ...['requestHeaderOperations', 'handler', 'instances', 'quotas', 'status'],
  ];

  /** What nobody has validated: the compiler must bear it. */
  function garbage(next: () => number, depth = 0): unknown {
    if (depth > 2 || next() < 0.3) return values[Math.floor(next() * values.length)];
    if (next() < 0.2) return [garbage(next, depth + 1), garbage(next, depth + 1)];
    const count = 1 + Math.floor(next() * 4);
    return Object.fromEntries(
      Array.from({ length: count }, () => [fields[Math.floor(next() * fields.length)], garbage(next, depth + 1)]),
    );
  }

  const essence = ({ rules, handlers, instances, quotaBindings }: MixerPolicy): unknown => ({
    rules: rules.map(({ name, match, actions }) => [name, match?.text, actions.map(({ handler }) => handler)]),
    handlers: [...handlers.values()],
    instances: [...instances.keys()],
    quotas: quotaBindings.length,
  });
  const expected = essence(compile(...good));

  it.each(Array.from({ length: 300 }, (_, seed) => [seed]))('changes nothing for the others (seed %i)', (seed) => {
    const next = random(seed);
    const bad = mixerObject(kinds[Math.floor(next() * kinds.length)] ?? '', `bad${seed}`, garbage(next));
    const at = Math.floor(next() * good.length);
    const policy = compile(...good.slice(0, at), bad, ...good.slice(at));
    const own = (name: string): boolean => !name.startsWith('bad');
    const { rules, handlers, instances } = policy;
    expect(
      essence({
        ...policy,
        rules: rules.filter(({ name }) => own(name)),
        handlers: new Map([...handlers].filter(([name]) => own(name))),
        instances: new Map([...instances].filter(([name]) => own(name))),
        quotaBindings: policy.quotaBindings.filter(({ object }) => own(object.name)),
      }),
    ).toEqual(expected);
  });
});
