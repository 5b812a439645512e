import { expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { PrincipalSchema } from '@seine/envoy/envoy/config/rbac/v3/rbac_pb.js';
import { create } from '@bufbuild/protobuf';
import type { ConfigObject } from '@seine/k8s';
import { compilePolicy } from '@seine/mixer';
import { bagOf, checkByMixer, type MixerObject, RandomPolicies, RandomRules } from '@seine/testing';
import type { PrincipalInit } from '../authorization-policy/principals.js';
import { type Json, principalHolds } from '../authorization-policy/rbac-meaning.fixture.js';
import type { PolicySource } from './decide-rule.js';
import { aWorkload, reviewsService } from './destination.fixture.js';
import { declaredPort, workloadConstants } from './inbound-plan.js';
import { type ChainPlan, decideRules, planChain } from './plan.js';

const workload = aWorkload({ labels: { app: 'reviews', version: 'v1' } });
const port = declaredPort(8080, reviewsService.host, reviewsService);

function sourceOf(objects: readonly MixerObject[]): PolicySource {
  const values = new Map(
    objects
      .filter(({ kind }) => kind === 'instance')
      .map(({ metadata: { name, namespace }, spec }) => [
        `${namespace}/${name}`,
        (spec['params'] as { readonly value?: string } | undefined)?.value,
      ]),
  );
  return {
    policy: compilePolicy(objects as readonly ConfigObject[]),
    valueOf: ({ object: { namespace, name } }) => values.get(`${namespace}/${name}`),
  };
}

function planOf(objects: readonly MixerObject[]): ChainPlan {
  const planned = { namespace: 'default', constants: workloadConstants(workload), foreignCertificates: false };
  const decisions = decideRules(sourceOf(objects), planned, port, 'http', 'istio-system');
  return planChain(decisions) ?? { refusals: [], ask: undefined };
}

const json = (principal: PrincipalInit) => toEnvoyJson(PrincipalSchema, create(PrincipalSchema, principal)) as Json;

interface Totals {
  allowed: number;
  refused: number;
  asked: number;
}

/** Compares what a proxy does with what mixer decides, of many rules and requests. */
function compareAll(seed: number, options: { readonly identities: boolean; readonly unknown: boolean }): Totals {
  const [rules, requests] = [new RandomRules(seed, options), new RandomPolicies(seed)];
  const constants = new Map([...workloadConstants(workload), ...port.constants]);
  const totals = { allowed: 0, refused: 0, asked: 0 };
  for (let i = 0; i < 600; i++) {
    const objects = rules.objects();
    const plan = planOf(objects);
    const refusals = plan.refusals.map(({ when, refusal }) => ({ when: json(when), refusal }));
    const ask = plan.ask === undefined || plan.ask === 'all' ? plan.ask : json(plan.ask);
    for (let j = 0; j < 10; j++) {
      const asked = requests.request({ identities: options.identities, ports: [8080] });
      const verdict = checkByMixer(objects, bagOf(asked, constants));
      const by = refusals.find(({ when }) => principalHolds(when, asked))?.refusal;
      const asks = ask === 'all' || (ask !== undefined && principalHolds(ask, asked));
      const isRight = by
        ? (asks ? verdict.refused : verdict.refused.slice(0, 1)).some(({ status }) => status === by.status)
        : asks || (verdict.refused.length === 0 && !verdict.fails);
      if (!isRight) throw new Error(JSON.stringify({ objects, asked, verdict, by, plan }, undefined, 1));
      totals[by ? 'refused' : asks ? 'asked' : 'allowed']++;
    }
  }
  return totals;
}

// The same against a real Envoy: e2e/suites/mixer/mixer-policy.spec.ts.
it('of 6,000 generated cases the proxy refuses just what mixer would', () => {
  const { allowed, refused, asked } = compareAll(3, { identities: false, unknown: false });
  expect(asked).toBe(0);
  expect(allowed).toBeGreaterThan(1500);
  expect(refused).toBeGreaterThan(1500);
});

it('of 6,000 more, with certificates, tokens and what no proxy knows, none passes that mixer would refuse', () => {
  const { allowed, refused, asked } = compareAll(4, { identities: true, unknown: true });
  expect(allowed).toBeGreaterThan(1000);
  expect(refused).toBeGreaterThan(1000);
  expect(asked).toBeGreaterThan(500);
});
