import {
  ClientTLSSettingsSchema,
  ConnectionPoolSettingsSchema,
  LoadBalancerSettingsSchema,
  LocalityLoadBalancerSettingSchema,
  OutlierDetectionSchema,
} from '../networking/destination-rule.js';
import { HTTPRetrySchema } from '../networking/virtual-service.js';
import {
  choice,
  described,
  duration,
  durationOrZero,
  flag,
  list,
  message,
  type Of,
  optionalFlag,
  port,
  text,
  textMap,
  texts,
} from '../schema.js';
import { ExtensionProviderSchema } from './extension-provider.js';
import { ProxySettingsSchema } from './proxy-settings.js';

/** The settings of the whole mesh (istio.io/api, mesh/v1alpha1/config.proto, MeshConfig), as the key `mesh` of the ConfigMap `istio` holds them. */

const labelSelector = (description: string) =>
  message(description, {
    matchLabels: textMap('Labels that must be there.'),
    matchExpressions: list(
      message('A condition.', {
        key: text('Key of a label.'),
        operator: text('In, NotIn, Exists or DoesNotExist.'),
        values: texts('Values of the label.'),
      }),
      'Conditions that must hold.',
    ),
  });

const exportTo = (kind: string) => texts(`Namespaces that see a ${kind} that does not say: \`*\` all, \`.\` its own.`);
const trafficMode = choice(['REGISTRY_ONLY', 'ALLOW_ANY', 'ALLOW_ANY_DYNAMIC_DNS'], 'Only known hosts, or any.', {
  fallback: 'ALLOW_ANY',
});
const tlsConfig = (description: string) =>
  message(description, {
    minProtocolVersion: choice(['TLS_AUTO', 'TLSV1_2', 'TLSV1_3'], 'Oldest version.', { fallback: 'TLSV1_2' }),
    ecdhCurves: texts('Curves.'),
    cipherSuites: texts('Cipher suites.'),
  });
const visibility = choice(['VISIBILITY_UNSPECIFIED', 'NONE', 'NAMESPACE', 'PUBLIC'], 'Who sees them.');

const ports = {
  proxyListenPort: port('Port that outbound traffic is captured to.'),
  proxyInboundListenPort: port('Port that inbound traffic is captured to.'),
  proxyHttpPort: port('Port of the HTTP proxy of each workload; 0 for none.'),
};

const ingress = {
  ingressClass: text('Class of the Ingress resources that are taken.', { fallback: 'istio' }),
  ingressService: text('Service of the gateway that they are for.', { fallback: 'istio-ingressgateway' }),
  ingressControllerMode: choice(
    ['UNSPECIFIED', 'OFF', 'DEFAULT', 'STRICT'],
    'Which Ingress resources are taken: none, those without class too, or those of the class only.',
    { fallback: 'STRICT' },
  ),
  ingressSelector: text('Value of the label `istio` of the gateway that they are for.', {
    fallback: 'ingressgateway',
  }),
};

const logging = {
  accessLogFile: text('File that requests are logged to, as /dev/stdout; none when empty.'),
  accessLogFormat: text("Format of a line, or JSON of its fields; Istio's default when empty."),
  accessLogEncoding: choice(['TEXT', 'JSON'], 'What a line is.', { fallback: 'TEXT' }),
  enableEnvoyAccessLogService: flag('Whether requests are logged to defaultConfig.envoyAccessLogService.'),
  disableEnvoyListenerLog: flag('Whether connections that no filter chain takes are not logged.'),
};

const security = {
  enableAutoMtls: optionalFlag('Whether mutual TLS is used towards workloads that have it.', { fallback: 'true' }),
  trustDomain: text('Domain of the identities of the mesh.', { fallback: 'cluster.local' }),
  trustDomainAliases: texts('Further domains that are trusted.'),
  caCertificates: list(
    message(
      'A root of trust.',
      {
        pem: text('The certificate.'),
        spiffeBundleUrl: text('Where it is fetched from.'),
        certSigners: texts('Signers that it is for.'),
        trustDomains: texts('Trust domains that it is for.'),
      },
      { oneofs: [['pem', 'spiffeBundleUrl']] },
    ),
    'Further roots of trust.',
  ),
  certificates: list(
    message('Deprecated.', { secretName: text('Deprecated.'), dnsNames: texts('Deprecated.') }),
    'Deprecated.',
  ),
  ca: message('The certificate authority.', {
    address: text('`host:port`.'),
    tlsSettings: ClientTLSSettingsSchema,
    requestTimeout: duration('Time limit of a request.', { fallback: '10s' }),
    istiodSide: flag('Whether the control plane asks it, and not the agent.'),
  }),
  meshMTLS: tlsConfig('TLS between workloads.'),
  tlsDefaults: tlsConfig('TLS elsewhere.'),
  verifyCertificateAtClient: optionalFlag('Deprecated: whether a server certificate is verified where TLS says no CA.'),
};

