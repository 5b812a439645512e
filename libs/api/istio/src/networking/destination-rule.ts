import type { ConfigObject } from '@seine/k8s';
import {
  choice,
  decimal,
  described,
  duration,
  durationOrZero,
  flag,
  integer,
  list,
  mapOf,
  message,
  type Of,
  optionalFlag,
  percent,
  text,
  textMap,
  texts,
  uint32,
  uint64,
} from '../schema.js';
import { LabelSelectorSchema } from './selector.js';
import { PortSelectorSchema } from './virtual-service.js';

const nonNegative = { minimum: 0 } as const;

export const ClientTLSSettingsSchema = message('TLS towards the destination.', {
  mode: choice(
    ['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'],
    'None, server certificate only, both, or the mesh identity.',
  ),
  clientCertificate: text('File of the client certificate.'),
  privateKey: text('File of its key.'),
  caCertificates: text('File of the CA that the server is verified with.'),
  credentialName: text('Secret with certificate and key.'),
  subjectAltNames: texts('Names of which the server certificate must have one.'),
  sni: text('Server name to send.'),
  insecureSkipVerify: optionalFlag('Do not verify the server.', { fallback: 'false' }),
  caCrl: text('File of a revocation list of the CA.'),
});

const LocalityFailoverSchema = message('Where traffic of a region goes when it has no healthy endpoint.', {
  from: text('Region that lost its endpoints.'),
  to: text('Region that takes over.'),
});
export const LocalityLoadBalancerSettingSchema = message('Preference for near endpoints.', {
  distribute: list(
    message("Shares of a locality's traffic.", {
      from: text('Locality, `region/zone/subzone`, wildcards allowed.'),
      to: mapOf(uint32('Percent.'), 'Shares by locality; they add up to 100.'),
    }),
    'Fixed shares.',
  ),
  failover: list(LocalityFailoverSchema, 'Regions to fail over to.'),
  failoverPriority: texts('Labels, the most important first, by which endpoints are near.'),
  enabled: optionalFlag('Turns locality load balancing on or off.'),
});

export const ZoneAwareLoadBalancerSettingSchema = message('Zone-aware routing.', {
  enabled: optionalFlag('Turns zone-aware routing on or off.'),
  failover: list(LocalityFailoverSchema, 'Regions to fail over to.'),
  failoverPriority: texts('Labels by which endpoints are near.'),
  minClusterSize: uint32('With fewer endpoints than this the zone does not matter.', {
    minimum: 1,
    nullable: true,
  }),
});

export const WarmupConfigurationSchema = message(
  'Slow start of new endpoints.',
  {
    duration: duration('How long a new endpoint gets less traffic.'),
    minimumPercent: percent('Share of its weight at the beginning, in percent.', { nullable: true, fallback: '10' }),
    aggression: decimal('Speed of the rise; 1 is linear, more is slower at the start.', {
      minimum: 0,
      nullable: true,
      fallback: '1',
    }),
  },
  { required: ['duration'] },
);

export const ConsistentHashLBSchema = message(
  'Requests with the same key go to the same endpoint.',
  {
    httpHeaderName: text('The key is a header.'),
    httpCookie: message(
      'The key is a cookie, made when it is missing and a lifetime is given.',
      {
        name: text('Name of the cookie.'),
        path: text('Path that the cookie is for.'),
        ttl: durationOrZero('Lifetime of a cookie that Envoy makes; 0s for a session cookie.'),
        attributes: list(
          message(
            'An attribute.',
            { name: text('Name of the attribute.'), value: text('Value of the attribute.') },
            { required: ['name'] },
          ),
          'Further attributes.',
        ),
      },
      { required: ['name'] },
    ),
    useSourceIp: flag('The key is the source address.'),
    httpQueryParameterName: text('The key is a query parameter.'),
    ringHash: message('Ring hash.', { minimumRingSize: uint64('Virtual nodes at least.', { fallback: '1024' }) }),
    maglev: message('Maglev.', { tableSize: uint64('Size of the table, a prime number.', { fallback: '65537' }) }),
    minimumRingSize: uint64('Deprecated: use ringHash.'),
  },
  {
    oneofs: [
      ['httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName'],
      ['ringHash', 'maglev'],
    ],
  },
);

