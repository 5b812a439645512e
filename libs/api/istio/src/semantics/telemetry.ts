import { formatProblem } from '../mesh/log-format.js';
import { envoyCelProblem, tagCelProblem } from '../rules/envoy-cel.js';
import type { Metrics, TelemetrySpec, Tracing } from '../telemetry/telemetry.js';
import type { Scope } from '../validation/scope.js';
import { each } from './each.js';
import { checkLabels } from './field-checks.js';

/** What Istio asks of a Telemetry beyond its schema, and what Envoy takes of it. */
export function checkTelemetry(spec: TelemetrySpec, scope: Scope): void {
  checkLabels(spec.selector?.matchLabels, scope.at('selector', 'matchLabels'));
  each(spec.accessLogging, scope.at('accessLogging'), ({ filter }, at) => {
    const failure = filter?.expression ? envoyCelProblem(filter.expression) : undefined;
    if (failure !== undefined) at.at('filter', 'expression').error(failure);
  });
  each(spec.tracing, scope.at('tracing'), checkTracing);
  each(spec.metrics, scope.at('metrics'), checkMetrics);
}

function unsupported(scope: Scope, message: string): void {
  scope.warning(message, 'SEINE-UNSUPPORTED');
}

function checkTracing({ customTags, disableContextPropagation }: Tracing, scope: Scope): void {
  for (const [name, tag] of Object.entries(customTags ?? {})) {
    const at = scope.at('customTags', name);
    if (Object.keys(tag).length === 0) at.error('must say where its value comes from');
    const problem = tag.formatter && formatProblem(tag.formatter.value);
    if (problem !== undefined) at.at('formatter', 'value').error(problem);
  }
  if (disableContextPropagation)
    unsupported(scope.at('disableContextPropagation'), 'Seine does not act on it: trace headers are passed on.');
}

function checkMetrics({ providers, overrides, reportingInterval }: Metrics, scope: Scope): void {
  const toMixer = (providers ?? []).some(({ name }) => name.toLowerCase() === 'mixer');
  if (reportingInterval !== undefined && !toMixer)
    unsupported(
      scope.at('reportingInterval'),
      'Proxies count TCP connections when they are opened and when they end: only the provider mixer acts on it.',
    );
  each(overrides, scope.at('overrides'), ({ match, tagOverrides }, at) => {
    const { metric, customMetric } = match ?? {};
    if ((metric === 'GRPC_REQUEST_MESSAGES' || metric === 'GRPC_RESPONSE_MESSAGES') && !toMixer)
      unsupported(at.at('match', 'metric'), `Proxies make no metric ${metric}: only the provider mixer acts on it.`);
    if (customMetric !== undefined && !standard.test(customMetric))
      unsupported(at.at('match', 'customMetric'), 'Seine makes the standard metrics only: it has no effect.');
    for (const [name, { value }] of Object.entries(tagOverrides ?? {})) {
      const problem = value ? tagCelProblem(value) : undefined;
      if (problem !== undefined) at.at('tagOverrides', name, 'value').error(problem);
    }
  });
}

/** Names of the standard metrics, in Telemetry and in Prometheus. */
const standard =
  /^(REQUEST_(COUNT|DURATION|SIZE)|RESPONSE_SIZE|TCP_\w+|(istio_)?(requests_total|request_duration_milliseconds|request_bytes|response_bytes|tcp_(connections_(opened|closed)_total|(sent|received)_bytes_total)))$/;
