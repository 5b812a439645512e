import { describe, expect, it } from '@jest/globals';
import { TypeUrl } from '@seine/envoy';
import type { ConfigObject } from '@seine/k8s';
import { aProxy } from '@seine/testing';
import { proxyDiagnostics } from './compiler.js';
import { MeshUnderTest } from './testing/mesh-under-test.js';

const plugin = (name: string, spec: object): ConfigObject => ({
  apiVersion: 'extensions.istio.io/v1alpha1',
  kind: 'WasmPlugin',
  metadata: { name, namespace: 'default' },
  spec: { url: 'https://example.com/a.wasm', sha256: 'a'.repeat(64), ...spec },
});

const world = new MeshUnderTest([
  plugin('closed', {}),
  plugin('open', { failStrategy: 'FAIL_OPEN' }),
  plugin('other', { selector: { matchLabels: { app: 'other' } } }),
]);
const extensionsOf = (proxy: ReturnType<typeof aProxy>) =>
  (world.views(Object.freeze(proxy)).get(TypeUrl.extension) ?? []).flatMap((set) => [...set]);
const prefix = 'extensions.istio.io/wasmplugin/default';

describe('extensions of a proxy', () => {
  it('are one resource each, shared by all proxies that run them', () => {
    const [one, two] = [extensionsOf(aProxy({ name: 'a' })), extensionsOf(aProxy({ name: 'b' }))];
    expect(one.map(({ name }) => name).sort()).toEqual([`${prefix}.closed`, `${prefix}.open`]);
    expect(two).toHaveLength(2);
    for (const resource of two) expect(one).toContain(resource);
  });

  it('are no view where there are none', () => {
    const proxy = Object.freeze(aProxy({ namespace: 'elsewhere' }));
    expect(world.views(proxy).has(TypeUrl.extension)).toBe(false);
  });

  it('are left out, or refuse, where an Envoy has no runtime, and that is said', () => {
    const proxy = Object.freeze(aProxy({ lacksWasm: true }));
    expect(extensionsOf(proxy).map(({ name }) => name)).toEqual([`${prefix}.closed`]);
    expect(
      proxyDiagnostics(world.mesh, proxy).map(({ code, object, message }) => [code, object?.name, message]),
    ).toEqual([
      ['SEINE-WASM-RUNTIME', 'closed', expect.stringMatching(/no runtime for WebAssembly: requests are refused there/)],
      ['SEINE-WASM-RUNTIME', 'open', expect.stringMatching(/no runtime for WebAssembly: it is left out there/)],
    ]);
    expect(proxyDiagnostics(world.mesh, Object.freeze(aProxy()))).toEqual([]);
  });
});
