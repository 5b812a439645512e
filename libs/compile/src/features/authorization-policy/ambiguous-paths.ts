import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import { HTTPFaultSchema } from '@seine/envoy/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import {
  type HttpFilter,
  HttpFilterSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { AuthorizationPolicy, Rule } from '@seine/istio';
import type { MeshConfig } from '@seine/model';
import { fractionOfPercent } from '../routing/fraction.js';
import { isDryRun } from './rbac.js';
import { matchRegex } from './patterns.js';

/**
 * `//admin`, `/admin%2f`, `/admin%5c`, `/admin;x`, `/%2561dmin`: Envoy's basic normalization leaves these paths as they are, and some
 * servers read them as `/admin`. A rule on paths would judge another path than the application takes. Where such rules
 * decide, and the mesh has not said how paths are normalized, requests with them are refused: neither may they slip past
 * a rule, nor may the proxy change what it forwards.
 */
const ambiguousPath = '[^?#]*(//|;|\\\\|%2[fF]|%3[bB]|%5[cC]|%25[0-9a-fA-F]{2}).*';

const badRequest = 400;

function judgesPaths(rules: readonly Rule[] | undefined): boolean {
  return (rules ?? []).some(({ to }) => to?.some(({ operation }) => operation?.paths ?? operation?.notPaths));
}

/** Whether paths must be unambiguous for what these policies decide. `pathNormalization: BASE` is Istio's way, without this. */
function mustBeUnambiguous(policies: readonly AuthorizationPolicy[], { pathNormalization = 'DEFAULT' }: MeshConfig) {
  if (pathNormalization !== 'DEFAULT') return false;
  return policies.some(
    (policy) => policy.spec.action !== 'AUDIT' && !isDryRun(policy) && judgesPaths(policy.spec.rules),
  );
}

/** What answers ambiguous paths with 400, where the policies rest on paths. */
export function refuseAmbiguousPaths(policies: readonly AuthorizationPolicy[], config: MeshConfig): HttpFilter[] {
  if (!mustBeUnambiguous(policies, config)) return [];
  const value = toAny(HTTPFaultSchema, {
    abort: { errorType: { case: 'httpStatus', value: badRequest }, percentage: fractionOfPercent(100) },
    headers: [{ name: ':path', headerMatchSpecifier: { case: 'stringMatch', value: matchRegex(ambiguousPath) } }],
  });
  return [create(HttpFilterSchema, { name: 'envoy.filters.http.fault', configType: { case: 'typedConfig', value } })];
}
