/** Names of types of Envoy's configuration, and types that are known by name only. */

/** `type.googleapis.com/envoy.…` → `envoy.…` */
export function typeNameOf(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}

const inPackage = (name: string, ...messages: readonly string[]) =>
  messages.map((message) => `envoy.extensions.${name}.v3.${message}`);

/**
 * Extensions of Envoy 1.40 that are newer than the pinned protos. Their configuration cannot be checked here, but Envoy
 * takes it as a TypedStruct and checks it itself.
 */
export const newerTypes: ReadonlySet<string> = new Set([
  ...inPackage('access_loggers.dynamic_modules', 'DynamicModuleAccessLog'),
  ...inPackage('bootstrap.dynamic_modules', 'DynamicModuleBootstrapExtension'),
  ...inPackage('clusters.composite', 'ClusterConfig'),
  ...inPackage('clusters.dynamic_modules', 'ClusterConfig'),
  ...inPackage('clusters.mcp_multicluster', 'ClusterConfig'),
  ...inPackage('clusters.original_dst', 'OriginalDstCluster'),
  ...inPackage('config.validators.dynamic_modules', 'DynamicModuleConfigValidator'),
  ...inPackage('content_parsers.json', 'JsonContentParser'),
  ...inPackage('filters.http.a2a', 'A2a'),
  ...inPackage('filters.http.ai_protocol_manager', 'AiProtocolManager', 'AiProtocolManagerPerRoute'),
  ...inPackage('filters.http.aws_eventstream_parser', 'AwsEventstreamParser'),
  ...inPackage('filters.http.bandwidth_share', 'BandwidthShare'),
  ...inPackage('filters.http.body_size_limit', 'BodySizeLimit'),
  ...inPackage('filters.http.file_server', 'FileServerConfig'),
  ...inPackage('filters.http.filter_chain', 'FilterChainConfigPerRoute'),
  ...inPackage('filters.http.mcp_json_rest_bridge', 'McpJsonRestBridge', 'McpJsonRestBridgePerRoute'),
  ...inPackage('filters.http.sse_to_metadata', 'SseToMetadata'),
  ...inPackage('filters.listener.dynamic_modules', 'DynamicModuleListenerFilter'),
  ...inPackage('filters.listener.set_filter_state', 'Config'),
  ...inPackage('filters.network.dynamic_modules', 'DynamicModuleNetworkFilter'),
  ...inPackage('filters.network.reverse_tunnel', 'DrainAwareHttpConnectionManager'),
  ...inPackage('filters.network.tcp_bandwidth_limit', 'TcpBandwidthLimit'),
  ...inPackage('filters.udp.dynamic_modules', 'DynamicModuleUdpListenerFilter'),
  ...inPackage('filters.udp.udp_proxy.session.ext_authz', 'FilterConfig'),
  ...inPackage('formatter.dynamic_modules', 'DynamicModuleFormatter'),
  ...inPackage('formatter.file_content', 'FileContent'),
  ...inPackage('formatter.generic_secret', 'GenericSecret'),
  ...inPackage('health_checkers.dynamic_modules', 'DynamicModuleHealthCheck'),
  ...inPackage('health_checkers.udp', 'UdpHealthCheck'),
  ...inPackage('http.ai_filters.request_info', 'RequestInfo'),
  ...inPackage('http.ai_filters.schema_validation', 'SchemaValidation'),
  ...inPackage('http.ai_filters.transcoder', 'Transcoder'),
  ...inPackage('http.early_header_mutation.dynamic_modules', 'DynamicModuleEarlyHeaderMutation'),
  ...inPackage('http.header_formatters.dynamic_modules', 'DynamicModuleHeaderFormatter'),
  ...inPackage('internal_redirect.filter_state', 'FilterStateConfig'),
  ...inPackage('load_balancing_policies.dynamic_modules', 'DynamicModulesLoadBalancerConfig'),
  ...inPackage('load_balancing_policies.load_aware_locality', 'LoadAwareLocality'),
  ...inPackage('matching.actions.transform_stat', 'TransformStat'),
  ...inPackage('matching.http.dynamic_modules', 'HttpDynamicModuleMatchInput'),
  ...inPackage('matching.input_matchers.dynamic_modules', 'DynamicModuleMatcher'),
  ...inPackage('network.dns_resolver.hickory', 'HickoryDnsResolverConfig'),
  ...inPackage('network.socket_interface.sockmap', 'Sockmap'),
  ...inPackage('queue_policy.fifo', 'FifoQueuePolicyConfig'),
  ...inPackage('quic.client_writer_factory', 'DefaultClientWriter'),
  ...inPackage('rate_limit_descriptors.jwt_claim', 'Descriptor'),
  ...inPackage('router.cluster_specifiers.dynamic_modules', 'DynamicModuleClusterSpecifier'),
  ...inPackage('router.cluster_specifiers.priority_group', 'PriorityGroupClusterSpecifier'),
  ...inPackage('router.route_specifiers.dynamic_modules', 'DynamicModuleRouteSpecifier'),
  ...inPackage('stat_sinks.dynamic_modules', 'DynamicModuleStatsSink'),
  ...inPackage('tracers.dynamic_modules', 'DynamicModuleTracer'),
  ...inPackage('transport_sockets.dynamic_modules', 'DynamicModuleTransportSocket'),
  ...inPackage('transport_sockets.tls.cert_mappers.filter_state_override', 'Config'),
  ...inPackage('transport_sockets.tls.cert_mappers.sni', 'SNI'),
  ...inPackage('transport_sockets.tls.cert_mappers.static_name', 'StaticName'),
  ...inPackage('transport_sockets.tls.cert_selectors.on_demand_secret', 'Config'),
  ...inPackage('transport_sockets.tls.cert_validator.dynamic_modules', 'DynamicModuleCertValidatorConfig'),
  ...inPackage('transport_sockets.tls.handshakers.dynamic_modules', 'DynamicModuleTlsHandshaker'),
  ...inPackage('upstreams.http.dynamic_modules', 'Config'),
  ...inPackage('upstreams.http.reverse_tunnel', 'ReverseTunnelUpstreamCodecOptions'),
  ...inPackage('watchdog.backtrace_action', 'BacktraceActionConfig'),
]);

