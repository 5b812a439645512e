import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import { toAny } from '@seine/envoy';
import type { AsyncDataSourceSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import {
  type EnvironmentVariablesSchema,
  FailurePolicy,
  type PluginConfigSchema,
} from '@seine/envoy/envoy/extensions/wasm/v3/wasm_pb.js';
import type { WasmSettings } from '@seine/istio';
import type { WasmModule } from '@seine/model';
import type { Fragment } from '../../frame/clusters-fragment.js';

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
  const specifier =
    module.state === 'proxy-file'
      ? { case: 'filename' as const, value: module.path }
      : { case: 'inlineBytes' as const, value: module.bytes };
  return { specifier: { case: 'local', value: { specifier } } };
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
