/**
 * What Istio's API has no fields for, said on objects that are derived from Gateway API objects and Ingresses: by
 * annotations under Istio's own names. Nobody needs to write them, and they mean the same as in Istio where somebody does.
 */
export const derivedAnnotations = {
  /** On a VirtualService: `gateway` or `ingress`. Prefixes end at a slash; with `gateway`, destinations that are not there answer 500. */
  routeSemantics: 'internal.istio.io/route-semantics',
  gatewaySemantics: 'internal.istio.io/gateway-semantics',
  /** On a Gateway: hosts of the Services whose workloads serve it, separated by commas; instead of a selector. */
  gatewayService: 'internal.istio.io/gateway-service',
  /** On a Gateway: the namespace of those Services, if it is not the Gateway's own. */
  parentNamespace: 'internal.istio.io/parent-namespace',
  /** What an object was derived from. */
  parents: 'internal.istio.io/parents',
  serviceAccountName: 'internal.istio.io/service-account-name',
} as const;
