import type { MessageType } from './message-type.js';

/** What is said of Istio's own kinds: routing, gateways, services outside, policies. */
export const routingMessages = [
  {
    code: 'IST0002',
    name: 'Deprecated',
    level: 'warning',
    description: 'The object relies on something that is deprecated.',
    template: 'Deprecated: {detail}.',
  },
  {
    code: 'IST0101',
    name: 'ReferencedResourceNotFound',
    level: 'error',
    description: 'Something that the object refers to does not exist.',
    template: 'Referenced {reftype} not found: "{refval}"; {remedy}.',
  },
  {
    code: 'IST0109',
    name: 'ConflictingMeshGatewayVirtualServiceHosts',
    level: 'error',
    description: 'Several VirtualServices of the mesh gateway claim the same host.',
    template:
      'The VirtualServices {virtualServices} associated with mesh gateway define the same host {host}, and only one of them can be in force; merge them into one.',
  },
  {
    code: 'IST0110',
    name: 'ConflictingSidecarWorkloadSelectors',
    level: 'error',
    description: 'Several Sidecars select the same workload.',
    template:
      'The Sidecars {conflictingSidecars} in namespace "{namespace}" select the same workload pod "{workloadPod}", and only one of them can be in force; make their selectors exclude each other.',
  },
  {
    code: 'IST0111',
    name: 'MultipleSidecarsWithoutWorkloadSelectors',
    level: 'error',
    description: 'A namespace has several Sidecars without a workload selector.',
    template:
      'The Sidecars {conflictingSidecars} in namespace "{namespace}" have no workload selector, and only one of them can be in force; keep one, or give the others a selector.',
  },
  {
    code: 'IST0112',
    name: 'VirtualServiceDestinationPortSelectorRequired',
    level: 'error',
    description: 'A destination names no port, and its service has several.',
    template:
      'This VirtualService routes to a service "{destHost}" that exposes multiple ports [{destPorts}]; the destination must say which (port.number).',
  },
  {
    code: 'IST0127',
    name: 'NoMatchingWorkloadsFound',
    level: 'warning',
    description: 'No workload has the labels that the object selects.',
    template: 'No matching workloads for this resource with the following labels: {labels}',
  },
  {
    code: 'IST0128',
    name: 'NoServerCertificateVerificationDestinationLevel',
    level: 'warning',
    description:
      'A DestinationRule starts TLS without naming the authority that server certificates are checked against.',
    template:
      'DestinationRule {destinationrule} in namespace {namespace} has TLS mode {mode} but no caCertificates, so the certificate of host {host} is not verified.',
  },
  {
    code: 'IST0129',
    name: 'NoServerCertificateVerificationPortLevel',
    level: 'warning',
    description:
      'A DestinationRule starts TLS to one port without naming the authority that server certificates are checked against.',
    template:
      'DestinationRule {destinationrule} in namespace {namespace} has TLS mode {mode} but no caCertificates for port {port}, so the certificate of host {host} is not verified there.',
  },
  {
    code: 'IST0130',
    name: 'VirtualServiceUnreachableRule',
    level: 'warning',
    description: 'A rule of a VirtualService can never be reached, because rules before it take all that it matches.',
    template: 'VirtualService rule {ruleno} not used ({reason}).',
  },
  {
    code: 'IST0131',
    name: 'VirtualServiceIneffectiveMatch',
    level: 'info',
    description: 'A match of a VirtualService has no effect, because a rule before it matches the same.',
    template: 'VirtualService rule {ruleno} match {matchno} is not used (duplicate/overlapping match in rule {dupno}).',
  },
  {
    code: 'IST0132',
    name: 'VirtualServiceHostNotFoundInGateway',
    level: 'warning',
    description: 'A VirtualService is bound to a Gateway that serves none of its hosts.',
    template:
      'None of the hosts [{host}] of VirtualService {virtualservice} is served by Gateway {gateway}; add one to its servers, or correct the host.',
  },
  {
    code: 'IST0134',
    name: 'ServiceEntryAddressesRequired',
    level: 'warning',
    description:
      'A ServiceEntry has a TCP port (or one without protocol) and no addresses, so its traffic cannot be told from that of others.',
    template:
      'ServiceEntry addresses are required for this protocol: without them TCP traffic cannot be told apart, unless addresses are allocated automatically.',
  },
  {
    code: 'IST0138',
    name: 'GatewayDuplicateCertificate',
    level: 'warning',
    description: 'Several Gateways present the same certificate.',
    template:
      'Duplicate certificate in multiple gateways [{gateways}] may cause 404s if clients re-use HTTP2 connections; serve these hosts from one Gateway.',
  },
  {
    code: 'IST0140',
    name: 'IngressRouteRulesNotAffected',
    level: 'warning',
    description:
      'Requests through a gateway go to a host without subset, so rules by subset for that host do not apply.',
    template:
      'Subset in virtual service {virtualservicesubset} has no effect on ingress gateway {virtualservice} requests; name the subset in this destination too.',
  },
  {
    code: 'IST0145',
    name: 'ConflictingGateways',
    level: 'error',
    description: 'Several Gateways serve the same host on the same port of the same workloads.',
    template:
      'Conflict with gateways {gateway} (workload selector {selector}, port {portnumber}, hosts [{hosts}]); only one can serve a host on a port.',
  },
  {
    code: 'IST0149',
    name: 'JwtClaimBasedRoutingWithoutRequestAuthN',
    level: 'error',
    description: 'A VirtualService routes by claims of a token that no RequestAuthentication checks.',
    template:
      'The virtual service routes by JWT claim (key: {key}), but no RequestAuthentication applies to the pod {pod} of gateway {gateway}; without one, no claim is ever known there.',
  },
  {
    code: 'IST0151',
    name: 'EnvoyFilterUsesRelativeOperation',
    level: 'warning',
    description:
      'An EnvoyFilter without priority patches relatively to something that may not be there yet when it is applied.',
    template:
      'This EnvoyFilter has a relative patch operation ({operation}) and no priority, so it may come before what it refers to and then do nothing; set spec.priority, or use INSERT_FIRST or ADD.',
  },
  {
    code: 'IST0152',
    name: 'EnvoyFilterUsesReplaceOperationIncorrectly',
    level: 'error',
    description: 'REPLACE is used where Envoy configuration cannot be replaced.',
    template:
      'The REPLACE operation is only valid for HTTP_FILTER, NETWORK_FILTER and VIRTUAL_HOST, not for {applyTo}.',
  },
  {
    code: 'IST0153',
    name: 'EnvoyFilterUsesAddOperationIncorrectly',
    level: 'error',
    description: 'ADD is used where it is ignored.',
    template: 'The ADD operation will be ignored when applyTo is {applyTo}; use MERGE, or INSERT_FIRST for a route.',
  },
  {
    code: 'IST0154',
    name: 'EnvoyFilterUsesRemoveOperationIncorrectly',
    level: 'error',
    description: 'REMOVE is used where it is ignored.',
    template: 'The REMOVE operation will be ignored when applyTo is {applyTo}.',
  },
  {
    code: 'IST0155',
    name: 'EnvoyFilterUsesRelativeOperationWithProxyVersion',
    level: 'warning',
    description:
      'An EnvoyFilter without priority patches relatively to what another patch adds for one proxy version only.',
    template:
      'This EnvoyFilter has a relative patch operation ({operation}) and no priority, and refers to what is patched for one proxyVersion only, so it may do nothing after an upgrade; set spec.priority, or use INSERT_FIRST or ADD.',
  },
  {
    code: 'IST0157',
    name: 'InvalidTelemetryProvider',
    level: 'warning',
    description: 'A Telemetry names no provider, and the mesh has no default one.',
    template:
      'The Telemetry {name} in namespace "{namespace}" with empty providers will be ignored; name a provider, or set defaultProviders in the mesh configuration.',
  },
  {
    code: 'IST0159',
    name: 'ConflictingTelemetryWorkloadSelectors',
    level: 'error',
    description: 'Several Telemetries select the same workload.',
    template:
      'The Telemetries {conflictingTelemetries} in namespace "{namespace}" select the same workload pod "{workloadPod}", and only one of them can be in force; make their selectors exclude each other.',
  },
  {
    code: 'IST0160',
    name: 'MultipleTelemetriesWithoutWorkloadSelectors',
    level: 'error',
    description: 'A namespace has several Telemetries without a selector.',
    template:
      'The Telemetries {conflictingTelemetries} in namespace "{namespace}" have no workload selector, and only one of them can be in force; merge them.',
  },
  {
    code: 'IST0161',
    name: 'InvalidGatewayCredential',
    level: 'error',
    description: 'The Secret that a Gateway takes its certificate from holds none that is usable.',
    template:
      'The credential referenced by the Gateway {gatewayName} in namespace {gatewayNamespace} is invalid ({reason}), so TLS handshakes will fail.',
  },
  {
    code: 'IST0162',
    name: 'GatewayPortNotDefinedOnService',
    level: 'warning',
    description: 'A Gateway listens on a port that no Service of its workload exposes.',
    template:
      'The gateway is listening on a target port (port {port}) that is not defined in the Service associated with its workload instances (Pod selector {selector}); through that Service it cannot be reached.',
  },
  {
    code: 'IST0165',
    name: 'ReferencedInternalGateway',
    level: 'warning',
    description: 'A VirtualService is bound to a Gateway that the implementation of the Gateway API makes for itself.',
    template:
      'Gateway reference in VirtualService {virtualservice} is to an implementation-generated internal Gateway: {gateway}; use an HTTPRoute with the Gateway as its parent.',
  },
  {
    code: 'IST0166',
    name: 'IneffectiveSelector',
    level: 'warning',
    description: 'A policy selects pods of a Kubernetes Gateway by labels, which has no effect there.',
    template: 'Ineffective selector on Kubernetes Gateway {gateway}; attach the policy by targetRefs instead.',
  },
  {
    code: 'IST0167',
    name: 'IneffectivePolicy',
    level: 'warning',
    description: 'A policy has no effect on what it is for.',
    template: 'The policy has no impact: {reason}.',
  },
  {
    code: 'IST0171',
    name: 'NegativeConditionStatus',
    level: 'warning',
    description: 'The status of an object says that it is not in force.',
    template:
      'A condition with a negative status is present: type={conditionType}, reason={reason}, message={message}.',
  },
  {
    code: 'IST0173',
    name: 'DestinationRuleSubsetNotSelectPods',
    level: 'error',
    description: 'A subset of a DestinationRule selects no workload.',
    template:
      'The Subset {subset} defined in the DestinationRule does not select any pods; requests to it fail with 503 (no healthy upstream).',
  },
  {
    code: 'IST0174',
    name: 'UnknownDestinationRuleHost',
    level: 'warning',
    description: 'The host of a DestinationRule is no service of the mesh.',
    template:
      'The host {host} defined in the DestinationRule does not match any services in the mesh; a Service or ServiceEntry with this host must exist.',
  },
  {
    code: 'IST0177',
    name: 'ConflictingServiceEntryProtocol',
    level: 'warning',
    description: 'Several ServiceEntries give one port of a host different protocols.',
    template:
      'Multiple ServiceEntries ({serviceEntryNames}) define the same host "{host}" and port {port} with conflicting protocols ({protocols}); make them agree.',
  },
] as const satisfies readonly MessageType[];
