import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { RegistryServer, tarOf } from '@seine/wasm-fetch/testing';
import { closeConnections, documents, headerModule, istioYaml, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
const url = 'http://reviews:8080/';
const registry = new RegistryServer();
let mesh: TestMesh;

beforeAll(async () => {
  await registry.listen();
  mesh = await TestMesh.start({
    workloads: [
      { name: 'reviews-v1', sidecar: true },
      { name: 'ratings-v1', sidecar: true },
    ],
    config: {
      // A connection keeps the filters it began with; the next test's requests shall meet the next test's.
      rules: documents(
        ...['reviews', 'ratings'].map((host) =>
          istioYaml('DestinationRule', host, {
            host,
            trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } },
          }),
        ),
      ),
    },
  });
});
afterAll(async () => {
  await mesh.stop();
  await registry.close();
});
beforeEach(() => {
  mesh.resetUpstreams();
  registry.broken = undefined;
  closeConnections();
});

interface Modules {
  readonly modules: readonly { readonly name: string; readonly state: string; readonly message?: string }[];
}

const modules = async () => (JSON.parse(await mesh.pilot.admin('/debug/wasm')) as Modules).modules;

/** Puts a WasmPlugin for reviews into force, and waits until its module has been tried. */
async function plugin(name: string, spec: object): Promise<void> {
  const yaml = `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: ${name}, namespace: default }
spec: ${JSON.stringify({ selector: { matchLabels: { app: 'reviews' } }, ...spec })}
`;
  await mesh.apply('wasm', yaml);
  await poll(async () => {
    const [module] = await modules();
    return module?.name === name && module.state !== 'loading';
  }, 'the module to be tried');
  await mesh.untilSynced();
}

/** Header that the module has put on the request that reviews got. */
const seen = async (header: string) => {
  const { status } = await mesh.call(url);
  return status === 200 ? mesh.echo('reviews-v1').seen.at(-1)?.headers[header] : status;
};
/** Waits until a call shows what it should: a module is compiled after Envoy has acknowledged its configuration. */
const untilSeen = (header: string, value: unknown) =>
  poll(async () => (await seen(header)) === value, `${header} to be ${String(value)}`);

const layer = 'application/vnd.oci.image.layer.v1.tar+gzip';
const push = (tag: string, value: string) =>
  registry.push('team/filter', tag, [
    { mediaType: layer, bytes: gzipSync(tarOf({ 'plugin.wasm': headerModule('x-wasm', value) })) },
  ]);

it('runs a module of a registry on requests and responses', async () => {
  push('v1', 'first');
  await plugin('oci', { url: `oci://${registry.host}/team/filter:v1`, phase: 'AUTHN', pluginConfig: { a: [1] } });
  await untilSeen('x-wasm', 'first');
  const reply = await mesh.call(url);
  expect(reply.headers['x-wasm']).toBe('first');
  expect((await mesh.call('http://ratings:8080/')).headers['x-wasm']).toBeUndefined();
  expect(await modules()).toMatchObject([{ name: 'oci', state: 'ready' }]);
});

it('keeps the module while its successor cannot be had, and changes when it comes', async () => {
  push('v1', 'first');
  const spec = (tag: string) => ({ url: `oci://${registry.host}/team/filter:${tag}` });
  await plugin('successor', spec('v1'));
  await untilSeen('x-wasm', 'first');
  await plugin('successor', spec('v2'));
  await poll(async () => (await modules())[0]?.state === 'failed', 'the pull of v2 to fail');
  closeConnections();
  expect(await seen('x-wasm')).toBe('first');
  expect(await mesh.pilot.admin('/debug/diagnostics')).toContain('The one before it stays in force.');
  push('v2', 'second');
  await untilSeen('x-wasm', 'second');
});

it('runs a module from a file', async () => {
  const file = path.join(mesh.folder, 'filter.wasm');
  fs.writeFileSync(file, headerModule('x-wasm', 'from a file'));
  await plugin('file', { url: `file://${file}`, failStrategy: 'FAIL_OPEN' });
  await untilSeen('x-wasm', 'from a file');
});

it('runs a module of a web server whose checksum is right, and refuses requests for another', async () => {
  const module = headerModule('x-wasm', 'checked');
  registry.files.set('filter.wasm', module);
  const at = { url: `http://${registry.host}/files/filter.wasm` };
  await plugin('wrong', { ...at, sha256: '0'.repeat(64) });
  await untilSeen('x-wasm', 503);
  expect(await mesh.pilot.admin('/debug/diagnostics')).toContain('has the checksum');
  expect((await mesh.call('http://ratings:8080/')).status).toBe(200);
  await plugin('right', { ...at, sha256: createHash('sha256').update(module).digest('hex') });
  await untilSeen('x-wasm', 'checked');
});

it('lets requests pass without the module where it may fail open, until it comes', async () => {
  registry.broken = 500;
  await plugin('open', { url: `oci://${registry.host}/team/open:v1`, failStrategy: 'FAIL_OPEN' });
  await untilSeen('x-wasm', undefined);
  registry.push('team/open', 'v1', [
    { mediaType: 'application/vnd.module.wasm.content.layer.v1+wasm', bytes: headerModule('x-wasm', 'late') },
  ]);
  registry.broken = undefined;
  await untilSeen('x-wasm', 'late');
});

it('is refused by no Envoy', async () => {
  for (const envoy of mesh.envoys) expect(await envoy.rejections()).toMatchObject({ count: 0 });
});
