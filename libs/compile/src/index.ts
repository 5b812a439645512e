export * from './inputs.js';
export type { LocalityDefaults } from './features/locality/locality-setting.js';
export { tcpRuleOf } from './features/tcp-routing/tcp-settings.js';
export { nodeLabel } from './features/locality/topology-labels.js';
export * from './frame/cluster-names.js';
export * from './features/subsets/traffic-policy.js';
export * from './frame/clusters.js';
export * from './frame/clusters-static.js';
export * from './frame/destination-rules.js';
export * from './frame/endpoints.js';
export * from './frame/inbound-clusters.js';
export * from './frame/listeners.js';
export { addNetworkExtensions, hasNetworkExtensions } from './features/traffic-extension/extension-filters.js';
export { emitExtensionConfig } from './features/wasm/wasm-filters.js';
export {
  type AuthorizedWorkload,
  authorizationProblems,
} from './features/authorization-policy/authorization-problems.js';
export { emitAuthorizationConfig } from './features/authorization-policy/discovered-authorization.js';
export { concernsRole } from './features/traffic-extension/traffic-selector.js';
export { keepsSessions } from './features/stateful-session/stateful-session.js';
export * from './features/proxyless/proxyless.js';
export * from './frame/gateway-routes.js';
export * from './frame/routes.js';
export * from './frame/routes-configuration.js';
export * from './frame/routes-domains.js';
export * from './features/delegate/merge-delegates.js';
export * from './features/gateway-listeners/gateway-conflicts.js';
export * from './features/gateway-listeners/sni-clusters.js';
export * from './features/secrets/emit-secret.js';
export * from './features/secrets/secret-names.js';
export * from './features/outbound-traffic-policy/any-host-cluster.js';
export * from './features/outbound-traffic-policy/catch-all-virtual-host.js';
export * from './features/outbound-traffic-policy/outbound-fallback.js';
export { isExportedTo } from './features/routing/export-to.js';
export { resolveDestination } from './features/routing/destination.js';
export * from './features/peer-authentication/peer-authentication.js';
export * from './features/peer-authentication/peer-authentication-problems.js';
export * from './features/sidecar/egress-bind.js';
export * from './features/sidecar/egress-listener.js';
export * from './features/sidecar/egress-hosts.js';
export * from './features/sidecar/select-sidecar.js';
export * from './features/envoy-filter/envoy-filter.js';
export * from './features/proxy-config/proxy-config.js';
export {
  attributesOfRules,
  destinationKey,
  type InboundMixer,
  type MixerDestination,
  planInbound,
  declaredPort,
  undeclaredPorts,
  workloadConstants,
} from './features/mixer-policy/inbound-plan.js';
export { type Decision, type PolicySource } from './features/mixer-policy/decide-rule.js';
export { decideRules, type PlannedPort, rulesFor } from './features/mixer-policy/plan.js';
export type { MixerReports } from './features/access-log/mixer-log.js';
export * from './telemetry/effective-telemetry.js';
export { countsTraffic } from './telemetry/peer-metadata.js';
export { type MixerService, mixerProvider, mixerService } from './telemetry/mixer-service.js';
export { type ProviderClusters, providerKey, providerServices } from './telemetry/providers.js';
