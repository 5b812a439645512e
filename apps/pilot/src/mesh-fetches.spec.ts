import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ConfigObject, objectKey } from '@seine/k8s';
import { JwksKeys } from '@seine/jwks-fetch';
import type { Mesh } from '@seine/model';
import type { MeshVersion } from '@seine/pipeline';
import { WasmModules } from '@seine/wasm-fetch';
import { MeshFetches } from './mesh-fetches.js';

const plugin = {
  apiVersion: 'extensions.istio.io/v1alpha1',
  kind: 'WasmPlugin',
  metadata: { name: 'check', namespace: 'default' },
  spec: { url: 'http://fetches.test/check.wasm' },
} as ConfigObject;
const wasm = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

const policy = {
  apiVersion: 'security.istio.io/v1',
  kind: 'RequestAuthentication',
  metadata: { name: 'tokens', namespace: 'default' },
  spec: { jwtRules: [{ issuer: 'me', jwksUri: 'https://me.test/keys' }] },
} as ConfigObject;

function version(revision: number, ...objects: readonly ConfigObject[]): MeshVersion {
  const kinds = ['WasmPlugin', 'RequestAuthentication'];
  const resources = new Map(kinds.map((kind) => [kind, objects.filter((object) => object.kind === kind)]));
  const mesh = { resources } as unknown as Mesh;
  return { mesh, revision, diagnostics: [] };
}

const served: MeshVersion[] = [];
const timers: { readonly run: () => void; readonly milliseconds: number }[] = [];
let answer: (response: Response) => void = () => undefined;
let answerKeys: (text: string) => void = () => undefined;
let fetches: MeshFetches;

beforeEach(() => {
  served.length = 0;
  timers.length = 0;
  const later = (run: () => void, milliseconds: number) => {
    timers.push({ run, milliseconds });
    return () => undefined;
  };
  fetches = new MeshFetches({
    modules: (onChange) =>
      new WasmModules({
        fetch: () => new Promise<Response>((resolve) => (answer = resolve)),
        readFile: () => Promise.reject(new Error('not asked for')),
        later,
        onChange,
      }),
    keys: (onChange) =>
      new JwksKeys({
        getDocument: () => new Promise<string>((resolve) => (answerKeys = resolve)),
        now: () => 0,
        later,
        onChange,
      }),
    serve: (mesh) => served.push(mesh),
    later,
  });
});
afterEach(() => fetches.stop());

const moduleIn = ({ mesh }: MeshVersion) => mesh.wasmModules?.get(objectKey(plugin))?.state;
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('MeshFetches', () => {
  it('serves a mesh that wants no modules as it is, at once', () => {
    const plain = version(1);
    fetches.take(plain);
    expect(served).toEqual([plain]);
    expect(served[0]).toBe(plain);
  });

  it('waits for the modules of the first mesh', async () => {
    fetches.take(version(1, plugin));
    expect(served).toEqual([]);
    answer(new Response(wasm));
    await settle();
    expect(served.map(moduleIn)).toEqual(['ready']);
    expect(fetches.moduleStatus()).toMatchObject([{ name: 'check', state: 'ready', bytes: 8 }]);
  });

  it('does not wait for ever', () => {
    fetches.take(version(1, plugin));
    fetches.take(version(2, plugin));
    expect(served).toEqual([]);
    timers.find(({ milliseconds }) => milliseconds === 15_000)!.run();
    expect(served.map(({ revision }) => revision)).toEqual([2]);
    expect(moduleIn(served[0]!)).toBe('missing');
  });

  it('does not wait with later meshes, and serves them again when a module comes', async () => {
    fetches.take(version(1));
    fetches.take(version(2, plugin));
    expect(served.map(moduleIn)).toEqual([undefined, 'missing']);
    answer(new Response('nothing here', { status: 500 }));
    await settle();
    expect(served.map(({ revision }) => revision)).toEqual([1, 2, 2]);
    expect(fetches.diagnostics()).toMatchObject([{ code: 'SEINE-WASM-FETCH', object: { name: 'check' } }]);
    timers.find(({ milliseconds }) => milliseconds === 1000)!.run();
    await settle();
    answer(new Response(wasm));
    await settle();
    expect(served.map(moduleIn)).toEqual([undefined, 'missing', 'missing', 'ready']);
  });

  it('waits for the keys of the first mesh too, and serves it again when they are others', async () => {
    fetches.take(version(1, policy));
    expect(served).toEqual([]);
    answerKeys('{"keys":[]}');
    await settle();
    expect(served.map(({ mesh }) => mesh.keySets?.get('https://me.test/keys')?.jwks)).toEqual(['{"keys":[]}']);
    expect(fetches.keyStatus()).toMatchObject([{ state: 'ready', usedBy: ['default/tokens'] }]);
  });

  it('J-11: does not wait for keys that later meshes name', () => {
    fetches.take(version(1));
    fetches.take(version(2, policy));
    fetches.take(version(3, policy));
    expect(served.map(({ revision, mesh }) => [revision, mesh.keySets])).toEqual([
      [1, undefined],
      [2, undefined],
      [3, undefined],
    ]);
  });
});
