import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ApplyRequest, DeleteOutcome, ListRequest, StoredObjectMessage } from '@seine/api';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../program.js';
import { FakeConfigApi, type Answers } from '../testing/fake-config-api.js';
import { FakeHttp } from '../testing/fake-http.js';
import { FakeIo } from '../testing/fake-io.js';
import { FakeState } from '../testing/fake-state.js';

const group = 'networking.istio.io';
const id = (kind: string, name: string) => ({ group, kind, namespace: 'default', name });

const good = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec: {host: reviews}
`;
const broken = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews
spec: {}
`;

let io: FakeIo;
let scratch: FakeState;
let api: FakeConfigApi | undefined;
let pilot: FakeHttp | undefined;

/** Starts a config API and tells the commands where it is. */
async function serve(answers: Answers): Promise<void> {
  api = new FakeConfigApi(answers);
  io.env['SEINE_CONFIG_API'] = await api.start();
}

async function servePilot(proxies: object[]): Promise<void> {
  pilot = new FakeHttp({ '/debug/syncz?revision=7&wait=2s': JSON.stringify({ revision: 7, proxies }) });
  io.env['SEINE_PILOT_ADMIN'] = `127.0.0.1:${await pilot.start()}`;
}

/** Takes all objects of a request as created. */
const createAll = ({ objects }: ApplyRequest) => ({
  revision: 7,
  results: objects.map((json) => {
    const { kind, metadata } = JSON.parse(json) as { kind: string; metadata: { name: string } };
    return { id: id(kind, metadata.name), result: 'created' as const, note: '', diagnostics: [] };
  }),
});

beforeEach(async () => {
  io = new FakeIo();
  scratch = await FakeState.create();
});
afterEach(async () => {
  api?.stop();
  await pilot?.stop();
  api = pilot = undefined;
  await scratch.remove();
});

async function file(text: string): Promise<string> {
  const name = path.join(scratch.dir, 'config.yaml');
  await writeFile(name, text);
  return name;
}

describe('apply', () => {
  it('applies standard input and prints a line for each object', async () => {
    const asked: ApplyRequest[] = [];
    await serve({ Apply: (request) => (asked.push(request), createAll(request)) });
    io.stdin = good;
    expect([await run(['apply', '-f', '-'], io), io.stderr]).toEqual([0, '']);
    expect(io.stdout).toBe('destinationrule.networking.istio.io/reviews created\n');
    expect(asked.map((request) => request.dryRun)).toEqual([false]);
    expect(JSON.parse(asked[0]?.objects[0] ?? '')).toMatchObject({ metadata: { namespace: 'default' } });
  });

  it('says that a dry run is one', async () => {
    await serve({ Apply: createAll });
    expect(await run(['apply', '--dry-run', '-f', await file(good)], io)).toBe(0);
    expect(io.stdout).toBe('destinationrule.networking.istio.io/reviews created (dry run)\n');
  });

  it('applies the good documents, shows the place in the broken one, and fails', async () => {
    await serve({ Apply: createAll });
    const name = await file(`${good}---\n${broken}`);
    expect(await run(['apply', '-f', name], io)).toBe(1);
    expect(io.stdout).toBe('destinationrule.networking.istio.io/reviews created\n');
    expect(io.stderr).toContain(`${name}:`);
    expect(io.stderr).toMatch(/:\d+:\d+: error: [^]*\n {2}\d+ \| .*\n +\| +\^\n/);
    expect(io.stderr).toMatch(/error: not everything was applied\n$/);
  });

  it('shows where in the file stands what the registry refuses, and its notes', async () => {
    const diagnostic = {
      severity: 'error',
      code: 'SEINE-X',
      message: 'no such host',
      object: id('DestinationRule', 'reviews'),
      path: 'spec.host',
      position: null,
    };
    await serve({
      Apply: () => ({
        revision: 7,
        results: [
          {
            id: id('DestinationRule', 'reviews'),
            result: 'rejected' as const,
            note: 'the one of a.yaml stays',
            diagnostics: [diagnostic],
          },
        ],
      }),
    });
    const name = await file(good);
    expect(await run(['apply', '-f', name], io)).toBe(1);
    expect(io.stdout).toBe('destinationrule.networking.istio.io/reviews refused\n');
    expect(io.stderr).toContain('  the one of a.yaml stays\n');
    expect(io.stderr).toMatch(/config\.yaml:4:\d+: error: DestinationRule default\/reviews spec\.host: no such host/);
  });

  it.each([
    ['all have acknowledged', [{ name: 'a', synced: true }], 0, /^1 proxy has acknowledged\n$/],
    [
      'one refuses',
      [
        { name: 'a', synced: true },
        { name: 'b', synced: false, types: { lds: { status: 'REJECTED', nack: { message: 'bad', at: '' } } } },
      ],
      1,
      /^error: 1 of 2 proxies have not acknowledged in 2 s:\n {2}b\.default\n {4}LDS refused: bad\n$/,
    ],
  ])('--wait: %s', async (_case, proxies, code, stderr) => {
    await serve({ Apply: createAll });
    await servePilot(proxies.map((p) => ({ id: p.name, namespace: 'default', connected: true, types: {}, ...p })));
    expect(await run(['apply', '-f', await file(good), '--wait', '--timeout', '2s'], io)).toBe(code);
    expect(io.stdout).toBe('destinationrule.networking.istio.io/reviews created\n');
    expect(io.stderr).toMatch(stderr);
  });

  it.each([
    ['a missing file', ['/nowhere.yaml'], /^error: there is no file or directory \/nowhere\.yaml\n$/],
    ['nothing in it', ['-'], /^error: there is no object in -\n$/],
  ])('%s', async (_case, files, stderr) => {
    expect(await run(['apply', '-f', ...files], io)).toBe(1);
    expect(io.stderr).toMatch(stderr);
  });

  it('says that nobody answers', async () => {
    expect(await run(['apply', '-f', await file(good), '--config-api', '127.0.0.1:1'], io)).toBe(1);
    expect(io.stderr).toBe('error: the config API does not answer at http://127.0.0.1:1\n');
  });

  it('passes on what the config API says', async () => {
    await serve({});
    expect(await run(['apply', '-f', await file(good)], io)).toBe(1);
    expect(io.stderr).toMatch(/^error: the config API at http:\/\/127\.0\.0\.1:\d+ says: .*Apply/);
  });
});

