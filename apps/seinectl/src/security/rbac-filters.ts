import type { ConfigDump, FilterChain, Listener } from '../proxy-config/config-dump.js';
import { listenersOf } from '../proxy-config/config-dump.js';
import { describeMatch } from '../proxy-config/listener-rows.js';

/** A matcher of Envoy's, as proto JSON: one field says which it is. */
export type Matcher = Readonly<Record<string, unknown>>;

export interface RbacPolicy {
  readonly permissions?: readonly Matcher[];
  readonly principals?: readonly Matcher[];
}
interface RbacRules {
  readonly action?: 'ALLOW' | 'DENY' | 'LOG';
  readonly policies?: Readonly<Record<string, RbacPolicy>>;
}
interface AnyConfig {
  readonly '@type'?: string;
  readonly rules?: RbacRules;
  readonly shadow_rules?: RbacRules;
  readonly shadow_rules_stat_prefix?: string;
  readonly http_filters?: readonly AnyFilter[];
  readonly default_filter_chain?: { readonly filters?: readonly AnyFilter[] };
}
interface AnyFilter {
  readonly name?: string;
  readonly typed_config?: AnyConfig;
  readonly config_discovery?: object;
}
interface EcdsSection {
  readonly '@type'?: string;
  readonly ecds_filters?: readonly { readonly ecds_filter?: AnyFilter }[];
}

export type Action = 'CUSTOM' | 'DENY' | 'ALLOW' | 'AUDIT';

/** One rule of an AuthorizationPolicy as the proxy has it. */
export interface AppliedRule {
  /** `name.namespace` */
  readonly policy: string;
  /** Counts from 0. */
  readonly rule: number;
  readonly matchers: RbacPolicy;
}

/** One step of a filter chain that decides, or would. */
export interface AppliedRules {
  readonly action: Action;
  /** Only counted and logged. */
  readonly dryRun: boolean;
  readonly rules: readonly AppliedRule[];
}

/** The steps of one filter chain, in their order. */
export interface AuthorizedChain {
  readonly listener: string;
  readonly match: string;
  readonly protocol: 'HTTP' | 'TCP';
  /** Of the connection, where the chain is for one port. */
  readonly port: number | undefined;
  /** What connections come in by it: with a certificate of the caller, with TLS that the proxy ends, in plain text, or TLS of the application's own. */
  readonly connections: 'mutual' | 'tls' | 'plain' | 'opaque';
  readonly steps: readonly AppliedRules[];
}

const customPrefix = 'istio_ext_authz_';
const mixerFilter = 'mixer.rbac';

/** `[istio-ext-authz-PROVIDER-]ns[NAMESPACE]-policy[NAME]-rule[INDEX]` */
function ruleOf([key, matchers]: readonly [string, RbacPolicy]): AppliedRule {
  const [, namespace = '', name = key, rule = '0'] = /ns\[(.*?)\]-policy\[(.*)\]-rule\[(\d+)\]/.exec(key) ?? [];
  return { policy: namespace === '' ? name : `${name}.${namespace}`, rule: Number(rule), matchers };
}

function stepOf(rules: RbacRules, action: Action, dryRun: boolean): AppliedRules {
  return { action, dryRun, rules: Object.entries(rules.policies ?? {}).map(ruleOf) };
}

const actions = { ALLOW: 'ALLOW', DENY: 'DENY', LOG: 'AUDIT' } as const;

function stepsOf({ rules, shadow_rules: shadow, shadow_rules_stat_prefix: prefix = '' }: AnyConfig): AppliedRules[] {
  const isCustom = prefix.startsWith(customPrefix);
  return [
    ...(shadow ? [stepOf(shadow, isCustom ? 'CUSTOM' : actions[shadow.action ?? 'ALLOW'], !isCustom)] : []),
    ...(rules ? [stepOf(rules, actions[rules.action ?? 'ALLOW'], false)] : []),
  ];
}

/** What the filters of an Envoy that are resources of their own are, by name. */
function discovered(dump: ConfigDump): ReadonlyMap<string, AnyConfig> {
  const sections = (dump.configs ?? []) as readonly EcdsSection[];
  const filters = sections.flatMap(({ ecds_filters: list }) =>
    (list ?? []).flatMap((entry) => entry.ecds_filter ?? []),
  );
  return new Map(filters.flatMap(({ name = '', typed_config: config }) => (config ? [[name, config] as const] : [])));
}

function stepsOfFilters(filters: readonly AnyFilter[], byName: ReadonlyMap<string, AnyConfig>): AppliedRules[] {
  return filters.flatMap((filter): AppliedRules[] => {
    const config = filter.typed_config ?? (filter.config_discovery ? byName.get(filter.name ?? '') : undefined);
    const type = config?.['@type'] ?? '';
    if (!config) return [];
    // What mixer's rules come to is no AuthorizationPolicy: `explain policy` tells of it.
    if (type.endsWith('.RBAC')) return filter.name === mixerFilter ? [] : stepsOf(config);
    return type.endsWith('.FilterChainConfig')
      ? stepsOfFilters(config.default_filter_chain?.filters ?? [], byName)
      : [];
  });
}

function portOf(listener: Listener, chain: FilterChain): number | undefined {
  const own = listener.address?.socket_address?.port_value;
  // Connections that are redirected to these ports have kept their own.
  return chain.filter_chain_match?.destination_port ?? (own === 15006 || own === 15001 ? undefined : own);
}

/** The filter that lets nobody in without an identity (feature peer-authentication): it demands the certificate where HTTP is spoken. */
const identityFilter = 'seine.single_identity';

function connectionsOf({
  filters = [],
  transport_socket: socket,
  filter_chain_match: match,
}: FilterChain): AuthorizedChain['connections'] {
  const demanded = filters.some(({ name }) => name === identityFilter);
  if (socket) return demanded || socket.typed_config?.require_client_certificate ? 'mutual' : 'tls';
  return match?.transport_protocol === 'tls' ? 'opaque' : 'plain';
}

/** The filter chains by which calls come in at a sidecar or gateway, with what AuthorizationPolicies say there. */
export function authorizedChains(dump: ConfigDump): readonly AuthorizedChain[] {
  const byName = discovered(dump);
  return listenersOf(dump).flatMap((listener) => {
    const chains = [
      ...(listener.filter_chains ?? []),
      ...(listener.default_filter_chain ? [listener.default_filter_chain] : []),
    ];
    const found = chains.map((chain): AuthorizedChain => {
      const filters = (chain.filters ?? []) as readonly AnyFilter[];
      const http = filters.find(({ typed_config: config }) => config?.['@type']?.endsWith('.HttpConnectionManager'));
      return {
        listener: listener.name ?? '',
        match: describeMatch(chain.filter_chain_match),
        protocol: http ? 'HTTP' : 'TCP',
        port: portOf(listener, chain),
        connections: connectionsOf(chain),
        steps: [...stepsOfFilters(filters, byName), ...stepsOfFilters(http?.typed_config?.http_filters ?? [], byName)],
      };
    });
    // Of listeners for calls that go out, those of gateways have policies.
    const isInbound = listener.traffic_direction === 'INBOUND';
    return isInbound || found.some(({ steps }) => steps.length > 0) ? found : [];
  });
}
