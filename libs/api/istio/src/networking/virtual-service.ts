import type { ConfigObject } from '@seine/k8s';
import {
  bytes,
  choice,
  described,
  duration,
  flag,
  integer,
  list,
  mapOf,
  message,
  type Of,
  optionalFlag,
  percent,
  port,
  text,
  textMap,
  texts,
  uint32,
} from '../schema.js';
import { StringMatchSchema } from './string-match.js';

export const PortSelectorSchema = message('A port of a service, by number.', { number: port('Port number.') });
export const PercentSchema = message('A share of requests.', { value: percent('Percent, 0 to 100, with fractions.') });

export const DestinationSchema = message(
  'A service, or a subset of it, that requests go to.',
  {
    host: text('Name of the service; a short name is completed with the namespace of the resource.'),
    subset: text('A subset that a DestinationRule for the host defines.'),
    port: PortSelectorSchema,
  },
  { required: ['host'] },
);

export const HeaderOperationsSchema = message('Changes to headers, done in the order set, add, remove.', {
  set: textMap('Headers to set, replacing what is there.'),
  add: textMap('Headers to add to what is there.'),
  remove: texts('Names of headers to take away.'),
});
export const HeadersSchema = message('Header changes on the request and the response.', {
  request: described(HeaderOperationsSchema, 'Changes before the request goes to the destination.'),
  response: described(HeaderOperationsSchema, 'Changes before the answer goes back to the client.'),
});

export const HTTPMatchRequestSchema = message('Conditions on a request; all that are set must hold.', {
  name: text('Name of the match, joined to the route name.'),
  uri: described(StringMatchSchema, 'Condition on the path, with the query for a regex.'),
  scheme: described(StringMatchSchema, 'Condition on the scheme.'),
  method: described(StringMatchSchema, 'Condition on the method.'),
  authority: described(StringMatchSchema, 'Condition on the host that was asked for.'),
  headers: mapOf(
    StringMatchSchema,
    'Conditions on headers by lower-case name; an empty one means that the header is there.',
  ),
  port: port('Only requests that were sent to this port.'),
  sourceLabels: textMap('Only requests of workloads with these labels.'),
  gateways: texts('Only requests through these gateways; replaces the gateways of the VirtualService.'),
  queryParams: mapOf(StringMatchSchema, 'Conditions on query parameters.'),
  ignoreUriCase: flag('Compare the URI without case (exact and prefix only).', { fallback: 'false' }),
  withoutHeaders: mapOf(StringMatchSchema, 'Header conditions that must not hold.'),
  sourceNamespace: text('Only requests of workloads in this namespace.'),
  statPrefix: text('Prefix of the statistics of this route.'),
});

export const HTTPRouteDestinationSchema = message(
  'One of the destinations that requests are spread over.',
  {
    destination: DestinationSchema,
    weight: integer('Share relative to the other weights; all of it for a single destination.', { minimum: 0 }),
    headers: described(HeadersSchema, 'Header changes for this destination only.'),
  },
  { required: ['destination'] },
);

export const HTTPRedirectSchema = message(
  'Answers with a redirect instead of forwarding.',
  {
    uri: text('Path to redirect to, replacing all of it.'),
    authority: text('Host to redirect to.'),
    port: port('Port to redirect to.'),
    derivePort: choice(['FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT'], 'Where the port comes from when none is given.'),
    scheme: text('Scheme to redirect to: http or https.', { fallback: 'that of the request' }),
    redirectCode: uint32('Status: 301, 302, 303, 307 or 308.', { fallback: '301' }),
    prefixRewrite: text('Replaces the matched prefix.'),
  },
  { oneofs: [['port', 'derivePort']] },
);

export const HTTPBodySchema = message(
  'The body of a fixed response.',
  { string: text('Plain text.'), bytes: bytes('Bytes in base64.') },
  { oneofs: [['string', 'bytes']] },
);

export const HTTPDirectResponseSchema = message(
  'Answers with a fixed response.',
  {
    status: uint32('HTTP status of the answer.'),
    body: HTTPBodySchema,
  },
  { required: ['status'] },
);

