import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ConfigObject, objectKey } from '@seine/k8s';
import type { Mesh } from '@seine/model';
import type { MeshVersion } from '@seine/pipeline';
import { WasmModules } from '@seine/wasm-fetch';
import { MeshModules } from './mesh-modules.js';

const plugin = {
  apiVersion: 'extensions.istio.io/v1alpha1',
  kind: 'WasmPlugin',
  metadata: { name: 'check', namespace: 'default' },
  spec: { url: 'http://modules.test/check.wasm' },
} as ConfigObject;
const wasm = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

function version(revision: number, ...plugins: readonly ConfigObject[]): MeshVersion {
  const mesh = { resources: new Map([['WasmPlugin', plugins]]) } as unknown as Mesh;
  return { mesh, revision, diagnostics: [] };
}

const served: MeshVersion[] = [];
const timers: { readonly run: () => void; readonly milliseconds: number }[] = [];
let answer: (response: Response) => void = () => undefined;
let modules: MeshModules;

beforeEach(() => {
  served.length = 0;
  timers.length = 0;
  const later = (run: () => void, milliseconds: number) => {
    timers.push({ run, milliseconds });
    return () => undefined;
  };
  modules = new MeshModules({
    modules: (onChange) =>
      new WasmModules({
        fetch: () => new Promise<Response>((resolve) => (answer = resolve)),
        readFile: () => Promise.reject(new Error('not asked for')),
        later,
        onChange,
      }),
    serve: (mesh) => served.push(mesh),
    later,
  });
});
afterEach(() => modules.stop());

const moduleIn = ({ mesh }: MeshVersion) => mesh.wasmModules?.get(objectKey(plugin))?.state;
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('MeshModules', () => {
  it('serves a mesh that wants no modules as it is, at once', () => {
    const plain = version(1);
    modules.take(plain);
    expect(served).toEqual([plain]);
    expect(served[0]).toBe(plain);
  });

  it('waits for the modules of the first mesh', async () => {
    modules.take(version(1, plugin));
    expect(served).toEqual([]);
    answer(new Response(wasm));
    await settle();
    expect(served.map(moduleIn)).toEqual(['ready']);
    expect(modules.status()).toMatchObject([{ name: 'check', state: 'ready', bytes: 8 }]);
  });

  it('does not wait for ever', () => {
    modules.take(version(1, plugin));
    modules.take(version(2, plugin));
    expect(served).toEqual([]);
    timers.find(({ milliseconds }) => milliseconds === 15_000)!.run();
    expect(served.map(({ revision }) => revision)).toEqual([2]);
    expect(moduleIn(served[0]!)).toBe('missing');
  });

  it('does not wait with later meshes, and serves them again when a module comes', async () => {
    modules.take(version(1));
    modules.take(version(2, plugin));
    expect(served.map(moduleIn)).toEqual([undefined, 'missing']);
    answer(new Response('nothing here', { status: 500 }));
    await settle();
    expect(served.map(({ revision }) => revision)).toEqual([1, 2, 2]);
    expect(modules.diagnostics()).toMatchObject([{ code: 'SEINE-WASM-FETCH', object: { name: 'check' } }]);
    timers.find(({ milliseconds }) => milliseconds === 1000)!.run();
    await settle();
    answer(new Response(wasm));
    await settle();
    expect(served.map(moduleIn)).toEqual([undefined, 'missing', 'missing', 'ready']);
  });
});
