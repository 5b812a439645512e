import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { Type } from '@sinclair/typebox';
import { bagOf, fakeAdapter, mixerObject } from '../testing/objects.js';
import { compilePolicy } from './compile-policy.js';
import type { MixerPolicy } from './policy.js';

const adapters = [
  fakeAdapter('denier', ['checknothing', 'listentry', 'quota'], {
    params: Type.Object(
      {
        status: Type.Optional(Type.Object({ code: Type.Integer(), message: Type.Optional(Type.String()) })),
        validDuration: Type.Optional(Type.String({ default: '5s' })),
      },
      { additionalProperties: false },
    ),
    problems: (params) =>
      (params as { status?: { code: number } }).status?.code === 99
        ? [{ path: 'status.code', message: 'is no code' }]
        : [],
  }),
  fakeAdapter('list', ['listentry'], { aliases: ['listchecker'] }),
  fakeAdapter('stdio', ['logentry', 'metric']),
  fakeAdapter('grpc', ['checknothing', 'logentry']),
  fakeAdapter('careless', ['checknothing'], {
    problems: () => {
      throw new TypeError('not a function');
    },
  }),
];

const deny = mixerObject('handler', 'deny', { compiledAdapter: 'denier' });
const nothing = mixerObject('instance', 'nothing', { compiledTemplate: 'checknothing' });
const rule = (spec: object, id = 'rule', metadata: object = {}): ConfigObject =>
  mixerObject('rule', id, spec, metadata);
const denies = rule({ match: 'request.method == "GET"', actions: [{ handler: 'deny', instances: ['nothing'] }] });

const compile = (...objects: readonly ConfigObject[]): MixerPolicy => compilePolicy(objects, { adapters });
const said = ({ problems }: MixerPolicy): readonly string[] =>
  problems.map(({ object, path, message }) => `${object?.kind} ${object?.name} ${path}: ${message}`);

describe('references', () => {
  const handlers = [
    mixerObject('handler', 'shop/deny', { compiledAdapter: 'denier' }),
    mixerObject('denier', 'shop/deny', {}),
    mixerObject('handler', 'istio-system/deny', { compiledAdapter: 'denier' }),
  ];
  const instances = [
    mixerObject('instance', 'shop/nothing', { compiledTemplate: 'checknothing' }),
    mixerObject('checknothing', 'shop/nothing', null),
    mixerObject('instance', 'istio-system/nothing', { compiledTemplate: 'checknothing' }),
  ];

  it.each([
    ['deny', 'nothing', 'deny.handler.shop', 'nothing.instance.shop'],
    ['deny.handler', 'nothing.instance', 'deny.handler.shop', 'nothing.instance.shop'],
    ['deny.istio-system', 'nothing.istio-system', 'deny.handler.istio-system', 'nothing.instance.istio-system'],
    ['deny.denier', 'nothing.checknothing', 'deny.denier.shop', 'nothing.checknothing.shop'],
    ['deny.denier.shop', 'nothing.checknothing.shop', 'deny.denier.shop', 'nothing.checknothing.shop'],
    ['deny.handler.istio-system', 'nothing.instance.shop', 'deny.handler.istio-system', 'nothing.instance.shop'],
  ])('%s, %s', (handler, instance, fullHandler, fullInstance) => {
    const policy = compile(
      ...handlers,
      ...instances,
      rule({ actions: [{ handler, instances: [instance] }] }, 'shop/r'),
    );
    expect(said(policy)).toEqual([]);
    const [action] = policy.rules[0]?.actions ?? [];
    expect([action?.handler.name, action?.instances.map(({ name }) => name)]).toEqual([fullHandler, [fullInstance]]);
  });

  it('makes only the handlers that something is handed to', () => {
    const policy = compile(...handlers, nothing, rule({ actions: [{ handler: 'deny', instances: ['nothing'] }] }));
    expect([...policy.handlers.keys()]).toEqual(['deny.handler.istio-system']);
  });
});

