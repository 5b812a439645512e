import type { Diagnostic } from '@seine/diagnostics';
import { Scope } from '../validation/scope.js';
import { checkAuthorizationPolicy } from './authorization-policy.js';
import { checkDestinationRule } from './destination-rule.js';
import { checkEnvoyFilter } from './envoy-filter.js';
import { checkGateway } from './gateway.js';
import { checkRateLimit } from './rate-limit.js';
import { checkRequestAuthentication } from './request-authentication.js';
import { checkServiceEntry } from './service-entry.js';
import { checkSidecar } from './sidecar.js';
import { checkTelemetry } from './telemetry.js';
import { checkVirtualService } from './virtual-service.js';
import { checkWorkload } from './workload-entry.js';
import { checkWorkloadGroup } from './workload-group.js';

/** Takes a spec that satisfies the schema of its kind: the schema is where the type comes from. */
type Check = (spec: never, scope: Scope) => void;

const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['AuthorizationPolicy', checkAuthorizationPolicy],
  ['DestinationRule', checkDestinationRule],
  ['EnvoyFilter', checkEnvoyFilter],
  ['Gateway', checkGateway],
  ['RateLimit', checkRateLimit],
  ['RequestAuthentication', checkRequestAuthentication],
  ['ServiceEntry', checkServiceEntry],
  ['Sidecar', checkSidecar],
  ['Telemetry', checkTelemetry],
  ['VirtualService', checkVirtualService],
  ['WorkloadEntry', checkWorkload],
  ['WorkloadGroup', checkWorkloadGroup],
]);

/**
 * What Istio asks of a spec beyond its schema (its package `validation`): SEINE-INVALID, with paths that begin with `spec`.
 * @param spec satisfies the schema of the kind; absent counts as empty
 */
export function semanticErrors(kind: string, spec: unknown): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  checks.get(kind)?.((spec ?? {}) as never, new Scope(found, 'spec'));
  return found;
}
