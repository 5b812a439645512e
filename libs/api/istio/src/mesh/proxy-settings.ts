import { ClientTLSSettingsSchema, ConnectionPoolSettingsSchema } from '../networking/destination-rule.js';
import {
  choice,
  decimal,
  duration,
  durationOrZero,
  flag,
  integer,
  mapOf,
  message,
  type Of,
  optionalFlag,
  text,
  textMap,
  texts,
  uint32,
} from '../schema.js';
import { ReadinessProbeSchema } from '../networking/workload-group.js';

/** MeshConfig.defaultConfig (istio.io/api, mesh/v1alpha1/proxy.proto, ProxyConfig). */

const tcpKeepalive = ConnectionPoolSettingsSchema.properties.tcp.properties.tcpKeepalive;
const tagValue = { name: text('The name.', { minLength: 1 }), defaultValue: text('Value when there is none.') };

export const TracingSettingsSchema = message(
  'How requests are traced where no Telemetry says.',
  {
    zipkin: message('A Zipkin collector, as the proxy finds it at its start.', { address: text('`host:port`.') }),
    lightstep: message('Gone.', { address: text('`host:port`.'), accessToken: text('Token.') }),
    datadog: message('A Datadog agent, as the proxy finds it at its start.', { address: text('`host:port`.') }),
    stackdriver: message('Google Cloud Operations.', {
      debug: flag('Deprecated.'),
      maxNumberOfAttributes: integer('Deprecated.', { nullable: true }),
      maxNumberOfAnnotations: integer('Deprecated.', { nullable: true }),
      maxNumberOfMessageEvents: integer('Deprecated.', { nullable: true }),
    }),
    openCensusAgent: message('Gone.', { address: text('`host:port`.'), context: texts('Forms.') }),
    customTags: mapOf(
      message(
        'Where the value of a tag comes from.',
        {
          literal: message('Always the same value.', { value: text('The value.') }, { required: ['value'] }),
          environment: message('An environment variable of the proxy.', tagValue, { required: ['name'] }),
          header: message('A request header.', tagValue, { required: ['name'] }),
        },
        { oneofs: [['literal', 'environment', 'header']] },
      ),
      'Further tags of the spans, by name.',
    ),
    maxPathTagLength: uint32('Longest path in a span tag.', { fallback: '256' }),
    sampling: decimal('Share of requests that are traced, in percent.', { fallback: '1' }),
    tlsSettings: ClientTLSSettingsSchema,
    enableIstioTags: optionalFlag("Whether spans carry Istio's own tags.", { fallback: 'true' }),
  },
  { oneofs: [['zipkin', 'lightstep', 'datadog', 'stackdriver', 'openCensusAgent']] },
);

const remoteService = message('A service outside the mesh.', {
  address: text('`host:port`.'),
  tlsSettings: ClientTLSSettingsSchema,
  tcpKeepalive,
});

const clientCertDetails = choice(
  ['UNDEFINED', 'SANITIZE', 'FORWARD_ONLY', 'APPEND_FORWARD', 'SANITIZE_SET', 'ALWAYS_FORWARD_ONLY'],
  'What becomes of the header X-Forwarded-Client-Cert.',
);

const proxyHeaders = message('Headers that proxies set.', {
  forwardedClientCert: clientCertDetails,
  setCurrentClientCertDetails: message("Parts of the client's certificate that are told.", {
    subject: optionalFlag('Subject.'),
    cert: optionalFlag('The certificate.'),
    chain: optionalFlag('The chain.'),
    dns: optionalFlag('DNS names.'),
    uri: optionalFlag('URI names.'),
  }),
  requestId: message('X-Request-Id.', { disabled: optionalFlag('Whether it is left alone.') }),
  server: message('Server.', { disabled: optionalFlag('Whether it is left alone.'), value: text('Its value.') }),
  attemptCount: message('X-Envoy-Attempt-Count.', { disabled: optionalFlag('Whether it is not set.') }),
  envoyDebugHeaders: message('X-Envoy-*.', { disabled: optionalFlag('Whether they are not set.') }),
  metadataExchangeHeaders: message('X-Envoy-Peer-Metadata.', {
    mode: choice(['UNDEFINED', 'IN_MESH'], 'Where they are sent.'),
  }),
  preserveHttp1HeaderCase: optionalFlag('Whether upper and lower case of HTTP/1.1 headers are kept.'),
  xForwardedHost: message('X-Forwarded-Host.', { enabled: optionalFlag('Whether it is set.') }),
  xForwardedPort: message('X-Forwarded-Port.', { enabled: optionalFlag('Whether it is set.') }),
});