describe('what is wrong', () => {
  it.each<readonly [what: string, objects: readonly ConfigObject[], problem: string, rules: number]>([
    [
      'an expression of another type',
      [deny, nothing, rule({ match: 'request.method', actions: [{ handler: 'deny', instances: ['nothing'] }] })],
      'rule rule spec.match: must be BOOL, and is STRING (at character 9 of "request.method")',
      0,
    ],
    [
      'an attribute that there is not',
      [mixerObject('listentry', 'a', { value: 'source.colour' })],
      'listentry a spec.value: there is no attribute source.colour (at character 8 of "source.colour")',
      0,
    ],
    [
      'an expression too deep to be read',
      [mixerObject('listentry', 'a', { value: '('.repeat(100_000) })],
      'listentry a spec.value: this is nested too deeply',
      0,
    ],
    [
      'no such handler',
      [deny, nothing, rule({ actions: [{ handler: 'dany', instances: ['nothing'] }] })],
      'rule rule spec.actions[0].handler: there is no handler "dany"; did you mean deny.handler.istio-system?',
      0,
    ],
    [
      'no such instance beside one that there is',
      [deny, nothing, rule({ actions: [{ handler: 'deny', instances: ['other', 'nothing'] }] })],
      'rule rule spec.actions[0].instances[0]: there is no instance "other"',
      1,
    ],
    [
      'a template that the adapter does not take',
      [
        deny,
        mixerObject('logentry', 'log', { variables: {} }),
        rule({ actions: [{ handler: 'deny', instances: ['log.logentry'] }] }),
      ],
      'rule rule spec.actions[0].instances[0]: is of the template logentry, and denier takes checknothing, listentry, quota',
      0,
    ],
    [
      'an adapter that there is not',
      [mixerObject('handler', 'deny', { compiledAdapter: 'stackdriver' })],
      'handler deny spec.compiledAdapter: mixer has no adapter "stackdriver"',
      0,
    ],
    [
      'a parameter of another type',
      [mixerObject('handler', 'deny', { compiledAdapter: 'denier', params: { status: { code: 'x' } } })],
      'handler deny spec.params.status.code: Got string "x", expected a whole number.',
      0,
    ],
    [
      'a misspelt parameter',
      [mixerObject('denier', 'deny', { valid_duratio: '5s' })],
      'denier deny spec.valid_duratio: There is no field "valid_duratio" here.',
      0,
    ],
    [
      'what the adapter finds',
      [mixerObject('denier', 'deny', { status: { code: 99 } })],
      'denier deny spec.status.code: is no code',
      0,
    ],
    [
      'an adapter of one’s own that throws over its parameters',
      [mixerObject('handler', 'own', { compiledAdapter: 'careless' })],
      'handler own spec.params: careless cannot read its parameters: not a function',
      0,
    ],
    [
      'an attribute of two types',
      [mixerObject('attributemanifest', 'm', { attributes: { 'source.ip': { valueType: 'STRING' } } })],
      'attributemanifest m spec.attributes["source.ip"]: is IP_ADDRESS already, and so cannot be STRING',
      0,
    ],
    [
      'an annotation that says nothing',
      [
        deny,
        nothing,
        { ...denies, metadata: { ...denies.metadata, annotations: { 'policy.seine.dev/fail-open': 'yes' } } },
      ],
      'rule rule metadata.annotations["policy.seine.dev/fail-open"]: must be "true" or "false", not "yes"',
      1,
    ],
    [
      'a quota spec of nowhere',
      [mixerObject('QuotaSpecBinding', 'b', { services: [{ name: 'a' }], quotaSpecs: [{ name: 'q' }] })],
      'QuotaSpecBinding b spec.quotaSpecs[0]: there is no QuotaSpec istio-system/q',
      0,
    ],
    [
      'a clause about a map',
      [
        mixerObject('QuotaSpec', 'q', {
          rules: [{ match: [{ clause: { 'request.headers': { exact: 'a' } } }], quotas: [{ quota: 'q' }] }],
        }),
      ],
      'QuotaSpec q spec.rules[0].match[0].clause["request.headers"]: request.headers is a map: only what is one value is compared',
      0,
    ],
  ])('%s', (_, objects, problem, rules) => {
    const policy = compile(...objects);
    expect(said(policy)[0]).toContain(problem);
    expect(policy.rules).toHaveLength(rules);
  });

  it('leaves what was good of an object that is not any more', () => {
    const before = compile(deny, nothing, denies);
    const broken = [
      mixerObject('handler', 'deny', { compiledAdapter: 'denier', params: { status: 7 } }),
      mixerObject('instance', 'nothing', { compiledTemplate: 'checknothing', params: { a: '' } }),
      rule({ match: 'request.methood == "GET"', actions: [{ handler: 'deny', instances: ['nothing'] }] }),
    ];
    const after = compilePolicy(broken, { adapters, previous: before });
    expect(after.problems.map(({ object }) => object?.name)).toEqual(['nothing', 'deny', 'rule']);
    expect(after.rules).toEqual(before.rules);
    expect(after.rules[0]?.match?.text).toBe('request.method == "GET"');
    const later = compilePolicy(broken, { adapters, previous: after });
    expect(later.rules[0]?.match?.text).toBe('request.method == "GET"');
    expect(compilePolicy([], { adapters, previous: later }).rules).toEqual([]);
  });
});

