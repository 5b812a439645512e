/**
 * The parts of Envoy's admin answers that the tables read (envoy.admin.v3.ConfigDump and Clusters, as proto JSON with
 * Envoy's own field names). Everything is optional: proto JSON leaves defaults out.
 */
export interface SocketAddress {
  readonly address?: string;
  readonly port_value?: number;
}
export interface Address {
  readonly socket_address?: SocketAddress;
  readonly pipe?: { readonly path?: string };
  readonly envoy_internal_address?: { readonly server_listener_name?: string };
}
export interface Metadata {
  readonly filter_metadata?: { readonly istio?: { readonly config?: string } };
}

export interface Cluster {
  readonly name?: string;
  readonly type?: string;
  readonly cluster_type?: { readonly name?: string };
  readonly metadata?: Metadata;
}

export interface WeightedClusters {
  readonly clusters?: readonly { readonly name?: string; readonly weight?: number }[];
}
export interface TypedConfig {
  readonly '@type'?: string;
  readonly cluster?: string;
  readonly weighted_clusters?: WeightedClusters;
  readonly rds?: { readonly route_config_name?: string };
  readonly route_config?: RouteConfiguration;
}
export interface Filter {
  readonly name?: string;
  readonly typed_config?: TypedConfig;
}
export interface FilterChainMatch {
  readonly destination_port?: number;
  readonly prefix_ranges?: readonly { readonly address_prefix?: string; readonly prefix_len?: number }[];
  readonly server_names?: readonly string[];
  readonly transport_protocol?: string;
  readonly application_protocols?: readonly string[];
}
export interface FilterChain {
  readonly name?: string;
  readonly filter_chain_match?: FilterChainMatch;
  readonly filters?: readonly Filter[];
  readonly transport_socket?: {
    readonly typed_config?: { readonly require_client_certificate?: boolean };
  };
}
export interface Listener {
  readonly name?: string;
  readonly address?: Address;
  readonly additional_addresses?: readonly { readonly address?: Address }[];
  readonly filter_chains?: readonly FilterChain[];
  readonly default_filter_chain?: FilterChain;
  readonly traffic_direction?: string;
}

export interface StringMatch {
  readonly exact?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly contains?: string;
  readonly safe_regex?: { readonly regex?: string };
}
export interface HeaderMatch {
  readonly name?: string;
  readonly string_match?: StringMatch;
  readonly present_match?: boolean;
  readonly invert_match?: boolean;
}
export interface QueryMatch {
  readonly name?: string;
  readonly string_match?: StringMatch;
  readonly present_match?: boolean;
}
export interface RouteMatch {
  readonly prefix?: string;
  readonly path?: string;
  readonly path_separated_prefix?: string;
  readonly safe_regex?: { readonly regex?: string };
  readonly connect_matcher?: object;
  readonly headers?: readonly HeaderMatch[];
  readonly query_parameters?: readonly QueryMatch[];
}
export interface Route {
  readonly name?: string;
  readonly match?: RouteMatch;
  readonly route?: {
    readonly cluster?: string;
    readonly cluster_header?: string;
    readonly weighted_clusters?: WeightedClusters;
  };
  readonly redirect?: {
    readonly host_redirect?: string;
    readonly path_redirect?: string;
    readonly prefix_rewrite?: string;
    readonly https_redirect?: boolean;
    readonly scheme_redirect?: string;
    readonly port_redirect?: number;
    readonly response_code?: string;
  };
  readonly direct_response?: { readonly status?: number };
  readonly metadata?: Metadata;
}
export interface VirtualHost {
  readonly name?: string;
  readonly domains?: readonly string[];
  readonly routes?: readonly Route[];
}
export interface RouteConfiguration {
  readonly name?: string;
  readonly virtual_hosts?: readonly VirtualHost[];
}

