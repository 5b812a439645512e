import {
  choice,
  duration,
  durationOrZero,
  flag,
  integer,
  list,
  message,
  type Of,
  struct,
  text,
  textMap,
  texts,
  uint32,
} from '../schema.js';

/**
 * The services that MeshConfig's extensionProviders name (istio.io/api, mesh/v1alpha1/config.proto, ExtensionProvider):
 * Telemetry and AuthorizationPolicy refer to them by name.
 */

const service = {
  service: text('Host of the service, or `namespace/host`.', { minLength: 1 }),
  port: uint32('Port of the service.', { minimum: 1, maximum: 65535 }),
};
const atService = { required: ['service', 'port'] } as const;

export const HttpHeaderSchema = message(
  'A header that is sent along.',
  {
    name: text('Name of the header.', { minLength: 1 }),
    value: text('Value of the header.'),
    envName: text("Environment variable of the control plane that holds the header's value."),
  },
  { required: ['name'], oneofs: [['value', 'envName']] },
);

export const HttpServiceSchema = message('How an HTTP service is called.', {
  path: text('Path of the requests.'),
  timeout: duration('Time limit of a request.'),
  headers: list(HttpHeaderSchema, 'Headers that are sent along.'),
});

const bodyInCheck = message(
  'The part of the request body that is sent along.',
  {
    maxRequestBytes: uint32('Bytes at most.', { minimum: 1 }),
    allowPartialMessage: flag('Whether a longer body is cut, instead of refused.'),
    packAsBytes: flag('Whether the body goes as bytes, and not as text.'),
  },
  { required: ['maxRequestBytes'] },
);

const authorization = {
  ...service,
  timeout: duration('Time limit of a check.', { fallback: '600s' }),
  failOpen: flag('Whether requests pass when the service cannot be asked.'),
  clearRouteCache: flag('Whether the route is looked up again after the check.'),
  statusOnError: text('HTTP status of the answer when the service cannot be asked.', { fallback: '403' }),
  includeRequestBodyInCheck: bodyInCheck,
};

export const EnvoyExtAuthzHttpProviderSchema = message(
  'An HTTP service that decides on requests.',
  {
    ...authorization,
    pathPrefix: text("What goes before the request's path."),
    includeHeadersInCheck: texts('Deprecated: use includeRequestHeadersInCheck.'),
    includeRequestHeadersInCheck: texts('Request headers that are sent along.'),
    includeAdditionalHeadersInCheck: textMap('Further headers that are sent along.'),
    headersToUpstreamOnAllow: texts('Headers of its answer that go on to the destination.'),
    headersToDownstreamOnDeny: texts('Headers of its answer that the client gets, when it refuses.'),
    headersToDownstreamOnAllow: texts('Headers of its answer that the client gets, when it agrees.'),
  },
  atService,
);
export const EnvoyExtAuthzGrpcProviderSchema = message(
  'A gRPC service that decides on requests.',
  authorization,
  atService,
);

const maxTagLength = uint32('Longest path in a span tag.', { fallback: '256' });

export const ZipkinProviderSchema = message(
  'A Zipkin collector.',
  {
    ...service,
    maxTagLength,
    enable64bitTraceId: flag('Trace IDs of 64 bits instead of 128.'),
    path: text('Path of the requests.', { fallback: '/api/v2/spans' }),
    traceContextOption: choice(
      ['USE_B3', 'USE_B3_WITH_W3C_PROPAGATION'],
      'Headers that carry the trace: B3, or W3C trace context besides.',
      { fallback: 'USE_B3' },
    ),
    timeout: duration('Time limit of a request.', { fallback: '5s' }),
    headers: list(HttpHeaderSchema, 'Headers that are sent along.'),
  },
  atService,
);
export const DatadogProviderSchema = message('A Datadog agent.', { ...service, maxTagLength }, atService);
export const SkyWalkingProviderSchema = message(
  'A SkyWalking collector.',
  { ...service, accessToken: text('Token that it is sent.') },
  atService,
);
export const LightstepProviderSchema = message(
  'Gone: Envoy has no Lightstep tracer any more; use opentelemetry.',
  { ...service, accessToken: text('Token that it is sent.'), maxTagLength },
  atService,
);
export const OpenCensusProviderSchema = message(
  'Gone: Envoy has no OpenCensus tracer any more; use opentelemetry.',
  {
    ...service,
    context: list(
      choice(['UNSPECIFIED', 'W3C_TRACE_CONTEXT', 'GRPC_BIN', 'CLOUD_TRACE_CONTEXT', 'B3'], 'A form.'),
      'Headers that carry the trace.',
    ),
    maxTagLength,
  },
  atService,
);
export const StackdriverProviderSchema = message('Google Cloud Operations; needs an Envoy of its own.', {
  debug: flag('Deprecated.'),
  maxNumberOfAttributes: integer('Deprecated.', { nullable: true }),
  maxNumberOfAnnotations: integer('Deprecated.', { nullable: true }),
  maxNumberOfMessageEvents: integer('Deprecated.', { nullable: true }),
  maxTagLength,
  logging: message('Logs.', { labels: textMap('Further labels of log entries, by name; values are CEL.') }),
});