export const LoadBalancerSettingsSchema = message(
  'How an endpoint is picked.',
  {
    simple: choice(
      ['UNSPECIFIED', 'LEAST_CONN', 'RANDOM', 'PASSTHROUGH', 'ROUND_ROBIN', 'LEAST_REQUEST'],
      'A standard algorithm.',
    ),
    consistentHash: ConsistentHashLBSchema,
    localityLbSetting: LocalityLoadBalancerSettingSchema,
    zoneAwareLbSetting: ZoneAwareLoadBalancerSettingSchema,
    warmupDurationSecs: duration('Deprecated: use warmup.'),
    warmup: WarmupConfigurationSchema,
  },
  { oneofs: [['simple', 'consistentHash']] },
);

export const ConnectionPoolSettingsSchema = message('Limits of connections and requests to a destination.', {
  tcp: message('For all connections.', {
    maxConnections: integer('Connections to the destination at most.', { ...nonNegative, fallback: '4294967295' }),
    connectTimeout: duration('Time limit of a connect.', { fallback: '10s' }),
    tcpKeepalive: message('TCP keep-alive.', {
      probes: uint32('Probes without answer before the end.'),
      time: duration('Idle time before the first probe.'),
      interval: duration('Time between probes.'),
    }),
    maxConnectionDuration: duration('Longest life of a connection.'),
    idleTimeout: durationOrZero('Idle time after which a connection is closed; 0s for never.', { fallback: '1h' }),
  }),
  http: message('For HTTP.', {
    http1MaxPendingRequests: integer('Requests that wait for a connection at most.', {
      ...nonNegative,
      fallback: '4294967295',
    }),
    http2MaxRequests: integer('Active requests at most.', { ...nonNegative, fallback: '4294967295' }),
    maxRequestsPerConnection: integer('Requests a connection at most; 1 turns keep-alive off.', nonNegative),
    maxRetries: integer('Retries under way at most.', { ...nonNegative, fallback: '4294967295' }),
    idleTimeout: duration('Idle time after which a connection is closed.', { fallback: '1h' }),
    h2UpgradePolicy: choice(['DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE'], 'Whether HTTP/1.1 is upgraded to HTTP/2.'),
    useClientProtocol: flag('Use the protocol the client used.'),
    maxConcurrentStreams: integer('HTTP/2 streams a connection at most.', nonNegative),
    http2KeepAlive: message('HTTP/2 pings.', {
      interval: duration('Time between pings.'),
      timeout: duration('How long to wait for the answer.'),
    }),
  }),
});

export const OutlierDetectionSchema = message('When an endpoint is taken out for failing.', {
  consecutiveErrors: integer('Deprecated: use consecutiveGatewayErrors or consecutive5xxErrors.'),
  splitExternalLocalOriginErrors: flag('Count failures to connect apart.'),
  consecutiveLocalOriginFailures: uint32('Failures to connect in a row; needs splitExternalLocalOriginErrors.', {
    nullable: true,
    fallback: '5',
  }),
  consecutiveGatewayErrors: uint32('Answers 502, 503 or 504 in a row; 0 turns it off.', {
    nullable: true,
    fallback: '0',
  }),
  consecutive5xxErrors: uint32('Answers 5xx, or failures to connect, in a row; 0 turns it off.', {
    nullable: true,
    fallback: '5',
  }),
  interval: duration('Time between two looks at the endpoints.', { fallback: '10s' }),
  baseEjectionTime: duration('Shortest time out; multiplied by how often the endpoint was taken out.', {
    fallback: '30s',
  }),
  maxEjectionPercent: integer('Share of endpoints out at most.', { minimum: 0, maximum: 100 }),
  minHealthPercent: integer('Below this share of healthy endpoints nothing is taken out.', {
    minimum: 0,
    maximum: 100,
  }),
  outlierDetectionHttpErrorCodes: list(
    uint32('HTTP status.', { minimum: 100, maximum: 599 }),
    'Statuses that count as failures, besides 5xx.',
  ),
});

