import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type ConfigObject, objectKey } from '@seine/k8s';
import type { WasmModule } from '@seine/model';
import { RegistryServer } from './testing/registry-server.js';
import { WasmModules } from './wasm-modules.js';

const registry = new RegistryServer();
const magic = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const moduleOf = (text: string) => Buffer.concat([magic, Buffer.from(text)]);
const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const artifact = 'application/vnd.module.wasm.content.layer.v1+wasm';
const ready = (text: string): WasmModule => ({ state: 'ready', sha256: hash(moduleOf(text)), bytes: moduleOf(text) });

function plugin(name: string, spec: object, kind = 'WasmPlugin'): ConfigObject {
  return {
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind,
    metadata: { name, namespace: 'default' },
    spec: kind === 'WasmPlugin' ? spec : { wasm: spec },
  };
}

/** The resources of a mesh. */
function meshOf(...objects: readonly ConfigObject[]): ReadonlyMap<string, readonly ConfigObject[]> {
  const byKind = new Map<string, ConfigObject[]>();
  for (const object of objects) byKind.set(object.kind, [...(byKind.get(object.kind) ?? []), object]);
  return byKind;
}

/** Timers that a test lets run, with how long they were to wait. */
const timers: { run: () => void; milliseconds: number }[] = [];
let changes = 0;
let modules: WasmModules;