const dynatraceApi = message(
  "Dynatrace's API.",
  { ...service, http: HttpServiceSchema },
  { required: ['service', 'port', 'http'] },
);
export const OpenTelemetryProviderSchema = message(
  'An OpenTelemetry collector; by gRPC, unless http is set.',
  {
    ...service,
    maxTagLength,
    http: HttpServiceSchema,
    grpc: message('How the collector is called by gRPC.', {
      timeout: durationOrZero('Time limit of a call.'),
      initialMetadata: list(HttpHeaderSchema, 'Metadata that is sent along.'),
    }),
    resourceDetectors: message('Where attributes of the resource come from.', {
      environment: message('From the environment variable OTEL_RESOURCE_ATTRIBUTES of the proxy.', {}),
      dynatrace: message('From files of Dynatrace.', {}),
    }),
    serviceAttributeEnrichment: choice(
      ['ISTIO_CANONICAL', 'OTEL_SEMANTIC_CONVENTIONS'],
      'Which attributes name the service.',
      { fallback: 'ISTIO_CANONICAL' },
    ),
    dynatraceSampler: message('Dynatrace decides on sampling.', {
      tenant: text('Tenant.'),
      clusterId: integer('Cluster.'),
      rootSpansPerMinute: uint32('Spans without parent a minute.', { fallback: '1000' }),
      httpService: dynatraceApi,
    }),
  },
  atService,
);

const logName = text('Name of the log.');
const textFormat = text("The line, in Envoy's format; Istio's default when empty.");
const labels = struct("The fields of the line, in Envoy's format, by name.");

export const EnvoyFileAccessLogProviderSchema = message('A file of the proxy.', {
  path: text('Path of the file.', { fallback: '/dev/stdout' }),
  logFormat: message(
    "Format of a line; Istio's default when absent.",
    { text: textFormat, labels },
    {
      oneofs: [['text', 'labels']],
    },
  ),
  omitEmptyValues: flag('Leave out fields without value, instead of writing a dash or null.'),
});
const filterStateObjectsToLog = texts('Filter state that is sent along.');
export const EnvoyHttpAlsProviderSchema = message(
  "A service that takes Envoy's gRPC access logs, of requests.",
  {
    ...service,
    logName,
    filterStateObjectsToLog,
    additionalRequestHeadersToLog: texts('Request headers that are sent along.'),
    additionalResponseHeadersToLog: texts('Response headers that are sent along.'),
    additionalResponseTrailersToLog: texts('Response trailers that are sent along.'),
  },
  atService,
);
export const EnvoyTcpAlsProviderSchema = message(
  "A service that takes Envoy's gRPC access logs, of connections.",
  { ...service, logName, filterStateObjectsToLog },
  atService,
);
export const EnvoyOtelAlsProviderSchema = message(
  'A service that takes OpenTelemetry logs.',
  { ...service, logName, logFormat: message('Format of a record.', { text: textFormat, labels }) },
  atService,
);

const providers = {
  envoyExtAuthzHttp: EnvoyExtAuthzHttpProviderSchema,
  envoyExtAuthzGrpc: EnvoyExtAuthzGrpcProviderSchema,
  zipkin: ZipkinProviderSchema,
  lightstep: LightstepProviderSchema,
  datadog: DatadogProviderSchema,
  stackdriver: StackdriverProviderSchema,
  opencensus: OpenCensusProviderSchema,
  skywalking: SkyWalkingProviderSchema,
  opentelemetry: OpenTelemetryProviderSchema,
  prometheus: message('Metrics that Prometheus scrapes from the proxies.', {}),
  envoyFileAccessLog: EnvoyFileAccessLogProviderSchema,
  envoyHttpAls: EnvoyHttpAlsProviderSchema,
  envoyTcpAls: EnvoyTcpAlsProviderSchema,
  envoyOtelAls: EnvoyOtelAlsProviderSchema,
  sds: message('A service that serves certificates to proxies.', { name: text('Name of the secrets.'), ...service }),
};

export const ExtensionProviderSchema = message(
  'A service that proxies report to or ask, under a name.',
  { name: text('The name.', { minLength: 1 }), ...providers },
  { required: ['name'], oneofs: [Object.keys(providers) as (keyof typeof providers)[]] },
);

export type HttpHeader = Of<typeof HttpHeaderSchema>;
export type HttpService = Of<typeof HttpServiceSchema>;
export type EnvoyExtAuthzHttpProvider = Of<typeof EnvoyExtAuthzHttpProviderSchema>;
export type EnvoyExtAuthzGrpcProvider = Of<typeof EnvoyExtAuthzGrpcProviderSchema>;
export type ZipkinProvider = Of<typeof ZipkinProviderSchema>;
export type OpenTelemetryProvider = Of<typeof OpenTelemetryProviderSchema>;
export type EnvoyFileAccessLogProvider = Of<typeof EnvoyFileAccessLogProviderSchema>;
export type EnvoyHttpAlsProvider = Of<typeof EnvoyHttpAlsProviderSchema>;
export type EnvoyTcpAlsProvider = Of<typeof EnvoyTcpAlsProviderSchema>;
export type EnvoyOtelAlsProvider = Of<typeof EnvoyOtelAlsProviderSchema>;
export type ExtensionProvider = Of<typeof ExtensionProviderSchema>;