const PortTrafficPolicySchema = message('Settings of one port; they replace those of the destination.', {
  port: described(PortSelectorSchema, 'The port of the service that they are for.'),
  loadBalancer: LoadBalancerSettingsSchema,
  connectionPool: ConnectionPoolSettingsSchema,
  outlierDetection: OutlierDetectionSchema,
  tls: ClientTLSSettingsSchema,
});

export const TrafficPolicySchema = message('What applies to traffic after routing.', {
  loadBalancer: LoadBalancerSettingsSchema,
  connectionPool: ConnectionPoolSettingsSchema,
  outlierDetection: OutlierDetectionSchema,
  tls: ClientTLSSettingsSchema,
  portLevelSettings: list(PortTrafficPolicySchema, 'Settings by port.', { maxItems: 4096 }),
  tunnel: message(
    'Tunnels TCP over HTTP CONNECT or POST.',
    {
      protocol: text('CONNECT or POST.', { fallback: 'CONNECT' }),
      targetHost: text("Host of the tunnel's end."),
      targetPort: uint32("Port of the tunnel's end."),
    },
    { required: ['targetHost', 'targetPort'] },
  ),
  proxyProtocol: message('Sends the PROXY protocol.', {
    version: choice(['V1', 'V2'], 'Version of the protocol.', { fallback: 'V1' }),
  }),
  retryBudget: message('Retries as a share of active requests.', {
    percent: percent('Retries in percent of the active and waiting requests.', { nullable: true, fallback: '20' }),
    minRetryConcurrency: uint32('Retries under way that are always allowed.', { fallback: '3' }),
    budgetInterval: durationOrZero('Interval that the share is measured over.'),
  }),
});

export const SubsetSchema = message(
  "A named part of the service's endpoints.",
  {
    name: text('Name, which routes use.'),
    labels: textMap('Labels its endpoints have.'),
    trafficPolicy: TrafficPolicySchema,
  },
  { required: ['name'] },
);

export const DestinationRuleSchema = message(
  'What applies to traffic for a service, after routing.',
  {
    host: text('Name of the service; wildcards allowed.'),
    trafficPolicy: TrafficPolicySchema,
    subsets: list(SubsetSchema, 'Named parts of the service.'),
    exportTo: texts('Namespaces that see it: `*` all, `.` its own, or names.', { fallback: '*' }),
    workloadSelector: LabelSelectorSchema,
  },
  { required: ['host'] },
);

export type ClientTLSSettings = Of<typeof ClientTLSSettingsSchema>;
export type LocalityLoadBalancerSetting = Of<typeof LocalityLoadBalancerSettingSchema>;
export type ZoneAwareLoadBalancerSetting = Of<typeof ZoneAwareLoadBalancerSettingSchema>;
export type WarmupConfiguration = Of<typeof WarmupConfigurationSchema>;
export type ConsistentHashLB = Of<typeof ConsistentHashLBSchema>;
export type LoadBalancerSettings = Of<typeof LoadBalancerSettingsSchema>;
export type ConnectionPoolSettings = Of<typeof ConnectionPoolSettingsSchema>;
export type OutlierDetection = Of<typeof OutlierDetectionSchema>;
export type PortTrafficPolicy = Of<typeof PortTrafficPolicySchema>;
export type TrafficPolicy = Of<typeof TrafficPolicySchema>;
export type Subset = Of<typeof SubsetSchema>;
export type DestinationRuleSpec = Of<typeof DestinationRuleSchema>;
export type DestinationRule = ConfigObject<DestinationRuleSpec> & {
  readonly kind: 'DestinationRule';
  readonly spec: DestinationRuleSpec;
};
