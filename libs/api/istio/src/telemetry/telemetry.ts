import type { ConfigObject } from '@seine/k8s';
import { oneTarget, policyTarget } from '../networking/policy-target.js';
import { choice, duration, list, mapOf, message, type Of, optionalFlag, percent, text } from '../schema.js';

const mode = choice(['CLIENT_AND_SERVER', 'CLIENT', 'SERVER'], 'Which side reports: the caller, the called, or both.', {
  fallback: 'CLIENT_AND_SERVER',
});
const providers = list(
  message(
    'A provider of the mesh config.',
    { name: text('Name of the provider.', { minLength: 1 }) },
    { required: ['name'] },
  ),
  'Where it is reported to; the default providers of the mesh when absent.',
);

const fromProxy = (what: string) =>
  message(
    `The value of ${what}.`,
    { name: text(`Name of ${what}.`, { minLength: 1 }), defaultValue: text('Value when there is none.') },
    { required: ['name'] },
  );
const given = (description: string, what: string) =>
  message(description, { value: text(what, { minLength: 1 }) }, { required: ['value'] });

export const CustomTagSchema = message(
  'Where the value of a tag comes from.',
  {
    literal: given('Always the same value.', 'The value.'),
    environment: fromProxy('an environment variable of the proxy'),
    header: fromProxy('a request header'),
    formatter: given('A format string of access logs.', 'The format string.'),
  },
  { oneofs: [['literal', 'environment', 'header', 'formatter']] },
);

export const TracingSchema = message('How requests are traced.', {
  match: message('For which side it holds.', { mode }),
  providers,
  randomSamplingPercentage: percent('Share of requests that are traced when nobody has decided before.', {
    nullable: true,
    fallback: '1',
  }),
  disableSpanReporting: optionalFlag('Whether spans are not reported.', { fallback: 'false' }),
  customTags: mapOf(CustomTagSchema, 'Further tags of the spans, by name.'),
  useRequestIdForTraceSampling: optionalFlag('Whether X-Request-Id carries the decision.', { fallback: 'true' }),
  enableIstioTags: optionalFlag("Whether spans carry Istio's own tags.", { fallback: 'true' }),
  disableContextPropagation: optionalFlag('Whether trace headers are not passed on.', { fallback: 'false' }),
});

export const MetricSelectorSchema = message(
  'Which metrics are meant.',
  {
    metric: choice(
      [
        'ALL_METRICS',
        'REQUEST_COUNT',
        'REQUEST_DURATION',
        'REQUEST_SIZE',
        'RESPONSE_SIZE',
        'TCP_OPENED_CONNECTIONS',
        'TCP_CLOSED_CONNECTIONS',
        'TCP_SENT_BYTES',
        'TCP_RECEIVED_BYTES',
        'GRPC_REQUEST_MESSAGES',
        'GRPC_RESPONSE_MESSAGES',
      ],
      'One of the standard metrics, or all.',
      { fallback: 'ALL_METRICS' },
    ),
    customMetric: text('Name of another metric.', { minLength: 1 }),
    mode,
  },
  { oneofs: [['metric', 'customMetric']] },
);

export const TagOverrideSchema = message(
  'A change to a tag of a metric.',
  {
    operation: choice(['UPSERT', 'REMOVE'], 'Sets the tag, or takes it away.', { fallback: 'UPSERT' }),
    value: text('CEL expression of the value.'),
  },
  {
    rules: [
      {
        rule: "has(self.operation) && self.operation == 'UPSERT' ? has(self.value) && self.value != '' : true",
        message: 'value must be set when operation is UPSERT',
      },
      {
        rule: "has(self.operation) && self.operation == 'REMOVE' ? !has(self.value) : true",
        message: 'value must not be set when operation is REMOVE',
      },
    ],
  },
);

export const MetricsSchema = message('Which metrics are made.', {
  providers,
  overrides: list(
    message('A change to metrics.', {
      match: MetricSelectorSchema,
      disabled: optionalFlag('Whether the metrics are not made.', { fallback: 'false' }),
      tagOverrides: mapOf(TagOverrideSchema, 'Changes to tags, by name.'),
    }),
    'Changes to the standard metrics, in order.',
  ),
  reportingInterval: duration('Time between reports of TCP metrics on open connections.', { fallback: '5s' }),
});

export const AccessLoggingSchema = message('Which requests are logged.', {
  match: message('For which side it holds.', { mode }),
  providers,
  disabled: optionalFlag('Whether nothing is logged.', { fallback: 'false' }),
  filter: message('Which requests are logged.', { expression: text('CEL expression that must hold.') }),
});

export const TelemetrySchema = message(
  'Which traces, metrics and access logs proxies make.',
  {
    ...policyTarget,
    tracing: list(TracingSchema, 'Tracing.'),
    metrics: list(MetricsSchema, 'Metrics.'),
    accessLogging: list(AccessLoggingSchema, 'Access logs.'),
  },
  { rules: [oneTarget] },
);
export type Tracing = Of<typeof TracingSchema>;
export type Metrics = Of<typeof MetricsSchema>;
export type AccessLogging = Of<typeof AccessLoggingSchema>;
export type TelemetrySpec = Of<typeof TelemetrySchema>;
export type Telemetry = ConfigObject<TelemetrySpec> & { readonly kind: 'Telemetry'; readonly spec: TelemetrySpec };
