import { expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { HttpFilterSchema } from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { AuthorizationPolicy } from '@seine/istio';
import { defaultMeshConfig } from '@seine/model';
import { isAllowed, RandomPolicies, type ReferencePolicy } from '@seine/testing';
import { emitHttpAuthorization } from './authorization-policy.js';
import { type Json, passes } from './rbac-meaning.fixture.js';

function objectOf(spec: ReferencePolicy, i: number): AuthorizationPolicy {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: `policy-${i}`, namespace: 'default' },
    spec: spec,
  };
}

// The same against a real Envoy: e2e/suites/identity/authorization-policy-generated.spec.ts.
it('A-8, A-9, A-10: of 5,000 generated cases the emitted rules mean what the policies do', () => {
  const random = new RandomPolicies(5);
  const verdicts = { allowed: 0, denied: 0 };
  for (let i = 0; i < 500; i++) {
    const policies = random.policies();
    const filters = emitHttpAuthorization({
      policies: policies.map(objectOf),
      config: { ...defaultMeshConfig, pathNormalization: 'BASE' },
      providerClusters: undefined,
    }).map((filter) => toEnvoyJson(HttpFilterSchema, filter) as Json);
    for (let j = 0; j < 10; j++) {
      const request = random.request();
      const allowed = isAllowed(policies, request);
      verdicts[allowed ? 'allowed' : 'denied']++;
      if (passes(filters, request) !== allowed)
        throw new Error(
          `allowed should be ${allowed}: ${JSON.stringify({ policies, request, filters }, undefined, 1)}`,
        );
    }
  }
  // Otherwise the cases would say little.
  expect(verdicts.allowed).toBeGreaterThan(1000);
  expect(verdicts.denied).toBeGreaterThan(1000);
});
