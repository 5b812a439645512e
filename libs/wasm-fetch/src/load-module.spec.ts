import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadModule, type ModuleRequest } from './load-module.js';
import { RegistryServer } from './testing/registry-server.js';
import { tarOf } from './testing/tar.js';

const registry = new RegistryServer();
const module = Buffer.concat([Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), Buffer.alloc(2000, 'x')]);
const sha256 = createHash('sha256').update(module).digest('hex');
const compat = 'application/vnd.oci.image.layer.v1.tar+gzip';
const artifact = 'application/vnd.module.wasm.content.layer.v1+wasm';
const io = { fetch: globalThis.fetch, readFile: (file: string) => fs.readFile(file) };

beforeAll(() => registry.listen());
afterAll(() => registry.close());
beforeEach(() => {
  registry.asked.length = 0;
  registry.broken = undefined;
  registry.user = undefined;
  registry.basic = false;
  registry.files.clear();
});

const load = (url: string, more: Partial<ModuleRequest> = {}) =>
  loadModule(io, { url, sha256: '', dockerConfig: '', ...more });
const loaded = { kind: 'module', bytes: module, sha256 };

describe('an image', () => {
  it.each([
    ['an artifact whose layer is the module', artifact, module],
    [
      'an image with plugin.wasm in its layer',
      compat,
      gzipSync(tarOf({ 'etc/x': Buffer.from('x'), 'plugin.wasm': module })),
    ],
    [
      'an image whose layer is not compressed',
      'application/vnd.oci.image.layer.v1.tar',
      tarOf({ './plugin.wasm': module }),
    ],
    [
      'an image of Docker’s',
      'application/vnd.docker.image.rootfs.diff.tar.gzip',
      gzipSync(tarOf({ 'plugin.wasm': module })),
    ],
  ])('may be %s', async (_what, mediaType, bytes) => {
    registry.push('team/filter', 'v1', [
      { mediaType: 'application/octet-stream', bytes: Buffer.from('config') },
      { mediaType, bytes },
    ]);
    expect(await load(`oci://${registry.host}/team/filter:v1`)).toEqual(loaded);
    // Without a scheme it is an image too.
    expect(await load(`${registry.host}/team/filter:v1`)).toEqual(loaded);
  });

  it('may be named by its digest, and stand in an index', async () => {
    const digest = registry.push('team/filter', 'v2', [{ mediaType: artifact, bytes: module }]);
    const index = registry.pushIndex('team/filter', 'multi', digest);
    expect(await load(`oci://${registry.host}/team/filter@sha256:${digest}`)).toEqual(loaded);
    expect(await load(`oci://${registry.host}/team/filter:multi`, { sha256: index })).toEqual(loaded);
  });

  it.each([
    ['a token', false],
    ['Basic', true],
  ])('is pulled with the credentials of a Secret, by %s', async (_what, basic) => {
    registry.push('team/filter', 'v1', [{ mediaType: artifact, bytes: module }]);
    registry.user = { name: 'anna', password: 'secret' };
    registry.basic = basic;
    const url = `oci://${registry.host}/team/filter:v1`;
    const auth = Buffer.from('anna:secret').toString('base64');
    const config = (entry: object) => JSON.stringify({ auths: { [`http://${registry.host}/v1/`]: entry } });
    expect(await load(url, { dockerConfig: config({ auth }) })).toEqual(loaded);
    expect(await load(url, { dockerConfig: config({ username: 'anna', password: 'secret' }) })).toEqual(loaded);
    await expect(load(url)).rejects.toThrow(
      basic ? 'does not let anybody read team/filter' : /token .*: HTTP status 401/,
    );
    await expect(load(url, { dockerConfig: config({ username: 'ben', password: '' }) })).rejects.toThrow();
  });

  it('is refused when its content is not what its digest says', async () => {
    const bytes = gzipSync(tarOf({ 'plugin.wasm': module, other: Buffer.from('spoilt') }));
    registry.push('team/filter', 'v3', [{ mediaType: compat, bytes }]);
    registry.spoil(bytes);
    await expect(load(`oci://${registry.host}/team/filter:v3`)).rejects.toThrow('has another content');
  });

  it.each([
    ['no such tag', 'team/filter:v9', /manifest v9 of 127\.0\.0\.1:\d+\/team\/filter: HTTP status 404/],
    ['a wrong name', 'Team/filter:v1', 'is not the address of an image: "Team/filter" is no repository'],
    ['a wrong tag', 'team/filter:a b', '"a b" is no tag'],
    ['a wrong digest', 'team/filter@sha256:12', '"sha256:12" is no SHA-256 digest'],
  ])('with %s gives a sentence', async (_what, address, message) => {
    await expect(load(`oci://${registry.host}/${address}`)).rejects.toThrow(message);
  });

  it('must hold a module', async () => {
    registry.push('team/other', 'v1', [
      { mediaType: compat, bytes: gzipSync(tarOf({ 'plugin.wasm': Buffer.from('no') })) },
    ]);
    await expect(load(`oci://${registry.host}/team/other:v1`)).rejects.toThrow('there is no WebAssembly module in it');
  });
});

describe('a file of a web server', () => {
  it.each([
    ['the module', module],
    ['packed by gzip', gzipSync(module)],
    ['in an archive', tarOf({ 'a.wasm': module })],
    ['in a packed archive', gzipSync(tarOf({ 'a.wasm': module }))],
  ])('may be %s', async (_what, bytes) => {
    registry.files.set('a', bytes);
    expect(await load(`http://${registry.host}/files/a`)).toEqual(loaded);
    const whole = createHash('sha256').update(bytes).digest('hex');
    for (const right of [sha256, whole])
      expect(await load(`http://${registry.host}/files/a`, { sha256: right })).toEqual(loaded);
  });

  it('must have the checksum', async () => {
    registry.files.set('a', module);
    await expect(load(`http://${registry.host}/files/a`, { sha256: '0'.repeat(64) })).rejects.toThrow(
      `has the checksum ${sha256}, and not ${'0'.repeat(64)}`,
    );
  });

  it('must be there', async () => {
    await expect(load(`http://${registry.host}/files/none`)).rejects.toThrow('HTTP status 404');
    registry.broken = 503;
    await expect(load(`http://${registry.host}/files/a`)).rejects.toThrow('HTTP status 503');
    await expect(load('http://127.0.0.1:1/a')).rejects.toThrow('http://127.0.0.1:1 does not answer');
  });
});

describe('a local file', () => {
  it('is read here, or else the proxy’s', async () => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'seine-wasm-'));
    try {
      await fs.writeFile(path.join(folder, 'a.wasm'), module);
      expect(await load(`file://${folder}/a.wasm`)).toEqual(loaded);
      expect(await load(`file://${folder}/b.wasm`)).toEqual({ kind: 'proxy-file', path: `${folder}/b.wasm` });
      await expect(load(`file://${folder}`)).rejects.toThrow('cannot be read');
    } finally {
      await fs.rm(folder, { recursive: true });
    }
  });
});
