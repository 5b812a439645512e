import { checkEnvoyJson, type JsonProblem } from '@seine/envoy/config-json';
import type { EnvoyConfigObjectPatch } from '../networking/envoy-filter.js';
import type { Scope } from '../validation/scope.js';

type ApplyTo = NonNullable<EnvoyConfigObjectPatch['applyTo']>;
type Patch = NonNullable<EnvoyConfigObjectPatch['patch']>;

/** Which message of Envoy's the value of a patch is (Istio: BuildXDSObjectFromStruct). */
export const patchedMessages: Readonly<Record<Exclude<ApplyTo, 'INVALID'>, string>> = {
  LISTENER: 'envoy.config.listener.v3.Listener',
  FILTER_CHAIN: 'envoy.config.listener.v3.FilterChain',
  NETWORK_FILTER: 'envoy.config.listener.v3.Filter',
  HTTP_FILTER: 'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter',
  ROUTE_CONFIGURATION: 'envoy.config.route.v3.RouteConfiguration',
  VIRTUAL_HOST: 'envoy.config.route.v3.VirtualHost',
  HTTP_ROUTE: 'envoy.config.route.v3.Route',
  CLUSTER: 'envoy.config.cluster.v3.Cluster',
  EXTENSION_CONFIG: 'envoy.config.core.v3.TypedExtensionConfig',
  BOOTSTRAP: 'envoy.config.bootstrap.v3.Bootstrap',
  LISTENER_FILTER: 'envoy.config.listener.v3.ListenerFilter',
};

const filters: ReadonlySet<ApplyTo> = new Set(['NETWORK_FILTER', 'HTTP_FILTER', 'LISTENER_FILTER']);
/** What their value is merged into has the rest of the message. */
const partial: ReadonlySet<Patch['operation']> = new Set(['MERGE', 'MERGE_AND_REPLACE_LIST', 'REMOVE']);

function report({ kind, path, message }: JsonProblem, scope: Scope): void {
  const at = scope.at(...path);
  if (kind === 'invalid' || kind === 'unknown-type') at.error(message);
  else if (kind === 'unknown-field') at.warning(`${message} It has no effect.`, 'SEINE-UNKNOWN-FIELD');
  else if (kind === 'foreign-type') at.warning(`${message} The patch has no effect.`, 'SEINE-UNSUPPORTED');
  else at.warning(`Envoy would refuse this: ${message}. The patch is left out where nothing else mends it.`);
}

/** Checks the value of a patch against Envoy's own API. */
export function checkPatchValue(applyTo: Exclude<ApplyTo, 'INVALID'>, patch: Patch, scope: Scope): void {
  const { operation, value } = patch;
  if (value === undefined || operation === 'REMOVE') return;
  for (const problem of checkEnvoyJson(patchedMessages[applyTo], value, !partial.has(operation)))
    report(problem, scope);
  const fields: Readonly<Record<string, unknown>> = value;
  const configured = ['typed_config', 'typedConfig', 'config_discovery', 'configDiscovery'].some(
    (key) => key in fields,
  );
  if (filters.has(applyTo) && !partial.has(operation) && !configured)
    scope.warning('has no typed_config, and Envoy knows filters by the type of it, not by name.');
}
