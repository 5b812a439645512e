import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { FileSource } from '@seine/source-file';
import { MemoryStore } from '@seine/store-memory';
import { type ObjectId, RegistryService } from './registry.service.js';
import { StateDirectory } from './state-directory.js';

const group = 'networking.istio.io';

function virtualService(name: string, host: string, more: object = {}): ConfigObject {
  return {
    apiVersion: `${group}/v1`,
    kind: 'VirtualService',
    metadata: { name, namespace: 'default', ...more },
    spec: { hosts: [host], http: [{ route: [{ destination: { host } }] }] },
  };
}
const id = (name: string): ObjectId => ({ group, kind: 'VirtualService', namespace: 'default', name });
const yaml = (name: string, host: string) => JSON.stringify(virtualService(name, host));

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const limit = Date.now() + 4000;
  while (!(await condition()) && Date.now() < limit) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(await condition()).toBe(true);
}

describe('RegistryService', () => {
  let root: string;
  let store: MemoryStore;
  let registry: RegistryService;
  const errors: unknown[] = [];
  const file = (name: string) => path.join(root, 'config', name);
  const hostOf = (name: string) => (registry.get(id(name))?.object.spec as { hosts: string[] } | undefined)?.hosts[0];
  const storedHosts = async () =>
    Object.fromEntries(
      [...(await store.snapshot()).objects.values()].map((object) => [
        object.metadata.name,
        (object.spec as { hosts: string[] }).hosts[0],
      ]),
    );
  const start = async (fresh = false) => {
    store = new MemoryStore();
    registry = new RegistryService({
      store,
      sources: [new FileSource({ path: path.join(root, 'config') })],
      state: new StateDirectory(path.join(root, 'state')),
      onError: (error) => errors.push(error),
    });
    await registry.start({ fresh });
  };
  const restart = async (fresh = false) => {
    await registry.stop();
    await start(fresh);
  };

  beforeEach(async () => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-registry-'));
    fs.mkdirSync(path.join(root, 'config'));
    fs.writeFileSync(file('a.yaml'), `${yaml('in-file', 'one')}\n---\n${yaml('other', 'two')}\n`);
    await start();
  });
  afterEach(async () => {
    await registry.stop();
    fs.rmSync(root, { recursive: true });
    expect(errors.splice(0)).toEqual([]);
  });

  it('fills the store from files before it calls it filled', async () => {
    expect(await store.synced()).toBe(true);
    expect(await storedHosts()).toEqual({ 'in-file': 'one', other: 'two' });
  });

  it('hands on what a file changes', async () => {
    fs.writeFileSync(file('a.yaml'), `${yaml('in-file', 'edited')}\n---\n${yaml('other', 'two')}\n`);
    await until(async () => (await storedHosts())['in-file'] === 'edited');
  });

  it('applies objects each by itself, and says what became of each', async () => {
    const { revision, results } = await registry.apply([
      virtualService('new', 'x'),
      'not an object',
      { kind: 'VirtualService' },
      virtualService('in-file', 'one'),
      virtualService('other', 'changed'),
    ]);
    expect(results.map(({ result }) => result)).toEqual(['created', 'rejected', 'rejected', 'unchanged', 'configured']);
    expect(results[1]?.diagnostics).toMatchObject([{ severity: 'error', code: 'SEINE-OBJECT' }]);
    expect(results[4]?.note).toContain(`from apply is in force and hides the version from ${file('a.yaml')}`);
    expect((await store.snapshot()).revision).toBe(revision);
    expect(await storedHosts()).toEqual({ new: 'x', 'in-file': 'one', other: 'changed' });
    expect(registry.get(id('other'))).toMatchObject({ origin: 'applied', shadowed: [`file:${file('a.yaml')}`] });
    expect(registry.diagnostics().map(({ code }) => code)).toContain('SEINE-SHADOWED');
  });

  it('says of Gateway API objects what came of them', async () => {
    const route = (backend: string): ConfigObject => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'shop', namespace: 'default' },
      spec: {
        parentRefs: [{ group: '', kind: 'Service', name: 'web' }],
        rules: [{ backendRefs: [{ name: backend, port: 80 }] }],
      },
    });
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } };
    interface Status {
      readonly parents: readonly {
        readonly conditions: readonly { type: string; status: string; lastTransitionTime: string }[];
      }[];
    }
    const told = () => {
      const [entry] = registry.withStatus(registry.list('HTTPRoute'));
      const [parent] = (entry?.object['status'] as Status).parents;
      return { object: entry?.object, conditions: parent?.conditions ?? [] };
    };
    const statuses = () => told().conditions.map(({ type, status }) => `${type} ${status}`);
    const applied = await registry.apply([route('lost'), service]);
    expect(applied.results[0]?.diagnostics).toMatchObject([{ code: 'SEINE-GATEWAY-API', path: 'spec.rules' }]);
    expect(statuses()).toEqual(['Accepted True', 'ResolvedRefs False']);
    const [accepted] = told().conditions;
    expect((await registry.apply([route('web')])).results[0]?.diagnostics).toEqual([]);
    expect(statuses()).toEqual(['Accepted True', 'ResolvedRefs True']);
    expect(told().conditions[0]).toEqual(accepted);
    const { results } = await registry.apply([told().object]);
    expect(results[0]?.result).toBe('unchanged');
    expect(registry.list('HTTPRoute')[0]?.object).not.toHaveProperty('status');
  });

  it('says of old security objects what they act as today', async () => {
    const policy: ConfigObject = {
      apiVersion: 'authentication.istio.io/v1alpha1',
      kind: 'Policy',
      metadata: { name: 'tls', namespace: 'default' },
      spec: { targets: [{ name: 'web' }], peers: [{ mtls: {} }] },
    };
    const applied = await registry.apply([policy]);
    expect(applied.results[0]?.diagnostics).toMatchObject([
      { code: 'SEINE-LEGACY-SECURITY', path: 'spec.targets[0].name' },
    ]);
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' } },
    };
    await registry.apply([service]);
    const [entry] = registry.withStatus(registry.list('Policy'));
    expect(entry?.object['status']).toEqual({
      actsAs: [
        {
          apiVersion: 'security.istio.io/v1',
          kind: 'PeerAuthentication',
          metadata: { name: 'tls-web', namespace: 'default' },
          spec: { selector: { matchLabels: { app: 'web' } }, mtls: { mode: 'STRICT' } },
        },
      ],
    });
    const { results } = await registry.apply([entry?.object]);
    expect(results.map(({ result, diagnostics }) => [result, diagnostics])).toEqual([['unchanged', []]]);
  });

  it('stores nothing in a dry run', async () => {
    const before = (await store.snapshot()).revision;
    const { revision, results } = await registry.apply([virtualService('new', 'x')], true);
    expect([revision, results[0]?.result]).toEqual([before, 'created']);
    expect(registry.get(id('new'))).toBeUndefined();
    expect(fs.readdirSync(path.join(root, 'state'))).toEqual([]);
  });

  it('stamps a new object with its time, and keeps that over later applies and restarts', async () => {
    const created = () => registry.get(id('new'))?.object.metadata.creationTimestamp;
    await registry.apply([virtualService('new', 'x')]);
    const first = created();
    expect(first).toMatch(/^\d{4}-\d\d-\d\dT/);
    const later = virtualService('new', 'y', { creationTimestamp: '2001-01-01T00:00:00Z' });
    expect((await registry.apply([later])).results[0]?.result).toBe('configured');
    expect(created()).toBe(first);
    expect((await registry.apply([virtualService('new', 'y')])).results[0]?.result).toBe('unchanged');
    await restart();
    expect([created(), hostOf('new')]).toEqual([first, 'y']);
  });

  it('warns of references to what is not there', async () => {
    const { results } = await registry.apply([virtualService('new', 'nowhere')]);
    expect(results[0]).toMatchObject({ result: 'created', diagnostics: [{ code: 'IST0101', severity: 'warning' }] });
  });

  it('tells whoever applies a rule what mixer will not do of it', async () => {
    const rule = {
      apiVersion: 'config.istio.io/v1alpha2',
      kind: 'rule',
      metadata: { name: 'deny', namespace: 'default' },
      spec: { match: 'request.method', actions: [{ handler: 'deny', instances: ['nothing'] }] },
    };
    const { results } = await registry.apply([rule]);
    expect(results[0]).toMatchObject({
      result: 'created',
      diagnostics: [{ code: 'SEINE-MIXER', severity: 'error', path: 'spec.match' }],
    });
  });

  it.each<[string, string, string]>([
    ['new', 'deleted', ''],
    ['in-file', 'restored', 'is in force again'],
    ['other', 'in_file', 'edit that file'],
    ['nobody', 'not_found', ''],
  ])('deletes %s: %s', async (name, result, note) => {
    await registry.apply([virtualService('new', 'x'), virtualService('in-file', 'applied')]);
    const { results } = await registry.delete([id(name)]);
    expect(results).toMatchObject([{ result, note: expect.stringContaining(note) }]);
    const hosts = { new: 'x', 'in-file': 'applied', other: 'two' };
    const after: Readonly<Record<string, object>> = {
      deleted: { 'in-file': 'applied', other: 'two' },
      restored: { ...hosts, 'in-file': 'one' },
    };
    expect(await storedHosts()).toEqual(after[result] ?? hosts);
    await restart();
    expect(await storedHosts()).toEqual(after[result] ?? hosts);
  });

  it('lets the later of apply and edit win', async () => {
    await registry.apply([virtualService('in-file', 'applied')]);
    expect(hostOf('in-file')).toBe('applied');
    fs.writeFileSync(file('a.yaml'), yaml('in-file', 'edited'));
    await until(() => hostOf('in-file') === 'edited');
    expect(registry.get(id('in-file'))?.shadowed).toEqual(['applied']);
    expect((await registry.apply([virtualService('in-file', 'applied')])).results[0]?.result).toBe('configured');
    expect(hostOf('in-file')).toBe('applied');
  });

  it('keeps an applied object in force over a restart when only another part of the file was edited', async () => {
    await registry.apply([virtualService('in-file', 'applied')]);
    fs.writeFileSync(file('a.yaml'), `${yaml('in-file', 'one')}\n---\n${yaml('other', 'edited')}\n`);
    await until(() => hostOf('other') === 'edited');
    await registry.stop();
    const future = new Date(Date.now() + 60_000);
    fs.utimesSync(file('a.yaml'), future, future);
    await start();
    expect([hostOf('in-file'), hostOf('other')]).toEqual(['applied', 'edited']);
    await registry.stop();
    fs.writeFileSync(file('a.yaml'), yaml('in-file', 'edited'));
    fs.utimesSync(file('a.yaml'), future, future);
    await start();
    expect(hostOf('in-file')).toBe('edited');
  });

  it('forgets what was applied when it starts fresh', async () => {
    await registry.apply([virtualService('new', 'x')]);
    await restart(true);
    expect(await storedHosts()).toEqual({ 'in-file': 'one', other: 'two' });
    await restart();
    expect(registry.get(id('new'))).toBeUndefined();
  });

  it('lists by kind and namespace, in order', async () => {
    await registry.apply([
      virtualService('z', 'x', { namespace: 'a' }),
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } },
    ]);
    const names = (...filter: [string?, string?]) => registry.list(...filter).map(({ object }) => object.metadata.name);
    expect(names()).toEqual(['s', 'z', 'in-file', 'other']);
    expect(names('virtualservice')).toEqual(['z', 'in-file', 'other']);
    expect(names('', 'a')).toEqual(['z']);
    expect(names('Gateway')).toEqual([]);
  });

  it('answers applies that come at once in order', async () => {
    const applies = ['a', 'b', 'c'].map((host) => registry.apply([virtualService('new', host)]));
    const outcomes = (await Promise.all(applies)).map(({ results }) => results[0]?.result);
    expect(outcomes).toEqual(['created', 'configured', 'configured']);
    expect(hostOf('new')).toBe('c');
  });

  it('keeps applied objects readable by their owner only, one file each', async () => {
    await registry.apply([virtualService('new', 'x')]);
    const [name] = fs.readdirSync(path.join(root, 'state'));
    expect(name).toBe('networking.istio.io_VirtualService_default_new.yaml');
    expect(fs.statSync(path.join(root, 'state', name!)).mode & 0o777).toBe(0o600);
  });

  it('tells of a broken file in the state directory and keeps the others', async () => {
    await registry.apply([virtualService('new', 'x')]);
    await registry.stop();
    fs.writeFileSync(path.join(root, 'state', 'broken.yaml'), 'kind: [');
    await start();
    expect(hostOf('new')).toBe('x');
    expect(registry.diagnostics()).toMatchObject([
      { code: 'SEINE-YAML', position: { file: path.join(root, 'state', 'broken.yaml') } },
      { code: 'IST0101' },
      { code: 'IST0101' },
      { code: 'IST0101' },
    ]);
  });

  it('refills a store that failed', async () => {
    const write = store.write.bind(store);
    store.write = () => Promise.reject(new Error('the store is away'));
    fs.writeFileSync(file('a.yaml'), yaml('in-file', 'edited'));
    await until(() => errors.length > 0);
    store.write = write;
    await until(async () => (await storedHosts())['in-file'] === 'edited');
    expect(errors.splice(0)).toContainEqual(new Error('the store is away'));
  });

  it('lets those who come early wait for its start', async () => {
    const early = new RegistryService({
      store: new MemoryStore(),
      sources: [],
      onError: (error) => errors.push(error),
    });
    const done: string[] = [];
    const apply = early.apply([virtualService('new', 'x')]).then(() => done.push('applied'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toEqual([]);
    await early.start({ fresh: false });
    await Promise.all([apply, early.whenStarted()]);
    expect(early.list()).toHaveLength(1);
  });

  it('does not start on a config folder that is not there', async () => {
    const nowhere = new RegistryService({
      store: new MemoryStore(),
      sources: [new FileSource({ path: path.join(root, 'nowhere') })],
      onError: (error) => errors.push(error),
    });
    await expect(nowhere.start({ fresh: false })).rejects.toThrow('does not exist');
  });
});