describe('delete', () => {
  const answer = (result: DeleteOutcome, note = ''): Answers => ({
    Delete: ({ objects }) => ({ revision: 7, results: objects.map((each) => ({ id: each, result, note })) }),
  });

  it.each<[string, string[], DeleteOutcome, string, number, string]>([
    ['by short name', ['vs', 'a', 'b'], 'deleted', '', 0, 'virtualservice.N/a deleted\nvirtualservice.N/b deleted\n'],
    ['a file is in force again', ['VirtualService', 'a'], 'restored', 'a.yaml', 0, 'virtualservice.N/a deleted\n'],
    ['only a file has it', ['vs', 'a'], 'in_file', 'edit a.yaml', 1, 'virtualservice.N/a not deleted\n'],
    ['not there', ['vs', 'a'], 'not_found', '', 1, 'virtualservice.N/a not found\n'],
    ['not there, which is well', ['vs', 'a', '--ignore-not-found'], 'not_found', '', 0, ''],
  ])('%s', async (_case, args, result, note, code, stdout) => {
    await serve(answer(result, note));
    expect(await run(['delete', ...args], io)).toBe(code);
    expect(io.stdout).toBe(stdout.replaceAll('N/', `${group}/`));
    if (note) expect(io.stderr).toContain(`  ${note}\n`);
  });

  it('names the objects of a file', async () => {
    await serve(answer('deleted'));
    expect(await run(['delete', '-f', await file(good)], io)).toBe(0);
    expect(io.stdout).toBe('destinationrule.networking.istio.io/reviews deleted\n');
  });

  it('deletes nothing when a document is wrong', async () => {
    await serve(answer('deleted'));
    expect(await run(['delete', '-f', await file(`${good}---\n${broken}`)], io)).toBe(1);
    expect(io.stdout).toBe('');
    expect(io.stderr).toMatch(/error: nothing was deleted\n$/);
  });

  it('--wait asks pilot for the revision of the delete', async () => {
    await serve(answer('deleted'));
    await servePilot([]);
    expect(await run(['delete', 'vs', 'a', '--wait', '--timeout', '2s'], io)).toBe(0);
    expect(pilot?.asked).toEqual(['/debug/syncz?revision=7&wait=2s']);
  });

  it.each([
    [['nokind', 'a'], /^error: there is no kind nokind\n$/],
    [['vs'], /what to delete\?/],
    [['vs', 'a', '-f', 'x'], /give either -f or KIND NAME, not both/],
  ])('%j is a usage error', async (args, stderr) => {
    expect(await run(['delete', ...args], io)).toBe(2);
    expect(io.stderr).toMatch(stderr);
  });
});

