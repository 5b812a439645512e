import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationOf, toAny } from '@seine/envoy';
import { ApiVersion } from '@seine/envoy/envoy/config/core/v3/config_source_pb.js';
import { type Filter, FilterSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { RBAC_Action, type RBACSchema } from '@seine/envoy/envoy/config/rbac/v3/rbac_pb.js';
import {
  ExtAuthzPerRouteSchema,
  ExtAuthzSchema,
} from '@seine/envoy/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js';
import { RBACSchema as HttpRbacSchema } from '@seine/envoy/envoy/extensions/filters/http/rbac/v3/rbac_pb.js';
import {
  type HttpFilter,
  HttpFilterSchema,
  type LocalReplyConfigSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { ExtAuthzSchema as NetworkExtAuthzSchema } from '@seine/envoy/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js';
import { RBACSchema as NetworkRbacSchema } from '@seine/envoy/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
import { StatusCode } from '@seine/envoy/envoy/type/v3/http_status_pb.js';
import type { MeshConfig } from '@seine/model';
import { celFilter } from '../access-log/cel-filter.js';
import { mixerService } from '../../telemetry/mixer-service.js';
import type { PrincipalInit } from '../authorization-policy/principals.js';
import type { ChainPlan, PlannedRefusal } from './plan.js';

/** How mixer is asked. */
export interface Asking {
  /** How long it is waited for, ms. */
  readonly timeoutMs: number;
  /** Whether requests pass that it gives no answer for. */
  readonly failOpen: boolean;
  /** `namespace/name` of the workload, where its address does not tell. */
  readonly workload: string | undefined;
  /** Host of the service at the port; undefined where it is not known. */
  readonly service: string | undefined;
}

/** Names of the filters; what Istio's proxies asked Mixer by had the first one too. */
export const askFilterName = 'mixer';
const refuseFilterName = 'mixer.rbac';

/** RBAC writes what it found into dynamic metadata, under names that begin so: other RBAC filters find out other things. */
const statPrefix = 'mixer_';
const rbacMetadata = { http: 'envoy.filters.http.rbac', tcp: 'envoy.filters.network.rbac' } as const;
/** What the shadow rules leave there of requests that mixer is asked of. */
const marked = 'ask';
/** What filters before know of a request: the claims of its token, and what the caller's proxy says of its workload. */
const metadataNamespaces = ['envoy.filters.http.jwt_authn', 'seine.peer'];

type Rbac = MessageInitShape<typeof RBACSchema>;

function denyAll(policies: readonly (readonly [name: string, when: PrincipalInit])[]): Rbac {
  return {
    action: RBAC_Action.DENY,
    policies: Object.fromEntries(
      policies.map(([name, when]) => [
        name,
        { permissions: [{ rule: { case: 'any', value: true } }], principals: [when] },
      ]),
    ),
  };
}

/** What is refused here, and, as shadow rules that only leave a mark, of what mixer is asked. */
function rbacOf({ refusals, ask }: ChainPlan) {
  const some = ask !== undefined && ask !== 'all';
  if (refusals.length === 0 && !some) return undefined;
  return {
    ...(refusals.length > 0 && { rules: denyAll(refusals.map(({ name, when }) => [name, when])) }),
    ...(some && { shadowRules: denyAll([[marked, ask]]), shadowRulesStatPrefix: statPrefix }),
  };
}

/** Only of requests that the shadow rules have marked. @param filter the RBAC filter, as it names what it leaves */
function onlyMarked({ ask }: ChainPlan, filter: string) {
  if (ask === 'all') return {};
  return {
    filterEnabledMetadata: {
      filter,
      path: [{ segment: { case: 'key' as const, value: `${statPrefix}shadow_effective_policy_id` } }],
      value: {
        matchPattern: {
          case: 'stringMatch' as const,
          value: { matchPattern: { case: 'exact' as const, value: marked } },
        },
      },
    },
  };
}

function grpcServiceOf({ timeoutMs }: Asking, config: MeshConfig) {
  const { cluster, host } = mixerService(config);
  return {
    targetSpecifier: { case: 'envoyGrpc' as const, value: { clusterName: cluster, authority: host } },
    timeout: durationOf(timeoutMs),
  };
}

/** What mixer is told of the asking proxy. */
function contextOf({ workload, service }: Pick<Asking, 'workload' | 'service'>): Record<string, string> {
  return {
    'seine.reporter': 'inbound',
    ...(workload !== undefined && { 'seine.workload': workload }),
    ...(service !== undefined && { 'seine.service': service }),
  };
}

/** The HTTP filters: what the proxy refuses by itself is not asked of mixer. */
export function emitHttpPlan(plan: ChainPlan, asking: Asking, config: MeshConfig): HttpFilter[] {
  const filter = (name: string, value: ReturnType<typeof toAny>) =>
    create(HttpFilterSchema, { name, configType: { case: 'typedConfig', value } });
  const rbac = rbacOf(plan);
  const filters = rbac ? [filter(refuseFilterName, toAny(HttpRbacSchema, rbac))] : [];
  if (plan.ask === undefined) return filters;
  const ask = toAny(ExtAuthzSchema, {
    services: { case: 'grpcService', value: grpcServiceOf(asking, config) },
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: asking.failOpen,
    // As Istio's proxies answered when Mixer did not.
    statusOnError: { code: StatusCode.ServiceUnavailable },
    metadataContextNamespaces: [...metadataNamespaces],
    includeTlsSession: true,
    statPrefix: 'mixer',
    ...onlyMarked(plan, rbacMetadata.http),
  });
  return [...filters, filter(askFilterName, ask)];
}

/** What the routes of a chain have for the filter that asks. */
export function emitAskContext(asking: Asking) {
  return {
    [askFilterName]: toAny(ExtAuthzPerRouteSchema, {
      override: { case: 'checkSettings', value: { contextExtensions: contextOf(asking) } },
    }),
  };
}

/** The network filters: who is refused is cut off. */
export function emitTcpPlan(plan: ChainPlan, asking: Asking, config: MeshConfig): Filter[] {
  const filter = (name: string, value: ReturnType<typeof toAny>) =>
    create(FilterSchema, { name, configType: { case: 'typedConfig', value } });
  const rbac = rbacOf(plan);
  const filters = rbac ? [filter(refuseFilterName, toAny(NetworkRbacSchema, { ...rbac, statPrefix: 'mixer.' }))] : [];
  if (plan.ask === undefined) return filters;
  const ask = toAny(NetworkExtAuthzSchema, {
    statPrefix: 'mixer',
    grpcService: grpcServiceOf(asking, config),
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: asking.failOpen,
    includeTlsSession: true,
    ...onlyMarked(plan, rbacMetadata.tcp),
  });
  return [...filters, filter(askFilterName, ask)];
}

/**
 * What becomes of RBAC's own answers, 403 and "RBAC: access denied": the status and the body that mixer would have given.
 * Undefined where nothing is refused.
 */
export function emitRefusalReplies({
  refusals,
}: ChainPlan): MessageInitShape<typeof LocalReplyConfigSchema> | undefined {
  return refusals.length === 0 ? undefined : { mappers: refusals.map(mapperOf) };
}

/** RBAC says in the response's details which policy it was; into the metadata it writes that too late. */
function mapperOf({ name, refusal: { status, body, format } }: PlannedRefusal) {
  return {
    filter: celFilter(`response.code_details == ${JSON.stringify(`rbac_access_denied_matched_policy[${name}]`)}`),
    statusCode: status,
    ...(format === undefined
      ? { body: { specifier: { case: 'inlineString' as const, value: body } } }
      : {
          bodyFormatOverride: {
            format: {
              case: 'textFormatSource' as const,
              value: { specifier: { case: 'inlineString' as const, value: format } },
            },
          },
        }),
  };
}