const traffic = {
  connectTimeout: duration('Time limit of a connect.', { fallback: '10s' }),
  hboneIdleTimeout: durationOrZero('Idle time of an HBONE connection.'),
  protocolDetectionTimeout: durationOrZero('How long to wait for the first bytes of a connection; 0s for ever.', {
    fallback: '0s',
  }),
  tcpKeepalive: ConnectionPoolSettingsSchema.properties.tcp.properties.tcpKeepalive,
  outboundTrafficPolicy: message('What becomes of traffic to unknown hosts.', {
    mode: trafficMode,
    tls: ClientTLSSettingsSchema,
  }),
  inboundTrafficPolicy: message('Where inbound traffic goes.', {
    mode: choice(['PASSTHROUGH', 'LOCALHOST'], 'To the address of the workload, or to localhost.', {
      fallback: 'PASSTHROUGH',
    }),
  }),
  localityLbSetting: LocalityLoadBalancerSettingSchema,
  zoneAwareLbSetting: LoadBalancerSettingsSchema.properties.zoneAwareLbSetting,
  dnsRefreshRate: duration('How often names are looked up again after a failure.', { fallback: '60s' }),
  h2UpgradePolicy: choice(['DO_NOT_UPGRADE', 'UPGRADE'], 'Whether HTTP/1.1 is upgraded to HTTP/2.', {
    fallback: 'DO_NOT_UPGRADE',
  }),
  pathNormalization: message('How paths are made one.', {
    normalization: choice(
      ['DEFAULT', 'NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES'],
      'Not, as RFC 3986 says, with slashes merged, or with encoded ones decoded before.',
      { fallback: 'DEFAULT' },
    ),
  }),
  defaultHttpRetryPolicy: described(HTTPRetrySchema, 'When and how often a failed request is tried again by default.'),
  defaultTrafficPolicy: message('What applies where no DestinationRule says.', {
    connectionPool: ConnectionPoolSettingsSchema,
    outlierDetection: OutlierDetectionSchema,
  }),
};

/** Of Istio up to 1.4, whose proxies asked Mixer. */
const policy = {
  disablePolicyChecks: flag('Whether no proxy asks mixer, nor refuses by itself what mixer would.'),
  policyCheckFailOpen: flag('Whether requests pass that mixer gives no answer for.'),
};

export const MeshConfigSchema = message('Settings of the whole mesh.', {
  ...ports,
  ...policy,
  ...traffic,
  ...ingress,
  ...logging,
  ...security,
  enableTracing: flag('Whether requests are traced where no Telemetry says.', { fallback: 'true' }),
  defaultConfig: ProxySettingsSchema,
  configSources: list(
    message('A source.', {
      address: text('URL of the source.'),
      tlsSettings: ClientTLSSettingsSchema,
      subscribedResources: list(choice(['SERVICE_REGISTRY'], 'A kind.'), 'What is taken from it.'),
    }),
    'Where config comes from.',
  ),
  defaultServiceExportTo: exportTo('Service'),
  defaultVirtualServiceExportTo: exportTo('VirtualService'),
  defaultDestinationRuleExportTo: exportTo('DestinationRule'),
  rootNamespace: text('Namespace whose resources apply to the whole mesh.', { fallback: 'istio-system' }),
  inboundClusterStatName: text('Name of inbound clusters in statistics.'),
  outboundClusterStatName: text('Name of outbound clusters in statistics.'),
  serviceSettings: list(
    message('Settings of services.', {
      settings: message('The settings.', { clusterLocal: flag('Whether they are only for their own cluster.') }),
      hosts: texts('Hosts of the services; wildcards allowed.'),
    }),
    'Settings by service.',
  ),
  serviceScopeConfigs: list(
    message('A scope.', {
      namespaceSelector: labelSelector('Namespaces of the services.'),
      servicesSelector: labelSelector('The services.'),
      scope: choice(['LOCAL', 'GLOBAL'], 'Only their own cluster, or all.'),
    }),
    'Scopes of services in ambient mode.',
  ),
  enablePrometheusMerge: optionalFlag('Whether the agent serves the metrics of application and proxy together.', {
    fallback: 'true',
  }),
  extensionProviders: list(ExtensionProviderSchema, 'Services that proxies report to or ask.'),
  defaultProviders: message('Providers where no Telemetry says.', {
    tracing: texts('Of traces.'),
    metrics: texts('Of metrics.'),
    accessLogging: texts('Of access logs.'),
  }),
  discoverySelectors: list(labelSelector('Namespaces.'), 'Namespaces that are looked at; all when absent.'),
  serviceEntryVisibility: message('Who sees services of ServiceEntries in ambient mode.', {
    defaultVisibility: visibility,
    applyToSidecars: flag('Whether it holds for sidecars too.'),
    policies: list(
      message('A rule.', {
        visibility,
        matchingRules: list(
          message('Which it is for.', { namespaceSelector: labelSelector('Namespaces of the services.') }),
          'Which it is for.',
        ),
      }),
      'Rules.',
    ),
  }),
});
export type MeshConfigSpec = Of<typeof MeshConfigSchema>;
