/** Istio's resources: one definition a kind, which gives its type, its validation, its CustomResourceDefinition and its reference page. */
export * from './duration.js';
export * from './extensions/traffic-extension.js';
export * from './extensions/wasm-plugin.js';
export { type TrafficSelector, TrafficSelectorSchema } from './extensions/wasm.js';
export * as gatewayApi from './gateway-api/index.js';
export { grpcStatusNames } from './grpc-status.js';
export * from './kinds/catalog.js';
export * from './legacy-security/authentication-policy.js';
export * from './legacy-security/rbac-config.js';
export * from './legacy-security/service-role.js';
export * from './legacy-security/service-role-binding.js';
export * from './mesh/extension-provider.js';
export * from './mesh/mesh-config.js';
export {
  proxyConfigAnnotation,
  readProxyConfigAnnotation,
  type ReadProxySettings,
} from './mesh/proxy-config-annotation.js';
export * from './mesh/proxy-settings.js';
export {
  isMeshConfigMap,
  type ReadMeshConfig,
  readMeshConfig,
  readMeshConfigMap,
  validateMeshConfig,
} from './mesh/read-mesh-config.js';
export * from './mixer/api-spec.js';
export * from './mixer/attribute-manifest.js';
export * from './mixer/attribute-types.js';
export * from './mixer/handler.js';
export * from './mixer/instance.js';
export { mixerAdapterKinds, mixerGroup, mixerTemplateKinds } from './mixer/kinds.js';
export * from './mixer/quota-spec.js';
export * from './mixer/rule.js';
export * from './mixer/templates.js';
export * from './networking/destination-rule.js';
export * from './networking/envoy-filter.js';
export * from './networking/gateway.js';
export * from './networking/policy-target.js';
export * from './networking/proxy-config.js';
export * from './networking/selector.js';
export * from './networking/service-entry.js';
export * from './networking/sidecar.js';
export * from './networking/string-match.js';
export * from './networking/virtual-service.js';
export * from './networking/workload-entry.js';
export * from './networking/workload-group.js';
export * from './policy/rate-limit.js';
export * as forms from './schema.js';
export type { Frozen, Of } from './schema.js';
export * from './security/authorization-policy.js';
export * from './security/peer-authentication.js';
export * from './security/request-authentication.js';
export { isCipherSuite, isEcdhCurve } from './semantics/cipher-suites.js';
export { type PublicKey, readKeySet, type ReadKeySet } from './semantics/key-set.js';
export { re2Matches } from './semantics/re2.js';
export * from './telemetry/telemetry.js';
export { childPath } from './validation/field-path.js';
export { nearMatch, suggestion } from './validation/near-match.js';
export { normalizeObject } from './validation/normalize-object.js';
export { normalizeValue } from './validation/normalize-value.js';
export { schemaErrors } from './validation/schema-errors.js';
export { type ReadParams, readParams } from './validation/read-params.js';
export { validateObject } from './validation/validate-object.js';