/** Why Envoy refused the newest version of a resource. */
export interface ErrorState {
  readonly details?: string;
  readonly last_update_attempt?: string;
}
interface Refusable {
  readonly error_state?: ErrorState;
}
interface Section extends Refusable {
  readonly '@type'?: string;
  readonly bootstrap?: object;
  readonly static_clusters?: readonly { readonly cluster?: Cluster }[];
  readonly dynamic_active_clusters?: readonly ({ readonly cluster?: Cluster } & Refusable)[];
  readonly dynamic_warming_clusters?: readonly ({ readonly cluster?: Cluster } & Refusable)[];
  readonly static_listeners?: readonly { readonly listener?: Listener }[];
  readonly dynamic_listeners?: readonly ({
    readonly name?: string;
    readonly active_state?: { readonly listener?: Listener };
  } & Refusable)[];
  readonly static_route_configs?: readonly { readonly route_config?: RouteConfiguration }[];
  readonly dynamic_route_configs?: readonly ({ readonly route_config?: RouteConfiguration } & Refusable)[];
}
export interface ConfigDump {
  readonly configs?: readonly Section[];
}

export interface HostStatus {
  readonly address?: Address;
  readonly health_status?: {
    readonly eds_health_status?: string;
    readonly failed_outlier_check?: boolean;
    readonly failed_active_health_check?: boolean;
  };
  readonly weight?: number;
}
export interface ClusterStatus {
  readonly name?: string;
  readonly host_statuses?: readonly HostStatus[];
}
export interface ClustersAnswer {
  readonly cluster_statuses?: readonly ClusterStatus[];
}

export function sectionOf(dump: ConfigDump, message: string): Section {
  return dump.configs?.find((section) => section['@type']?.endsWith(`.${message}`)) ?? {};
}

const present = <T>(value: T | undefined): value is T => value !== undefined;

/** The clusters in use, the bootstrap's own too. */
export function clustersOf(dump: ConfigDump): Cluster[] {
  const section = sectionOf(dump, 'ClustersConfigDump');
  return [...(section.static_clusters ?? []), ...(section.dynamic_active_clusters ?? [])]
    .map((entry) => entry.cluster)
    .filter(present);
}

export function listenersOf(dump: ConfigDump): Listener[] {
  const section = sectionOf(dump, 'ListenersConfigDump');
  return [
    ...(section.static_listeners ?? []).map((entry) => entry.listener),
    ...(section.dynamic_listeners ?? []).map((entry) => entry.active_state?.listener),
  ].filter(present);
}

/** Route configurations: those inside listeners (static) and those of RDS. */
export function routeConfigurationsOf(dump: ConfigDump): RouteConfiguration[] {
  const section = sectionOf(dump, 'RoutesConfigDump');
  return [...(section.static_route_configs ?? []), ...(section.dynamic_route_configs ?? [])]
    .map((entry) => entry.route_config)
    .filter(present);
}

/** One sentence for each resource whose newest version this Envoy refused. */
export function refusalsOf(dump: ConfigDump): string[] {
  const listeners = sectionOf(dump, 'ListenersConfigDump').dynamic_listeners ?? [];
  const clusters = sectionOf(dump, 'ClustersConfigDump').dynamic_warming_clusters ?? [];
  const routes = sectionOf(dump, 'RoutesConfigDump').dynamic_route_configs ?? [];
  return [
    ...listeners.flatMap((l) => refusal('listener', l.name, l.error_state)),
    ...clusters.flatMap((c) => refusal('cluster', c.cluster?.name, c.error_state)),
    ...routes.flatMap((r) => refusal('route', r.route_config?.name, r.error_state)),
  ];
}

function refusal(what: string, name: string | undefined, state: ErrorState | undefined): string[] {
  // Envoy dumps a refused new listener twice, the second time without its name.
  if (name === undefined || !state?.details) return [];
  return [`Envoy refused the ${what} ${name}: ${state.details}`];
}

export function formatAddress(address: Address | undefined): string {
  const socket = address?.socket_address;
  if (socket) {
    const host = socket.address ?? '';
    return `${host.includes(':') ? `[${host}]` : host}:${socket.port_value ?? 0}`;
  }
  if (address?.pipe?.path) return `unix://${address.pipe.path}`;
  const internal = address?.envoy_internal_address?.server_listener_name;
  return internal ? `envoy://${internal}` : '';
}

/** `reviews.default` of `/apis/networking.istio.io/v1/namespaces/default/destination-rule/reviews`; empty when there is none. */
export function objectBehind(metadata: Metadata | undefined): string {
  const match = /\/namespaces\/([^/]+)\/[^/]+\/([^/]+)$/.exec(metadata?.filter_metadata?.istio?.config ?? '');
  return match ? `${match[2] ?? ''}.${match[1] ?? ''}` : '';
}
