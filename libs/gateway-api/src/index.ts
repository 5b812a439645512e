/** The Kubernetes Gateway API and Ingress in the words of Istio's API. */
export { type Derivation, DerivedConfig, gatewayApiOptions, type ObjectsByKey } from './derived-config.js';
export { type IngressOptions, isIngress } from './ingress/ingress-input.js';
export { translateIngress } from './ingress/translate-ingress.js';
export { isGatewayApiObject, type TranslateOptions } from './input.js';
export { statusDiagnostics } from './status-diagnostics.js';
export { hasStatus, ObjectStatuses } from './statuses.js';
export { translateGatewayApi, type Translation } from './translate.js';
