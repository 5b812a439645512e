import { celSyntaxError } from '../rules/cel.js';
import type { TelemetrySpec } from '../telemetry/telemetry.js';
import type { Scope } from '../validation/scope.js';
import { each } from './each.js';
import { checkLabels } from './field-checks.js';

/** What Istio asks of a Telemetry beyond its schema. */
export function checkTelemetry(spec: TelemetrySpec, scope: Scope): void {
  checkLabels(spec.selector?.matchLabels, scope.at('selector', 'matchLabels'));
  each(spec.accessLogging, scope.at('accessLogging'), ({ filter }, at) => {
    const failure = filter?.expression ? celSyntaxError(filter.expression) : undefined;
    if (failure !== undefined) at.at('filter', 'expression').error(`is not a CEL expression: ${failure}`);
  });
  each(spec.tracing, scope.at('tracing'), ({ customTags }, at) => {
    for (const [name, tag] of Object.entries(customTags ?? {}))
      if (Object.keys(tag).length === 0) at.at('customTags', name).error('must say where its value comes from');
  });
}