export const HTTPRewriteSchema = message(
  'Rewrites the request before it is forwarded.',
  {
    uri: text('Replaces the matched path or prefix.'),
    authority: text('Replaces the Host header.'),
    uriRegexRewrite: message('Replaces by expression.', {
      match: text('RE2 expression, compared with the path.'),
      rewrite: text('Replacement, \\1 for the first group.'),
    }),
  },
  { oneofs: [['uri', 'uriRegexRewrite']] },
);

export const HTTPRetrySchema = message('When and how often a failed request is tried again.', {
  attempts: integer('Retries at most, after the first try; 0 turns them off.', { minimum: 0 }),
  perTryTimeout: duration('Time limit of each try, the first included.', { fallback: 'the timeout of the route' }),
  retryOn: text("Envoy's retry conditions, comma separated; status codes too."),
  retryRemoteLocalities: optionalFlag('Whether retries may go to other localities.'),
  retryIgnorePreviousHosts: optionalFlag('Whether retries avoid the hosts tried before.', { fallback: 'true' }),
  backoff: duration('Shortest wait between tries; it grows with each try.', { fallback: '25ms' }),
});

export const CorsPolicySchema = message('Cross-origin resource sharing.', {
  allowOrigin: texts('Deprecated: use allowOrigins.'),
  allowOrigins: list(StringMatchSchema, 'Origins that may call.'),
  allowMethods: texts('Methods for Access-Control-Allow-Methods.'),
  allowHeaders: texts('Headers for Access-Control-Allow-Headers.'),
  exposeHeaders: texts('Headers for Access-Control-Expose-Headers.'),
  maxAge: duration('How long a preflight answer may be kept.'),
  allowCredentials: optionalFlag('Whether credentials may be sent.'),
  unmatchedPreflights: choice(['UNSPECIFIED', 'FORWARD', 'IGNORE'], 'What to do with preflights of other origins.'),
});

export const HTTPFaultInjectionSchema = message('Faults put in on purpose, at the client.', {
  delay: message(
    'Delays requests.',
    {
      percent: integer('Deprecated: use percentage.', { minimum: 0, maximum: 100 }),
      fixedDelay: duration('How long the request waits.'),
      exponentialDelay: duration('Mean of an exponential delay; not implemented by Istio either.'),
      percentage: PercentSchema,
    },
    { oneofs: [['fixedDelay', 'exponentialDelay']] },
  ),
  abort: message(
    'Answers requests with an error.',
    {
      httpStatus: integer('HTTP status of the answer.'),
      grpcStatus: text('gRPC status name, as UNAVAILABLE.'),
      http2Error: text('HTTP/2 error; not implemented by Istio either.'),
      percentage: PercentSchema,
    },
    { oneofs: [['httpStatus', 'grpcStatus', 'http2Error']] },
  ),
});

export const HTTPMirrorPolicySchema = message(
  'A destination that gets a copy of requests, whose answers are dropped.',
  { destination: DestinationSchema, percentage: PercentSchema },
  { required: ['destination'] },
);

export const DelegateSchema = message('Another VirtualService that holds the routes.', {
  name: text('Name of the VirtualService.'),
  namespace: text('Namespace of the VirtualService.', { fallback: 'that of the root' }),
});

export const HTTPRouteSchema = message(
  'One rule: requests that match go where it says. The first rule that matches decides.',
  {
    name: text('Name for logs and statistics.'),
    match: list(HTTPMatchRequestSchema, 'Alternatives; none matches all requests.'),
    route: list(HTTPRouteDestinationSchema, 'Destinations with their weights.'),
    redirect: HTTPRedirectSchema,
    directResponse: HTTPDirectResponseSchema,
    delegate: DelegateSchema,
    rewrite: HTTPRewriteSchema,
    timeout: duration('Time limit of the whole request, retries included.', { fallback: 'none' }),
    retries: described(HTTPRetrySchema, 'When and how often a failed request is tried again; two retries by default.'),
    fault: HTTPFaultInjectionSchema,
    mirror: described(DestinationSchema, 'A destination that gets a copy of requests, whose answers are dropped.'),
    mirrors: list(HTTPMirrorPolicySchema, 'Several mirrors, each with its share.'),
    mirrorPercent: uint32('Deprecated: use mirrorPercentage.', { nullable: true }),
    mirrorPercentage: described(PercentSchema, 'Share of requests that mirror gets; all by default.'),
    corsPolicy: CorsPolicySchema,
    headers: HeadersSchema,
  },
);

