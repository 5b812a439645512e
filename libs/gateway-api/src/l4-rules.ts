import type { gatewayApi, RouteDestination } from '@seine/istio';
import { type BackendOwner, resolveBackend, weighed } from './backends.js';
import type { Problem } from './condition.js';
import type { Context } from './context.js';
import type { ConvertedRules } from './http-rules.js';

/** One rule's destinations. */
export interface L4Destinations {
  readonly route: readonly RouteDestination[];
}

/** A host that nobody has: connections to it are closed. */
const nobody: L4Destinations = {
  route: [{ destination: { host: 'internal.cluster.local', subset: 'zero-weight', port: { number: 65535 } } }],
};

type Converted =
  { readonly rule: L4Destinations; readonly problem?: Problem | undefined } | { readonly failure: Problem };

function convertRule({ backendRefs }: gatewayApi.L4Rule, owner: BackendOwner, context: Context): Converted {
  const backends = weighed(backendRefs);
  if (backends.length === 0) return { rule: nobody };
  const route: RouteDestination[] = [];
  let problem: Problem | undefined;
  for (const { ref, weight } of backends) {
    const backend = resolveBackend(ref, owner, context);
    if ('failure' in backend) return backend;
    problem = backend.problem ?? problem;
    route.push({ destination: backend.destination, ...(weight !== undefined && { weight }) });
  }
  return { rule: { route }, problem };
}

/** The rules of a TCPRoute or TLSRoute. One that cannot be followed sends connections nowhere. */
export function convertL4Rules(
  rules: readonly gatewayApi.L4Rule[],
  owner: BackendOwner,
  context: Context,
): ConvertedRules<L4Destinations> {
  const routes: L4Destinations[] = [];
  const dropped: number[] = [];
  let problem: Problem | undefined;
  for (const [position, rule] of rules.entries()) {
    const converted = convertRule(rule, owner, context);
    if ('failure' in converted) dropped.push(position);
    problem = ('failure' in converted ? converted.failure : converted.problem) ?? problem;
    routes.push('failure' in converted ? nobody : converted.rule);
  }
  return { routes, problem, dropped };
}