describe('handlers', () => {
  it('gives what is left out its default', () => {
    const { handlers } = compile(deny, nothing, denies);
    expect(handlers.get('deny.handler.istio-system')).toMatchObject({
      adapter: 'denier',
      params: { validDuration: '5s' },
    });
  });

  it('leaves parameters as they are where no adapters are known', () => {
    const written = mixerObject('handler', 'deny', { compiledAdapter: 'mine', params: { valid_duration: '1s' } });
    const { handlers } = compilePolicy([written, nothing, denies]);
    expect(handlers.get('deny.handler.istio-system')).toMatchObject({
      adapter: 'mine',
      params: { valid_duration: '1s' },
    });
  });

  it('knows the types of what it is handed', () => {
    const log = mixerObject('instance', 'log', {
      compiledTemplate: 'logentry',
      params: { variables: { latency: 'response.duration | "0ms"', code: 'response.code | 0' } },
    });
    const out = mixerObject('stdio', 'out', {});
    const { handlers } = compile(out, log, rule({ actions: [{ handler: 'out.stdio', instances: ['log'] }] }));
    const types = handlers.get('out.stdio.istio-system')?.instances.get('log.instance.istio-system');
    expect(types?.template).toBe('logentry');
    expect([...(types?.maps['variables'] ?? [])]).toEqual([
      ['latency', 'DURATION'],
      ['code', 'INT64'],
    ]);
  });

  it('is the same as long as its parameters and the types of its instances are', () => {
    const handlerOf = (...objects: readonly ConfigObject[]): unknown =>
      compile(deny, ...objects).handlers.get('deny.handler.istio-system');
    const entry = (value: string): ConfigObject => mixerObject('listentry', 'entry', { value });
    const lists = rule({ actions: [{ handler: 'deny', instances: ['entry.listentry'] }] });
    expect(handlerOf(entry('source.name'), lists)).toBe(handlerOf(entry('source.namespace'), lists));
    expect(handlerOf(entry('source.name'), lists)).not.toBe(handlerOf(nothing, denies));
  });

  it('reaches adapters that are processes of their own', () => {
    const connection = { address: 'adapter.shop:9070' };
    const far = mixerObject('handler', 'deny', { adapter: 'mine', connection, params: { a: 1 } });
    const { handlers } = compile(far, nothing, denies);
    expect(handlers.get('deny.handler.istio-system')).toMatchObject({
      adapter: 'grpc',
      params: { adapter: 'mine', connection, params: { a: 1 } },
    });
  });
});

describe('instances', () => {
  const made = (kind: string, spec: object, bag: Parameters<typeof bagOf>[0]): unknown => {
    const policy = compile(mixerObject(kind, 'i', spec));
    expect(said(policy)).toEqual([]);
    return policy.instances.get(`i.${kind}.istio-system`)?.make(bagOf(bag));
  };

  it.each<readonly [what: string, kind: string, spec: object, bag: Parameters<typeof bagOf>[0], expected: unknown]>([
    ['a text', 'listentry', { value: 'source.labels["a"]' }, { 'source.labels': { a: 'b' } }, { value: 'b' }],
    ['a number as text', 'listentry', { value: 'response.code' }, { 'response.code': 200 }, { value: '200' }],
    ['an address as text', 'listentry', { value: 'source.ip | ip("0.0.0.0")' }, {}, { value: '0.0.0.0' }],
    [
      'what is left out',
      'logentry',
      { severity: '"Info"' },
      {},
      {
        severity: 'Info',
        timestamp: 0,
        monitoredResourceType: '',
        variables: new Map(),
        monitoredResourceDimensions: new Map(),
      },
    ],
    [
      'snake case',
      'metric',
      { value: '2', monitored_resource_type: '"X"', dimensions: { code: 'response.code' } },
      { 'response.code': 503 },
      { value: 2, monitoredResourceType: 'X', dimensions: new Map([['code', 503]]) },
    ],
    [
      'fields of fields',
      'authorization',
      { subject: { user: 'source.user', properties: { ip: 'source.ip' } }, action: { path: 'request.path' } },
      { 'source.user': 'ann', 'source.ip': '10.0.0.1', 'request.path': '/' },
      {
        subject: { user: 'ann', groups: '', properties: new Map([['ip', '10.0.0.1']]) },
        action: { namespace: '', service: '', method: '', path: '/', properties: new Map() },
      },
    ],
  ])('%s', (_, kind, spec, bag, expected) => {
    expect(made(kind, spec, bag)).toMatchObject({ instance: `i.${kind}.istio-system`, ...(expected as object) });
  });

  it('cannot be made while an expression has no value, and says which', () => {
    const policy = compile(mixerObject('metric', 'm', { value: 'response.size', dimensions: { a: 'source.name' } }));
    const instance = policy.instances.get('m.metric.istio-system');
    expect(instance?.make(bagOf({ 'response.size': 1 }))).toBeUndefined();
    expect(instance?.missing(bagOf({ 'response.size': 1 }))).toEqual(['dimensions.a (source.name)']);
    expect(instance?.missing(bagOf({}))).toEqual(['value (response.size)', 'dimensions.a (source.name)']);
    expect(instance?.reads).toEqual(['response.size', 'source.name']);
  });

  it('cuts what no label may be', () => {
    const policy = compile(mixerObject('metric', 'm', { value: '1', dimensions: { path: 'request.path' } }));
    let cuts = 0;
    const bag = bagOf({ 'request.path': 'x'.repeat(1_000_000) });
    const one = policy.instances.get('m.metric.istio-system')?.make(bag, () => cuts++);
    expect((one as { dimensions: ReadonlyMap<string, string> }).dimensions.get('path')).toHaveLength(1024);
    expect(cuts).toBe(1);
  });
});
