import { describe, expect, it } from '@jest/globals';
import { decideInjection, type InjectionPolicy } from './decide-injection.js';
import { defaultInjection } from './injection-settings.js';
import type { Pod, PodSpec } from './pod.js';

type Labels = Readonly<Record<string, string>>;

const pod = (labels: Labels = {}, annotations: Labels = {}, spec: Partial<PodSpec> = {}): Pod => ({
  metadata: { labels, annotations },
  spec: { containers: [], ...spec },
});

const decide = (one: Pod, namespaceLabels: Labels, policy: Partial<InjectionPolicy> = {}, name = 'default') =>
  decideInjection(one, { name, labels: namespaceLabels }, { ...defaultInjection, ...policy });

const on = { 'istio-injection': 'enabled' };
const off = { 'istio-injection': 'disabled' };
const inject = (value: string): Labels => ({ 'sidecar.istio.io/inject': value });
const canary: Partial<InjectionPolicy> = { revision: 'canary', isDefaultRevision: false };
const ofCanary = { 'istio.io/rev': 'canary' };

describe('I-1: who is injected', () => {
  const namespaces: readonly (readonly [string, Labels])[] = [
    ['enabled', on],
    ['disabled', off],
    ['silent', {}],
    ['of revision default', { 'istio.io/rev': 'default' }],
    ['of another revision', ofCanary],
  ];
  const wishes: readonly (readonly [string, Labels, Labels])[] = [
    ['says nothing', {}, {}],
    ['has the label true', inject('true'), {}],
    ['has the label false', inject('false'), {}],
    ['has the annotation true', {}, inject('true')],
    ['has the annotation false', {}, inject('false')],
    ['has the label true and the annotation false', inject('true'), inject('false')],
    ['has the label false and the annotation true', inject('false'), inject('true')],
    ['has the label on', inject('on'), {}],
    ['has a bad label', inject('maybe'), {}],
  ];
  // A row for each namespace above, a letter for each wish.
  const expected: readonly (readonly [string, Partial<InjectionPolicy>, readonly string[]])[] = [
    ['the default policy', {}, ['yynynynyy', 'nnnnnnnnn', 'nynnnynnn', 'yynynynyy', 'nnnnnnnnn']],
    ['the policy disabled', { policy: 'disabled' }, ['nynynynyn', 'nnnnnnnnn', 'nynnnynnn', 'nynynynyn', 'nnnnnnnnn']],
    [
      'enableNamespacesByDefault',
      { enableNamespacesByDefault: true },
      ['yynynynyy', 'nnnnnnnnn', 'yynynynyy', 'yynynynyy', 'nnnnnnnnn'],
    ],
    ['another revision', canary, ['nnnnnnnnn', 'nnnnnnnnn', 'nnnnnnnnn', 'nnnnnnnnn', 'yynynynyy']],
  ];
  const rows = expected.flatMap(([policyName, policy, lines]) =>
    namespaces.flatMap(([namespaceName, labels], n) =>
      wishes.map(([wish, podLabels, annotations], w) => ({
        title: `${policyName}, namespace ${namespaceName}, pod ${wish}`,
        got: () => decide(pod(podLabels, annotations), labels, policy).inject,
        wanted: lines[n]?.[w] === 'y',
      })),
    ),
  );
  it.each(rows)('$title', ({ got, wanted }) => {
    expect(got()).toBe(wanted);
  });

  it('warns of a value that is neither true nor false', () => {
    expect(decide(pod(inject('maybe')), on).warnings).toEqual([
      "the label sidecar.istio.io/inject is 'maybe', which is neither true nor false: it does not count",
    ]);
  });

  it('by selectors, of which never counts more than always, and what the pod says more than both', () => {
    const selector = [{ matchLabels: { job: 'x' } }];
    const never = { neverInjectSelector: selector };
    const always = { policy: 'disabled' as const, alwaysInjectSelector: selector };
    const x = { job: 'x' };
    expect(decide(pod(x), on, never).inject).toBe(false);
    expect(decide(pod({ ...x, ...inject('true') }), on, never).inject).toBe(true);
    expect(decide(pod(x), on, always).inject).toBe(true);
    expect(decide(pod(), on, always).inject).toBe(false);
    expect(decide(pod(x), on, { ...always, ...never }).inject).toBe(false);
  });
});

describe('who is never injected, whatever it asks', () => {
  const eager = pod(inject('true'));
  it('I-2: pods on the network of the node', () => {
    expect(decide(pod(inject('true'), {}, { hostNetwork: true }), on).inject).toBe(false);
  });

  it.each(['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage', 'istio-system'])(
    'I-3: pods of %s',
    (name) => {
      expect(decide(eager, on, {}, name).inject).toBe(false);
    },
  );

  it('I-18: pods for Windows', () => {
    const windows = { nodeSelector: { 'kubernetes.io/os': 'windows' } };
    expect(decide(pod(inject('true'), {}, windows), on)).toMatchObject({ inject: false, reason: /Windows/ });
  });
});

it('I-19: of two revisions exactly one injects a pod, wherever it is', () => {
  const stable: Partial<InjectionPolicy> = { revision: 'stable', isDefaultRevision: true };
  const places: readonly Labels[] = [on, { 'istio.io/rev': 'default' }, { 'istio.io/rev': 'stable' }, ofCanary];
  for (const labels of places)
    expect([stable, canary].filter((policy) => decide(pod(), labels, policy).inject)).toHaveLength(1);
  for (const revision of ['stable', 'canary'])
    expect(
      [stable, canary].filter(
        (policy) => decide(pod({ 'istio.io/rev': revision, ...inject('true') }), {}, policy).inject,
      ),
    ).toHaveLength(1);
});