const count = (what: string) => integer(what, { nullable: true });
const connectionSettings = message('Limits of connections to proxies.', {
  profile: choice(['SIDECAR', 'EDGE'], 'A set of values.'),
  listenerPerConnectionBufferLimitBytes: count('Buffer a connection to a listener.'),
  clusterPerConnectionBufferLimitBytes: count('Buffer a connection to an endpoint.'),
  httpIdleTimeout: durationOrZero('Idle time of a connection.'),
  httpMaxConnectionDuration: durationOrZero('Longest life of a connection.'),
  httpDrainTimeout: durationOrZero('Time a connection has to end.'),
  httpRequestTimeout: durationOrZero('Time in which a request must be whole.'),
  httpRequestHeadersTimeout: durationOrZero('Time in which its headers must be whole.'),
  httpStreamIdleTimeout: durationOrZero('Idle time of a stream.'),
  httpMaxStreamDuration: durationOrZero('Longest life of a stream.'),
  httpMaxConcurrentStreams: count('Streams a connection.'),
  http2InitialStreamWindowSize: count('HTTP/2 window of a stream.'),
  http2InitialConnectionWindowSize: count('HTTP/2 window of a connection.'),
  httpHeadersWithUnderscoresAction: choice(
    [
      'HEADERS_WITH_UNDERSCORES_UNSPECIFIED',
      'HEADERS_WITH_UNDERSCORES_ALLOW',
      'HEADERS_WITH_UNDERSCORES_REJECT_REQUEST',
      'HEADERS_WITH_UNDERSCORES_DROP_HEADER',
    ],
    'What becomes of headers with underscores.',
  ),
  httpMergeSlashes: optionalFlag('Whether several slashes become one.'),
  httpPathWithEscapedSlashesAction: choice(
    [
      'PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED',
      'KEEP_UNCHANGED',
      'REJECT_REQUEST',
      'UNESCAPE_AND_REDIRECT',
      'UNESCAPE_AND_FORWARD',
    ],
    'What becomes of escaped slashes.',
  ),
  listenerConnectionLimit: count('Connections to a listener.'),
  globalDownstreamConnectionLimit: count('Connections to the proxy.'),
});

const keyProvider = message('An accelerator.', {
  pollDelay: duration('Time between polls.'),
  fallback: optionalFlag('Whether to do without where there is none.'),
});

export const ProxySettingsSchema = message(
  'Settings of proxies.',
  {
    configPath: text('Folder of generated files.'),
    binaryPath: text('Path of the Envoy binary.'),
    serviceCluster: text('Name of the service that the proxy is of.'),
    tracingServiceName: choice(
      ['APP_LABEL_AND_NAMESPACE', 'CANONICAL_NAME_ONLY', 'CANONICAL_NAME_AND_NAMESPACE'],
      'How the service is called in traces.',
      { fallback: 'APP_LABEL_AND_NAMESPACE' },
    ),
    drainDuration: duration('Time connections have to end in a hot restart.', { fallback: '45s' }),
    discoveryAddress: text('`host:port` of the control plane.'),
    discoveryRefreshDelay: durationOrZero('Deprecated.'),
    zipkinAddress: text('Deprecated: use tracing.zipkin.'),
    statsdUdpAddress: text('`ip:port` of a statsd.'),
    envoyMetricsServiceAddress: text('Deprecated: use envoyMetricsService.'),
    proxyAdminPort: integer("Port of Envoy's admin interface.", { fallback: '15000' }),
    availabilityZone: text('Deprecated.'),
    controlPlaneAuthPolicy: choice(['NONE', 'MUTUAL_TLS', 'INHERIT'], 'How the control plane is reached.'),
    customConfigFile: text('A bootstrap file to use instead.'),
    statNameLength: integer('Longest name of a statistic.'),
    concurrency: integer('Worker threads; 0 for one a CPU core.', { minimum: 0, nullable: true }),
    proxyBootstrapTemplatePath: text('A template of the bootstrap file.'),
    interceptionMode: choice(['REDIRECT', 'TPROXY', 'NONE'], 'How traffic gets to the proxy.', {
      fallback: 'REDIRECT',
    }),
    tracing: TracingSettingsSchema,
    sds: message('Deprecated.', { enabled: flag('Deprecated.'), k8sSaJwtPath: text('Deprecated.') }),
    envoyAccessLogService: remoteService,
    envoyMetricsService: remoteService,
    proxyMetadata: textMap('Environment variables of the proxy; those that begin with ISTIO_META_ are metadata.'),
    runtimeValues: textMap("Values of Envoy's runtime."),
    statusPort: integer('Port of the agent.', { fallback: '15020' }),
    extraStatTags: texts('Further tags of statistics.'),
    gatewayTopology: message('What stands before gateways.', {
      numTrustedProxies: uint32('Trusted proxies before a gateway.', { fallback: '0' }),
      forwardClientCertDetails: clientCertDetails,
      proxyProtocol: message('The PROXY protocol.', {}),
    }),
    terminationDrainDuration: duration('Time connections have to end at the end.', { fallback: '5s' }),
    meshId: text('Name of the mesh.'),
    readinessProbe: ReadinessProbeSchema,
    proxyStatsMatcher: message("Further statistics of Envoy's that are kept.", {
      inclusionPrefixes: texts('By how the name begins.'),
      inclusionSuffixes: texts('By how the name ends.'),
      inclusionRegexps: texts('By a regular expression.'),
    }),
    holdApplicationUntilProxyStarts: optionalFlag('Whether the application waits for the proxy.'),
    caCertificatesPem: texts('Further roots of trust.'),
    image: message('Which image of the proxy is used.', { imageType: text('default, debug or distroless.') }),
    privateKeyProvider: message(
      'Who does the work of private keys.',
      { cryptomb: keyProvider, qat: keyProvider },
      { oneofs: [['cryptomb', 'qat']] },
    ),
    proxyHeaders,
    fileFlushInterval: duration('Time between two writes of access logs.'),
    fileFlushMinSizeKb: uint32('Size from which access logs are written before that.'),
    statsCompression: optionalFlag('Whether statistics are compressed when they are fetched.'),
    connectionSettings,
  },
  { oneofs: [['serviceCluster', 'tracingServiceName']] },
);

export type TracingSettings = Of<typeof TracingSettingsSchema>;
export type ProxySettings = Of<typeof ProxySettingsSchema>;
