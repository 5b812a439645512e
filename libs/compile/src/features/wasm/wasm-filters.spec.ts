import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { TypedExtensionConfigSchema } from '@seine/envoy/envoy/config/core/v3/extension_pb.js';
import type { WasmPlugin, WasmPluginSpec } from '@seine/istio';
import type { WasmModule } from '@seine/model';
import { emitExtensionConfig } from './wasm-filters.js';

function configOf(spec: Partial<WasmPluginSpec>, module: WasmModule): unknown {
  const resource = {
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'WasmPlugin',
    metadata: { name: 'check', namespace: 'default' },
    spec: { url: 'oci://example.com/check:v1', ...spec },
  } as WasmPlugin;
  const config = emitExtensionConfig({ resource, module });
  return config && toEnvoyJson(TypedExtensionConfigSchema, config);
}

const name = 'extensions.istio.io/wasmplugin/default.check';
const missing: WasmModule = { state: 'missing', reason: 'it is away' };
const bytes = Buffer.from('module');

describe('emitExtensionConfig', () => {
  it('carries the module that pilot holds', () => {
    const code = { local: { inline_bytes: bytes.toString('base64') } };
    expect(configOf({}, { state: 'ready', sha256: 'ab', bytes })).toMatchObject({
      name,
      typed_config: { config: { vm_config: { code }, failure_policy: 'FAIL_CLOSED' } },
    });
  });

  it('names the file that lies at the proxy', () => {
    expect(configOf({}, { state: 'proxy-file', path: '/opt/a.wasm' })).toMatchObject({
      typed_config: { config: { vm_config: { code: { local: { filename: '/opt/a.wasm' } } } } },
    });
  });

  it.each<[Partial<WasmPluginSpec>, object | undefined]>([
    [{}, { name, typed_config: { abort: { http_status: 503 } } }],
    [{ failStrategy: 'FAIL_RELOAD' }, { name, typed_config: { abort: { http_status: 503 } } }],
    [{ type: 'NETWORK' }, { name, typed_config: { rules: {}, stat_prefix: 'default.check.' } }],
    [{ failStrategy: 'FAIL_OPEN' }, undefined],
    [{ failStrategy: 'FAIL_OPEN', type: 'NETWORK' }, undefined],
  ])('without a module, of %j, is %j', (spec, expected) => {
    const config = configOf(spec, missing);
    if (expected) expect(config).toMatchObject(expected);
    else expect(config).toBeUndefined();
  });
});
