import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { bagOf, fakeAdapter, mixerObject } from '../testing/objects.js';
import { compilePolicy } from './compile-policy.js';
import type { MixerPolicy } from './policy.js';

const adapters = [fakeAdapter('denier', ['checknothing', 'listentry', 'quota'])];

const deny = mixerObject('handler', 'deny', { compiledAdapter: 'denier' });
const nothing = mixerObject('instance', 'nothing', { compiledTemplate: 'checknothing' });
const rule = (spec: object, id = 'rule'): ConfigObject => mixerObject('rule', id, spec);
const denies = rule({ match: 'request.method == "GET"', actions: [{ handler: 'deny', instances: ['nothing'] }] });

const compile = (...objects: readonly ConfigObject[]): MixerPolicy => compilePolicy(objects, { adapters });
const said = ({ problems }: MixerPolicy): readonly string[] =>
  problems.map(({ object, path, message }) => `${object?.kind} ${object?.name} ${path}: ${message}`);

describe('rules', () => {
  it('knows attributes of manifests', () => {
    const manifest = mixerObject('attributemanifest', 'm', { attributes: { 'shop.tier': { valueType: 'STRING' } } });
    const own = rule({ match: 'shop.tier == "gold"', actions: [{ handler: 'deny', instances: ['nothing'] }] });
    expect(said(compile(deny, nothing, own))).toHaveLength(1);
    expect(said(compile(deny, nothing, own, manifest))).toEqual([]);
  });

  it.each([
    ['tcp', [true, false, false]],
    ['http', [false, true, true]],
    ['other', [true, true, true]],
  ])('is about %s only where its label says so', (protocol, expected) => {
    for (const one of [denies, rule({ actions: [{ handler: 'deny', instances: ['nothing'] }] })]) {
      const labels = { 'istio-protocol': protocol };
      const policy = compile(deny, nothing, { ...one, metadata: { ...one.metadata, labels } });
      const match = policy.rules[0]?.match;
      const found = ['tcp', 'http', 'grpc'].map(
        (of) => match?.evaluate(bagOf({ 'request.method': 'GET', 'context.protocol': of })) ?? true,
      );
      expect(found).toEqual(expected);
    }
  });

  it('says when a request passes, and how long it waits', () => {
    const annotations = { 'policy.seine.dev/fail-open': 'true', 'policy.seine.dev/timeout': '200ms' };
    const policy = compile(deny, nothing, { ...denies, metadata: { ...denies.metadata, annotations } });
    expect(policy.rules[0]).toMatchObject({ failOpen: true, timeoutMs: 200 });
    expect(compile(deny, nothing, denies).rules[0]).toMatchObject({ failOpen: undefined, timeoutMs: undefined });
  });

  it('changes headers by what adapters give', () => {
    const policy = compile(
      deny,
      nothing,
      rule({
        actions: [{ handler: 'deny', instances: ['nothing'], name: 'auth' }],
        requestHeaderOperations: [
          { name: 'x-user', values: ['auth.output.user | "nobody"', 'auth.output.line'] },
          { name: 'x-method', values: ['request.method'], operation: 'APPEND' },
          { name: 'x-old', operation: 'REMOVE' },
        ],
      }),
    );
    expect(said(policy)).toEqual([]);
    const [first, second, third] = policy.rules[0]?.requestHeaders ?? [];
    const outputs = new Map([
      [
        'auth',
        new Map([
          ['user', 'ann'],
          ['line', 'a\r\nx-admin: true'],
        ]),
      ],
    ]);
    const bag = bagOf({ 'request.method': 'GET' });
    expect(first?.values.map((value) => value(bag, outputs))).toEqual(['ann', undefined]);
    expect(first?.values.map((value) => value(bag, new Map()))).toEqual(['nobody', undefined]);
    expect(second).toMatchObject({ name: 'x-method', operation: 'APPEND' });
    expect(third).toMatchObject({ operation: 'REMOVE', values: [] });
  });

  it('takes the kind kubernetes of old, with its bindings', () => {
    const policy = compile(
      mixerObject('kubernetesenv', 'handler', { kubeconfig_path: '' }),
      mixerObject('kubernetes', 'attributes', {
        source_uid: 'source.uid | ""',
        destination_port: 'destination.port | 0',
        attribute_bindings: {
          'source.labels': '$out.source_labels | emptyStringMap()',
          'source.cluster.id': '$out.source_cluster_id | "unknown"',
          'origin.ip': '$out.source_host_ip | ip("0.0.0.0")',
        },
      }),
      rule({ actions: [{ handler: 'handler.kubernetesenv', instances: ['attributes.kubernetes'] }] }),
    );
    expect(said(policy)).toEqual([]);
    expect(policy.derived.map(({ attribute }) => attribute)).toEqual([
      'source.labels',
      'source.cluster.id',
      'origin.ip',
    ]);
    expect(policy.derived[2]?.value.evaluate(bagOf({}))).toBe('0.0.0.0');
  });

  it('takes what kubernetesenv was for as known', () => {
    const policy = compile(
      mixerObject('handler', 'kube', { compiledAdapter: 'kubernetesenv', params: {} }),
      mixerObject('attributemanifest', 'm', { attributes: { 'my.pod': { valueType: 'STRING' } } }),
      mixerObject('instance', 'attributes', {
        compiledTemplate: 'kubernetes',
        params: { source_uid: 'source.uid | ""', destination_ip: 'destination.ip | ip("0.0.0.0")' },
        attributeBindings: {
          'my.pod': '$out.source_pod_name | "unknown"',
          'source.namespace': '$out.source_namespace | "default"',
        },
      }),
      rule({ actions: [{ handler: 'kube', instances: ['attributes'] }] }),
      mixerObject('listentry', 'pod', { value: 'my.pod' }),
      rule({ match: 'my.pod != ""', actions: [{ handler: 'deny', instances: ['pod.listentry'] }] }, 'second'),
      deny,
    );
    expect(said(policy)).toEqual([]);
    expect(policy.rules.map(({ name }) => name)).toEqual(['second.rule.istio-system']);
    expect(policy.derived.map(({ attribute, value }) => [attribute, value.text])).toEqual([
      ['my.pod', 'source.name | "unknown"'],
      ['source.namespace', 'source.namespace | "default"'],
    ]);
    // What the attribute is made of is what the rule's result depends on.
    expect(policy.rules[0]?.match?.reads).toContain('source.name');
    expect(policy.instances.get('pod.listentry.istio-system')?.reads).toContain('source.name');
  });
});
