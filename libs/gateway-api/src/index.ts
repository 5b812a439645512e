/** The Kubernetes Gateway API and Ingress in the words of Istio's API. */
export { isGatewayApiObject, isReadWithGatewayApi, type TranslateOptions } from './input.js';
export { translateGatewayApi, type Translation } from './translate.js';
