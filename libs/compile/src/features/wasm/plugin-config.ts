import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import { durationOf, toAny } from '@seine/envoy';
import type { AsyncDataSourceSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import {
  type EnvironmentVariablesSchema,
  FailurePolicy,
  type PluginConfigSchema,
} from '@seine/envoy/envoy/extensions/wasm/v3/wasm_pb.js';
import type { WasmSettings } from '@seine/istio';
import type { WasmModule } from '@seine/model';
import type { Fragment } from '../../frame/clusters-fragment.js';

/** The cluster by which every proxy reaches pilot: modules come the way that configuration comes. */
const pilotCluster = 'xds-grpc';
/** Where pilot serves modules, each under the checksum of its content. */
export const wasmModulePath = '/wasm/';
const fetchTimeout = 30_000;
const fetchRetries = 5;

type HeldModule = Exclude<WasmModule, { readonly state: 'missing' }>;

/** What Envoy needs to run a module, for HTTP and network filters alike. @param name `namespace.name` */
export function emitPluginConfig(
  name: string,
  settings: WasmSettings,
  module: HeldModule,
): Fragment<typeof PluginConfigSchema> {
  const { pluginConfig, pluginName, failStrategy } = settings;
  const hasConfig = pluginConfig !== undefined && Object.keys(pluginConfig).length > 0;
  return {
    name,
    rootId: pluginName ?? '',
    // The module gets its configuration as JSON text.
    ...(hasConfig && { configuration: toAny(StringValueSchema, { value: JSON.stringify(pluginConfig) }) }),
    failurePolicy: failurePolicies[failStrategy ?? 'FAIL_CLOSE'],
    vm: {
      case: 'vmConfig',
      value: {
        runtime: 'envoy.wasm.runtime.v8',
        code: emitCode(module),
        environmentVariables: emitEnvironment(settings.vmConfig?.env),
      },
    },
  };
}

const failurePolicies: Readonly<Record<NonNullable<WasmSettings['failStrategy']>, FailurePolicy>> = {
  FAIL_CLOSE: FailurePolicy.FAIL_CLOSED,
  FAIL_OPEN: FailurePolicy.FAIL_OPEN,
  FAIL_RELOAD: FailurePolicy.FAIL_RELOAD,
};

function emitCode(module: HeldModule): Fragment<typeof AsyncDataSourceSchema> {
  if (module.state === 'proxy-file')
    return {
      specifier: { case: 'local', value: { specifier: { case: 'filename', value: module.path } } },
    };
  const uri = `http://pilot${wasmModulePath}${module.sha256}`;
  return {
    specifier: {
      case: 'remote',
      value: {
        httpUri: {
          uri,
          httpUpstreamType: { case: 'cluster', value: pilotCluster },
          timeout: durationOf(fetchTimeout),
        },
        sha256: module.sha256,
        // A pilot that is being replaced is back within seconds.
        retryPolicy: {
          numRetries: fetchRetries,
          retryBackOff: { baseInterval: durationOf(500), maxInterval: durationOf(10_000) },
        },
      },
    },
  };
}

type EnvironmentVariable = NonNullable<NonNullable<WasmSettings['vmConfig']>['env']>[number];

function emitEnvironment(
  env: readonly EnvironmentVariable[] | undefined,
): Fragment<typeof EnvironmentVariablesSchema> | undefined {
  if (!env?.length) return undefined;
  const isHost = ({ valueFrom }: EnvironmentVariable) => valueFrom === 'HOST';
  return {
    hostEnvKeys: env.filter(isHost).map(({ name }) => name),
    keyValues: Object.fromEntries(env.filter((v) => !isHost(v)).map(({ name, value }) => [name, value ?? ''])),
  };
}