/** Packages of what is compiled into Istio's proxy or Envoy's contrib build, but not into plain Envoy 1.40. */
const foreignPackages: readonly string[] = [
  'envoy.extensions.compression.qatzip.',
  'envoy.extensions.compression.qatzstd.',
  'envoy.extensions.filters.http.alpn.',
  'envoy.extensions.filters.http.checksum.',
  'envoy.extensions.filters.http.dynamo.',
  'envoy.extensions.filters.http.golang.',
  'envoy.extensions.filters.http.istio_stats.',
  'envoy.extensions.filters.http.language.',
  'envoy.extensions.filters.http.peer_metadata.',
  'envoy.extensions.filters.http.squash.',
  'envoy.extensions.filters.http.sxg.',
  'envoy.extensions.filters.network.client_ssl_auth.',
  'envoy.extensions.filters.network.generic_proxy.codecs.kafka.',
  'envoy.extensions.filters.network.golang.',
  'envoy.extensions.filters.network.kafka_broker.',
  'envoy.extensions.filters.network.kafka_mesh.',
  'envoy.extensions.filters.network.metadata_exchange.',
  'envoy.extensions.filters.network.mysql_proxy.',
  'envoy.extensions.filters.network.peer_metadata.',
  'envoy.extensions.filters.network.postgres_proxy.',
  'envoy.extensions.filters.network.rocketmq_proxy.',
  'envoy.extensions.filters.network.sip_proxy.',
  'envoy.extensions.matching.input_matchers.hyperscan.',
  'envoy.extensions.network.connection_balance.dlb.',
  'envoy.extensions.private_key_providers.',
  'envoy.extensions.regex_engines.hyperscan.',
  'envoy.extensions.router.cluster_specifier.golang.',
  'envoy.extensions.router.cluster_specifiers.golang.',
  'envoy.extensions.tap_sinks.udp_sink.',
  'envoy.extensions.upstreams.http.tcp.golang.',
  'envoy.tcp.metadataexchange.',
  'io.istio.',
  'istio.',
  'stats.PluginConfig',
];

/** Whether plain Envoy lacks the type, though Istio's proxy or a contrib build of Envoy has it. */
export function isForeignType(name: string): boolean {
  return foreignPackages.some((prefix) => name.startsWith(prefix));
}
