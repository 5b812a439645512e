import { afterEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { FakeState, runWorkload } from '../testing/fake-state.js';
import { configApiUrl, parseAddress, pilotAdminUrl } from './addresses.js';
import { findWorkload } from './find-workload.js';
import { readRunFile, stateDir } from './run-file.js';
import { FakeIo } from '../testing/fake-io.js';

let state: FakeState | undefined;
afterEach(async () => {
  await state?.remove();
  state = undefined;
});

describe('stateDir', () => {
  it.each([
    ['the flag', '/flag', { SEINE_STATE: '/env' }, '/flag'],
    ['a relative flag', 'here', {}, '/cwd/here'],
    ['SEINE_STATE', undefined, { SEINE_STATE: '/env', XDG_STATE_HOME: '/xdg' }, '/env'],
    ['XDG_STATE_HOME', undefined, { XDG_STATE_HOME: '/xdg', HOME: '/home/u' }, '/xdg/seine'],
    ['HOME', undefined, { HOME: '/home/u' }, '/home/u/.local/state/seine'],
  ])('%s', (_case, flag, env, dir) => {
    expect(stateDir(flag, { env, cwd: '/cwd' })).toBe(dir);
  });
});

describe('readRunFile', () => {
  const gone = spawnSync(process.execPath, ['-e', '0']).pid;
  it.each<[string, string | undefined, RegExp]>([
    ['no file', undefined, /^no mesh is running: start one with npm start$/],
    ['a process that has ended', JSON.stringify({ pid: gone, urls: {}, workloads: [] }), /^no mesh is running/],
    ['half a file', '{"pid": 1', /run\.json is not JSON/],
    ['something else', '[]', /run\.json is not a run file/],
    ['a pid that would signal a group', '{"pid": 0, "urls": {}, "workloads": []}', /is not a run file/],
  ])('%s', async (_case, text, message) => {
    state = await FakeState.create(text);
    await expect(readRunFile(state.dir)).rejects.toThrow(message);
  });

  it('reads what a live mesh wrote', async () => {
    state = await FakeState.create({ workloads: [runWorkload({})] });
    expect((await readRunFile(state.dir)).workloads).toEqual([runWorkload({})]);
  });
});

describe('findWorkload', () => {
  const all = [
    runWorkload({ name: 'reviews-v1' }),
    runWorkload({ name: 'reviews-v2' }),
    runWorkload({ name: 'reviews-v1', namespace: 'other' }),
    runWorkload({ name: 'ratings-v1-7d4f' }),
  ];
  it.each([
    ['reviews-v2', 'reviews-v2.default'],
    ['reviews-v1.other', 'reviews-v1.other'],
    ['ratings', 'ratings-v1-7d4f.default'],
    ['ratings-v1.default', 'ratings-v1-7d4f.default'],
  ])('%s is %s', (reference, found) => {
    const { name, namespace } = findWorkload(all, reference);
    expect(`${name}.${namespace}`).toBe(found);
  });

  it.each([
    ['reviews-v1', 'reviews-v1 means several workloads; there are reviews-v1.default, reviews-v1.other'],
    ['details', /^there is no workload details; there are ratings-v1-7d4f\.default, reviews-v1\.default, /],
  ])('%s is refused', (reference, message) => {
    expect(() => findWorkload(all, reference)).toThrow(message);
  });
});

describe('addresses', () => {
  it.each([
    ['127.0.0.1:15019', 'http://127.0.0.1:15019'],
    ['http://localhost:1/', 'http://localhost:1'],
    ['[::1]:15019', 'http://[::1]:15019'],
  ])('%s', (text, url) => {
    expect(parseAddress(text, '--config-api')).toBe(url);
  });

  it.each(['', 'localhost', 'http://localhost', ':1', 'a b:1'])('refuses %j', (text) => {
    expect(() => parseAddress(text, '--config-api')).toThrow(/^--config-api: /);
  });

  it('takes the flag before the environment before the run file', async () => {
    const io = new FakeIo();
    state = await FakeState.create({ urls: { configApi: 'http://127.0.0.1:3' } });
    const flags = { state: state.dir };
    expect(await configApiUrl(flags, io)).toBe('http://127.0.0.1:3');
    io.env['SEINE_CONFIG_API'] = '127.0.0.1:2';
    expect(await configApiUrl(flags, io)).toBe('http://127.0.0.1:2');
    expect(await configApiUrl({ ...flags, configApi: '127.0.0.1:1' }, io)).toBe('http://127.0.0.1:1');
    await expect(pilotAdminUrl(flags, io)).rejects.toThrow('does not say where its pilotAdmin is: give --pilot-admin');
  });
});
