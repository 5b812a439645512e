/** The kinds of the Kubernetes Gateway API. Two of its names, Gateway and HTTPRoute, mean something else in Istio's API. */
export * from './common.js';
export * from './gateway.js';
export * from './http-route.js';
export * from './kinds.js';
export * from './other-routes.js';
export * from './policies.js';
