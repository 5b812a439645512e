import { create } from '@bufbuild/protobuf';
import { durationOf, FilterChainConfigSchema, toAny } from '@seine/envoy';
import { ApiVersion } from '@seine/envoy/envoy/config/core/v3/config_source_pb.js';
import {
  type TypedExtensionConfig,
  TypedExtensionConfigSchema,
} from '@seine/envoy/envoy/config/core/v3/extension_pb.js';
import {
  type HttpFilter,
  HttpFilterSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { type AuthorizationInput, emitHttpAuthorization } from './authorization-policy.js';

/**
 * A change of a listener leaves the connections that are there with the filters they began with until they are drained. A
 * policy must not wait for that, so the filters of all policies of a workload are one resource (ECDS): one step takes it
 * from the old rules to the new ones, for the next request of every connection.
 */

/** The name of the filter and of the resource with its configuration. */
export const authorizationFilterName = 'security.istio.io/authorization-policy';

/** The place of the rules among the HTTP filters. */
export function emitDiscoveredAuthorization(): HttpFilter {
  return create(HttpFilterSchema, {
    name: authorizationFilterName,
    configType: {
      case: 'configDiscovery',
      value: {
        configSource: {
          configSourceSpecifier: { case: 'ads', value: {} },
          // The listener waits for the rules: what came in before would not have been judged.
          initialFetchTimeout: durationOf(0),
          resourceApiVersion: ApiVersion.V3,
        },
        typeUrls: [`type.googleapis.com/${FilterChainConfigSchema.typeName}`],
      },
    },
  });
}

/** What stands in that place: the filters that listeners of other Envoys have themselves; without policies none. */
export function emitAuthorizationConfig(input: AuthorizationInput): TypedExtensionConfig {
  const filters = emitHttpAuthorization(input).map(({ name, configType }) =>
    create(TypedExtensionConfigSchema, {
      name,
      ...(configType.case === 'typedConfig' && { typedConfig: configType.value }),
    }),
  );
  return create(TypedExtensionConfigSchema, {
    name: authorizationFilterName,
    typedConfig: toAny(FilterChainConfigSchema, filters.length === 0 ? {} : { defaultFilterChain: { filters } }),
  });
}