describe('get', () => {
  const stored = (kind: string, namespace: string, name: string, spec: object): StoredObjectMessage => ({
    id: { group, kind, namespace, name },
    json: JSON.stringify({
      apiVersion: `${group}/v1`,
      kind,
      metadata: { name, namespace, creationTimestamp: '2026-01-01T00:00:00Z' },
      spec,
    }),
    origin: 'applied',
    shadowed: ['file:/a.yaml'],
  });
  const all = [
    stored('DestinationRule', 'default', 'reviews', { host: 'reviews' }),
    stored('VirtualService', 'default', 'reviews', { hosts: ['reviews'] }),
    stored('VirtualService', 'other', 'reviews', { hosts: ['reviews'] }),
  ];
  const List = ({ kind, namespace }: ListRequest) => ({
    revision: 7,
    objects: all.filter((o) => o.id.kind === kind && (namespace === '' || o.id.namespace === namespace)),
  });
  const answers: Answers = {
    List,
    Get: ({ id: wanted }) => ({
      object: all.find((o) => JSON.stringify(o.id) === JSON.stringify(wanted)) ?? null,
    }),
  };

  it.each<[string[], string]>([
    [['dr'], 'NAME      HOST      AGE\nreviews   reviews   10m\n'],
    [['virtualservices', '-A', '-o', 'name'], 'virtualservice.N/reviews\nvirtualservice.N/reviews\n'],
    [
      ['VS', 'reviews', '-n', 'other', '-o', 'wide'],
      'NAME      GATEWAYS   HOSTS         AGE   ORIGIN    SHADOWED\n' +
        'reviews              ["reviews"]   10m   applied   file:/a.yaml\n',
    ],
    [
      ['dr,vs', '-A'],
      'NAMESPACE   NAME      HOST      AGE\ndefault     reviews   reviews   10m\n\n' +
        'NAMESPACE   NAME      GATEWAYS   HOSTS         AGE\n' +
        'default     reviews              ["reviews"]   10m\nother       reviews              ["reviews"]   10m\n',
    ],
    [['sidecar'], ''],
  ])('%j', async (args, stdout) => {
    await serve(answers);
    expect([await run(['get', ...args], io), io.stdout]).toEqual([0, stdout.replaceAll('N/', `${group}/`)]);
  });

  it('one object is itself, several are a List', async () => {
    await serve(answers);
    await run(['get', 'dr', 'reviews', '-o', 'json'], io);
    expect(JSON.parse(io.stdout)).toEqual(JSON.parse(all[0]?.json ?? ''));
    io.stdout = '';
    await run(['get', 'vs', '-A', '-o', 'json'], io);
    expect(JSON.parse(io.stdout)).toMatchObject({ apiVersion: 'v1', kind: 'List', items: { length: 2 } });
    io.stdout = '';
    await run(['get', 'dr', 'reviews', '-o', 'yaml'], io);
    expect(io.stdout).toMatch(/^apiVersion: networking\.istio\.io\/v1\nkind: DestinationRule\nmetadata:\n/);
  });

  it('shows the values of a Secret only when told so', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 's',
        namespace: 'default',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"key":"c2VjcmV0"}}' },
      },
      data: { key: 'c2VjcmV0' },
    };
    const one = {
      id: { group: '', kind: 'Secret', namespace: 'default', name: 's' },
      json: JSON.stringify(secret),
      origin: 'applied',
      shadowed: [],
    };
    await serve({ List: () => ({ revision: 1, objects: [one] }), Get: () => ({ object: one }) });
    for (const format of ['json', 'yaml', 'table', 'wide', 'name']) {
      await run(['get', 'secret', 's', '-o', format], io);
      await run(['get', 'secrets', '-o', format], io);
    }
    expect(io.stdout).toContain('(hidden, 6 bytes)');
    expect(io.stdout).not.toContain('c2VjcmV0');
    io.stdout = '';
    await run(['get', 'secret', 's', '-o', 'json', '--show-secrets'], io);
    expect(JSON.parse(io.stdout)).toEqual(secret);
  });

  it('fails when the one asked for is not there', async () => {
    await serve(answers);
    expect(await run(['get', 'dr', 'x', '-n', 'other'], io)).toBe(1);
    expect(io.stderr).toBe('error: there is no DestinationRule x in namespace other\n');
  });
});