beforeAll(() => registry.listen());
afterAll(() => registry.close());
beforeEach(() => {
  registry.asked.length = 0;
  registry.broken = undefined;
  registry.files.clear();
  timers.length = 0;
  changes = 0;
  modules = new WasmModules({
    fetch: globalThis.fetch,
    readFile: () => Promise.reject(Object.assign(new Error('none'), { code: 'ENOENT' })),
    later: (run, milliseconds) => {
      const timer = { run, milliseconds };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    onChange: () => changes++,
  });
});
afterEach(() => modules.stop());

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** What `follow` gives when nothing is being fetched any more. */
async function settled(mesh: ReadonlyMap<string, readonly ConfigObject[]>) {
  const before = changes;
  modules.follow(mesh);
  if (modules.isLoading) await until(() => changes > before && !modules.isLoading);
  return modules.follow(mesh);
}

const url = (name: string) => `http://${registry.host}/files/${name}`;

describe('WasmModules', () => {
  it('fetches what resources of both kinds want, each address once', async () => {
    registry.files.set('a', moduleOf('a'));
    const [one, two] = [plugin('one', { url: url('a') }), plugin('two', { url: url('a') }, 'TrafficExtension')];
    const mesh = meshOf(one, two);
    expect(modules.follow(mesh).get(objectKey(one))).toEqual({
      state: 'missing',
      reason: 'the module is not fetched yet',
    });
    const found = await settled(mesh);
    expect(found.get(objectKey(one))).toEqual(ready('a'));
    expect(found.get(objectKey(two))).toEqual(ready('a'));
    expect(registry.asked).toEqual(['GET /files/a']);
    expect(modules.follow(mesh)).toBe(found);
    expect(modules.status().map(({ kind, name, state }) => [kind, name, state])).toEqual([
      ['WasmPlugin', 'one', 'ready'],
      ['TrafficExtension', 'two', 'ready'],
    ]);
  });

  it('tries again what fails, with growing pauses, and says why', async () => {
    const one = plugin('one', { url: url('a') });
    const mesh = meshOf(one, plugin('lua', {}, 'Telemetry'));
    registry.broken = 503;
    const failed = await settled(mesh);
    const reason = `the module cannot be fetched: ${url('a')}: HTTP status 503`;
    expect(failed.get(objectKey(one))).toEqual({ state: 'missing', reason });
    expect(modules.diagnostics()).toMatchObject([
      { code: 'SEINE-WASM-FETCH', object: { kind: 'WasmPlugin', name: 'one' }, path: 'spec.url' },
    ]);
    const pauses: number[] = [];
    for (let i = 0; i < 11; i++) {
      const [timer] = timers.splice(0);
      pauses.push(timer!.milliseconds);
      const before = changes;
      timer!.run();
      await until(() => changes > before);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((s) => s * 1000));
    // The same failure is no change.
    expect(modules.follow(mesh)).toBe(failed);
    registry.broken = undefined;
    registry.files.set('a', moduleOf('a'));
    const before = changes;
    timers.splice(0)[0]!.run();
    await until(() => changes > before);
    expect(modules.follow(mesh).get(objectKey(one))).toEqual(ready('a'));
    expect(modules.diagnostics()).toEqual([]);
  });

  it('keeps the module in force while its successor cannot be had', async () => {
    registry.files.set('a', moduleOf('a'));
    const old = plugin('one', { url: url('a') });
    const first = (await settled(meshOf(old))).get(objectKey(old));
    const next = meshOf(plugin('one', { url: url('b') }));
    expect(modules.follow(next).get(objectKey(old))).toBe(first);
    expect((await settled(next)).get(objectKey(old))).toBe(first);
    expect(modules.status()).toMatchObject([{ state: 'failed', sha256: hash(moduleOf('a')), tries: 1 }]);
    expect(modules.diagnostics()[0]?.message).toContain('The one before it stays in force.');
    registry.files.set('b', moduleOf('b'));
    const before = changes;
    timers.find(({ milliseconds }) => milliseconds === 1000)!.run();
    await until(() => changes > before);
    expect(modules.follow(next).get(objectKey(old))).toEqual(ready('b'));
  });

  it('forgets modules that nothing wants any more', async () => {
    registry.files.set('a', moduleOf('a'));
    const mesh = meshOf(plugin('one', { url: url('a') }));
    await settled(mesh);
    expect(modules.follow(meshOf()).size).toBe(0);
    expect(modules.follow(mesh).size).toBe(1);
    expect(modules.isLoading).toBe(true);
  });

  it.each([
    ['latest, as it may be another one', 'filter:latest', undefined, 2],
    ['without a tag', 'filter', undefined, 2],
    ['of a tag', 'filter:v1', undefined, 1],
    ['of a tag, with Always', 'filter:v1', 'Always', 2],
    ['latest, with IfNotPresent', 'filter:latest', 'IfNotPresent', 1],
  ])('pulls an image %s when its resource changes: %s %s', async (_what, image, imagePullPolicy, pulls) => {
    for (const tag of ['latest', 'v1']) registry.push('filter', tag, [{ mediaType: artifact, bytes: moduleOf('a') }]);
    const spec = (realm: string) => ({
      url: `oci://${registry.host}/${image}`,
      imagePullPolicy,
      pluginConfig: { realm },
    });
    const one = plugin('one', spec('a'));
    expect((await settled(meshOf(one))).get(objectKey(one))).toEqual(ready('a'));
    expect((await settled(meshOf(plugin('one', spec('b'))))).get(objectKey(one))).toEqual(ready('a'));
    expect(registry.asked.filter((line) => line.includes('/manifests/'))).toHaveLength(pulls);
  });

  it('uses the imagePullSecret of the resource’s namespace', async () => {
    registry.push('filter', 'v1', [{ mediaType: artifact, bytes: moduleOf('a') }]);
    registry.user = { name: 'anna', password: 'secret' };
    const auths = { [registry.host]: { username: 'anna', password: 'secret' } };
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/dockerconfigjson',
      metadata: { name: 'reg-cred', namespace: 'default' },
      data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
    } as ConfigObject;
    const one = plugin('one', { url: `oci://${registry.host}/filter:v1`, imagePullSecret: 'reg-cred' });
    try {
      expect((await settled(meshOf(one))).get(objectKey(one))?.state).toBe('missing');
      // The Secret comes: that is another download.
      expect((await settled(meshOf(one, secret))).get(objectKey(one))).toEqual(ready('a'));
    } finally {
      registry.user = undefined;
    }
  });

  it('leaves a file that is not here to the proxy', async () => {
    const one = plugin('one', { url: 'file:///opt/filters/a.wasm' });
    expect((await settled(meshOf(one))).get(objectKey(one))).toEqual({
      state: 'proxy-file',
      path: '/opt/filters/a.wasm',
    });
  });
});