export const RouteDestinationSchema = message(
  'A weighted destination of TCP or TLS traffic.',
  { destination: DestinationSchema, weight: integer('Share relative to the other weights.', { minimum: 0 }) },
  { required: ['destination'] },
);

export const TLSMatchAttributesSchema = message(
  'Conditions on a TLS connection that is passed through.',
  {
    sniHosts: texts('Server names, exact or with a leading wildcard.'),
    destinationSubnets: texts('Destination addresses as CIDR.'),
    port: port('Destination port.'),
    sourceLabels: textMap('Labels of the calling workload.'),
    gateways: texts('Gateways it applies to.'),
    sourceNamespace: text('Namespace of the calling workload.'),
  },
  { required: ['sniHosts'] },
);
export const TLSRouteSchema = message(
  'Routing of TLS traffic by server name.',
  {
    match: list(TLSMatchAttributesSchema, 'Alternatives.', { minItems: 1 }),
    route: list(RouteDestinationSchema, 'Destinations.'),
  },
  { required: ['match'] },
);

export const L4MatchAttributesSchema = message('Conditions on a TCP connection.', {
  destinationSubnets: texts('Destination addresses as CIDR.'),
  port: port('Destination port.'),
  sourceSubnet: text('Deprecated source address as CIDR.'),
  sourceLabels: textMap('Labels of the calling workload.'),
  gateways: texts('Gateways it applies to.'),
  sourceNamespace: text('Namespace of the calling workload.'),
});
export const TCPRouteSchema = message('Routing of TCP traffic.', {
  match: list(L4MatchAttributesSchema, 'Alternatives; none matches all.'),
  route: list(RouteDestinationSchema, 'Destinations.'),
});

export const VirtualServiceSchema = message('How requests to hosts are routed, for sidecars and gateways.', {
  hosts: texts('Names that requests are sent to; empty in a delegate.'),
  gateways: texts('Gateways the routes apply to, `name` or `namespace/name`; `mesh` means all sidecars.', {
    fallback: 'mesh',
  }),
  http: list(HTTPRouteSchema, 'Rules for HTTP, in order.'),
  tls: list(TLSRouteSchema, 'Rules for TLS that is not terminated.'),
  tcp: list(TCPRouteSchema, 'Rules for opaque TCP.'),
  exportTo: texts('Namespaces that see it: `*` all, `.` its own, or names.', { fallback: '*' }),
});

export type PortSelector = Of<typeof PortSelectorSchema>;
export type Percent = Of<typeof PercentSchema>;
export type Destination = Of<typeof DestinationSchema>;
export type HeaderOperations = Of<typeof HeaderOperationsSchema>;
export type Headers = Of<typeof HeadersSchema>;
export type HTTPMatchRequest = Of<typeof HTTPMatchRequestSchema>;
export type HTTPRouteDestination = Of<typeof HTTPRouteDestinationSchema>;
export type HTTPRedirect = Of<typeof HTTPRedirectSchema>;
export type HTTPBody = Of<typeof HTTPBodySchema>;
export type HTTPDirectResponse = Of<typeof HTTPDirectResponseSchema>;
export type HTTPRewrite = Of<typeof HTTPRewriteSchema>;
export type HTTPRetry = Of<typeof HTTPRetrySchema>;
export type CorsPolicy = Of<typeof CorsPolicySchema>;
export type HTTPFaultInjection = Of<typeof HTTPFaultInjectionSchema>;
export type HTTPMirrorPolicy = Of<typeof HTTPMirrorPolicySchema>;
export type Delegate = Of<typeof DelegateSchema>;
export type HTTPRoute = Of<typeof HTTPRouteSchema>;
export type RouteDestination = Of<typeof RouteDestinationSchema>;
export type TLSMatchAttributes = Of<typeof TLSMatchAttributesSchema>;
export type TLSRoute = Of<typeof TLSRouteSchema>;
export type L4MatchAttributes = Of<typeof L4MatchAttributesSchema>;
export type TCPRoute = Of<typeof TCPRouteSchema>;
export type VirtualServiceSpec = Of<typeof VirtualServiceSchema>;
export type VirtualService = ConfigObject<VirtualServiceSpec> & {
  readonly kind: 'VirtualService';
  readonly spec: VirtualServiceSpec;
};
