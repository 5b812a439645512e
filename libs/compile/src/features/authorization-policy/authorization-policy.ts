import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import { type Filter, FilterSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { RBAC_Action } from '@seine/envoy/envoy/config/rbac/v3/rbac_pb.js';
import { ExtAuthzSchema } from '@seine/envoy/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js';
import { RBACSchema as HttpRbacSchema } from '@seine/envoy/envoy/extensions/filters/http/rbac/v3/rbac_pb.js';
import { ExtAuthzSchema as NetworkExtAuthzSchema } from '@seine/envoy/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js';
import {
  type HttpFilter,
  HttpFilterSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { RBACSchema as NetworkRbacSchema } from '@seine/envoy/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
import type { AuthorizationPolicy, ExtensionProvider } from '@seine/istio';
import type { MeshConfig } from '@seine/model';
import { findProvider, type ProviderClusters } from '../../telemetry/providers.js';
import { refuseAmbiguousPaths } from './ambiguous-paths.js';
import { emitHttpExtAuthz, emitNetworkExtAuthz } from './ext-authz.js';
import { type Action, emitPolicies, emitRbac, type Protocol, type RbacRules } from './rbac.js';

export interface AuthorizationInput {
  /** All that select the workload, of every action. */
  readonly policies: readonly AuthorizationPolicy[];
  readonly config: MeshConfig;
  /** The services of extension providers that the proxy sees. */
  readonly providerClusters: ProviderClusters | undefined;
}

/** What the RBAC filters of both protocols are made of. */
type RbacFilterInit = Partial<RbacRules>;

/** After CUSTOM. What is denied is audited too, so AUDIT comes first; it never decides. */
const inOrder: readonly Action[] = ['AUDIT', 'DENY', 'ALLOW'];

const rbacStatPrefix = 'tcp.';

/** One CUSTOM provider with the rules that ask it. */
interface CustomGroup {
  readonly name: string;
  readonly provider: ExtensionProvider | undefined;
  readonly policies: readonly AuthorizationPolicy[];
  /** Of the shadow rules' result. Each group has its own, or the second one would hide the first one's. */
  readonly statPrefix: string;
}

function customGroups({ policies, config }: AuthorizationInput): readonly CustomGroup[] {
  const byName = new Map<string, AuthorizationPolicy[]>();
  for (const policy of policies) {
    if (policy.spec.action !== 'CUSTOM') continue;
    const name = policy.spec.provider?.name ?? '';
    byName.set(name, [...(byName.get(name) ?? []), policy]);
  }
  return [...byName].map(([name, group], i) => ({
    name,
    policies: group,
    provider: findProvider(config, name),
    statPrefix: i === 0 ? 'istio_ext_authz_' : `istio_ext_authz_${i}_`,
  }));
}

/** The rules of a group: only noted, for the filter that asks; or, when nobody can be asked, what they say is denied. */
function customRbac(
  group: CustomGroup,
  protocol: Protocol,
  config: MeshConfig,
  canAsk: boolean,
): RbacFilterInit | undefined {
  const nameOf = (rule: string) =>
    `istio-ext-authz-${group.name}-${rule}${canAsk ? '' : '-deny-due-to-bad-CUSTOM-action'}`;
  const policies = emitPolicies(group.policies, protocol, config, { keepRest: true, nameOf });
  if (Object.keys(policies).length === 0) return undefined;
  const rules = { action: RBAC_Action.DENY, policies };
  return canAsk ? { shadowRules: rules, shadowRulesStatPrefix: group.statPrefix } : { rules };
}

function httpFilter(name: string, value: ReturnType<typeof toAny>): HttpFilter {
  return create(HttpFilterSchema, { name, configType: { case: 'typedConfig', value } });
}

function networkFilter(name: string, value: ReturnType<typeof toAny>): Filter {
  return create(FilterSchema, { name, configType: { case: 'typedConfig', value } });
}

/**
 * The HTTP filters that hold a workload's AuthorizationPolicies: whom CUSTOM's provider refuses, or DENY names, or no
 * ALLOW names where there is one, is answered 403 (Istio, AuthorizationPolicy).
 */
export function emitHttpAuthorization(input: AuthorizationInput): HttpFilter[] {
  const { policies, config, providerClusters } = input;
  const rbac = (init: RbacFilterInit) => httpFilter('envoy.filters.http.rbac', toAny(HttpRbacSchema, init));
  const custom = customGroups(input).flatMap((group) => {
    const prefix = `istio-ext-authz-${group.name}`;
    const ask = group.provider && emitHttpExtAuthz(group.provider, providerClusters, group.statPrefix, prefix);
    const rules = customRbac(group, 'http', config, ask !== undefined);
    if (!rules) return [];
    return [rbac(rules), ...(ask ? [httpFilter('envoy.filters.http.ext_authz', toAny(ExtAuthzSchema, ask))] : [])];
  });
  const own = inOrder.flatMap((action) => {
    const emitted = emitRbac(policies, action, 'http', config);
    return emitted ? [rbac(emitted)] : [];
  });
  return [...refuseAmbiguousPaths(policies, config), ...custom, ...own];
}

/** The same for connections of which no HTTP is known: who may not is cut off. */
export function emitTcpAuthorization(input: AuthorizationInput): Filter[] {
  const { policies, config, providerClusters } = input;
  const rbac = (init: RbacFilterInit) =>
    networkFilter('envoy.filters.network.rbac', toAny(NetworkRbacSchema, { ...init, statPrefix: rbacStatPrefix }));
  const custom = customGroups(input).flatMap((group) => {
    // A service that is asked by HTTP has nothing to say of bytes.
    if (group.provider?.envoyExtAuthzHttp) return [];
    const prefix = `istio-ext-authz-${group.name}`;
    const ask = group.provider && emitNetworkExtAuthz(group.provider, providerClusters, group.statPrefix, prefix);
    const rules = customRbac(group, 'tcp', config, ask !== undefined);
    if (!rules) return [];
    return [
      rbac(rules),
      ...(ask ? [networkFilter('envoy.filters.network.ext_authz', toAny(NetworkExtAuthzSchema, ask))] : []),
    ];
  });
  const own = inOrder.flatMap((action) => {
    const emitted = emitRbac(policies, action, 'tcp', config);
    return emitted ? [rbac(emitted)] : [];
  });
  return [...custom, ...own];
}
