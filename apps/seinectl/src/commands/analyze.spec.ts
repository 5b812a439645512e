import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AnalysisJson } from '@seine/analyze';
import type { ConfigObject } from '@seine/k8s';
import { parse } from 'yaml';
import { run } from '../program.js';
import { FakeConfigApi } from '../testing/fake-config-api.js';
import { FakeIo } from '../testing/fake-io.js';

const routes = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http:
  - fault: {delay: {percent: 5, fixedDelay: 1s}}
    route:
    - destination:
        host: nobody
`;
const service = `apiVersion: v1
kind: Service
metadata: {name: web, namespace: other}
spec: {ports: [{name: web, port: 8080}]}
`;

let io: FakeIo;
let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'analyze-'));
  io = new FakeIo();
  io.cwd = folder;
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function write(name: string, text: string): void {
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  fs.writeFileSync(path.join(folder, name), text);
}
const json = () => JSON.parse(io.stdout) as AnalysisJson[];
const codes = () => json().map(({ code }) => code);
const analyze = (...args: string[]) => run(['analyze', ...args], io);

describe('analyze', () => {
  it('shows each finding with its line, and ends with 1 when there is an error', async () => {
    io.stdin = routes;
    expect(await analyze('-')).toBe(1);
    expect(io.stdout).toContain(
      'stdin:10:9: error: VirtualService shop/reviews spec.http[0].route[0].destination.host: ' +
        'Referenced host not found: "nobody"; a Service or ServiceEntry with this host must exist. [IST0101]\n' +
        '  10 |         host: nobody\n     |         ^\n',
    );
    expect(io.stderr).toBe('error: 1 error found, 1 object analyzed; docs/analyze has a page for each code\n');
  });

  it('tells what mixer would not do of its rules', async () => {
    io.stdin = `apiVersion: config.istio.io/v1alpha2
kind: handler
metadata: {name: deny, namespace: shop}
spec:
  compiledAdapter: denier
  params:
    validDuraton: 5s
---
apiVersion: config.istio.io/v1alpha2
kind: rule
metadata: {name: deny, namespace: shop}
spec:
  match: request.method
  actions:
  - handler: deny
    instances: [nothing.checknothing]
`;
    expect(await analyze('-', '-o', 'json')).toBe(1);
    expect(json().map(({ code, line, resource }) => [code, line, resource])).toEqual([
      ['SEINE-MIXER', 7, 'handler/shop/deny'],
      ['SEINE-MIXER', 13, 'rule/shop/deny'],
    ]);
  });

  it('prints JSON in order of files and lines, folders read through', async () => {
    write('b/c/web.yaml', service);
    write('a.yaml', routes);
    write('b/notes.txt', 'nothing');
    expect(await analyze('.', '-o', 'json')).toBe(1);
    expect(json()).toEqual([
      expect.objectContaining({ code: 'IST0002', line: 7, level: 'warning', resource: 'VirtualService/shop/reviews' }),
      {
        code: 'IST0101',
        level: 'error',
        message: expect.stringContaining('nobody') as unknown,
        resource: 'VirtualService/shop/reviews',
        file: path.join(folder, 'a.yaml'),
        line: 10,
        column: 9,
        path: 'spec.http[0].route[0].destination.host',
      },
      expect.objectContaining({ code: 'IST0118', level: 'info', file: path.join(folder, 'b/c/web.yaml'), line: 4 }),
    ]);
  });

  it('tells once that a field is deprecated', async () => {
    io.stdin = routes.replace('nobody', 'reviews');
    await analyze('-', '-o', 'json');
    expect(codes().filter((code) => code === 'IST0002' || code === 'SEINE-DEPRECATED')).toEqual(['IST0002']);
  });

  it.each([
    ['--schema-only', ['IST0002', 'IST0118'], 0],
    ['-n other', ['IST0118'], 0],
    ['-S IST0101 -S IST0118', ['IST0002'], 0],
    ['-S IST0101=VirtualService~*.shop', ['IST0002', 'IST0118'], 0],
    ['--analyzer service.PortNameAnalyzer', ['IST0118'], 0],
    ['--output-threshold warning', ['IST0002', 'IST0101'], 1],
    ['--failure-threshold info -S IST0101', ['IST0002', 'IST0118'], 1],
  ])('with %s finds what that leaves', async (flags, expected, code) => {
    io.stdin = `${routes}---\n${service}`;
    expect(await analyze('-', '-o', 'json', ...flags.split(' ').map((flag) => flag.replace('~', ' ')))).toBe(code);
    expect(codes()).toEqual(expected);
  });

  it.each([
    ['a file that is no YAML', 'kind: [', 'SEINE-YAML'],
    ['a file that is no text', 'a\0b', 'SEINE-FILE'],
    ['a document that is no object', 'just words', 'SEINE-OBJECT'],
    ['an object that breaks its schema', routes.replace('[reviews]', '7'), 'SEINE-SCHEMA'],
  ])('%s is an error, and does not hide what is wrong in others', async (_, text, code) => {
    write('a.yaml', text);
    write('b.yaml', service);
    expect(await analyze('.', '-o', 'json', '--schema-only')).toBe(1);
    expect(json()).toContainEqual(
      expect.objectContaining({ code, level: 'error', line: expect.any(Number) as unknown }),
    );
    expect(json().every(({ message }) => !message.includes('\n'))).toBe(true);
    expect(codes()).toContain('IST0118');
  });

  it('tells of a file that is no YAML when only one analyzer is asked', async () => {
    io.stdin = 'kind: [';
    expect(await analyze('-', '-o', 'json', '--analyzer', 'service.PortNameAnalyzer')).toBe(1);
    expect(codes()).toEqual(['SEINE-YAML']);
  });

  it('does not miss what is there but broken', async () => {
    io.stdin = `${routes.replace('nobody', 'web.other.svc.cluster.local')}---\n${service.replace('8080', '"x"')}`;
    expect(await analyze('-', '-o', 'json')).toBe(1);
    expect(codes()).toContain('SEINE-SCHEMA');
    expect(codes()).not.toContain('IST0101');
  });

  it('prints SARIF, YAML and a table', async () => {
    io.stdin = routes;
    await analyze('-', '-o', 'sarif');
    expect(JSON.parse(io.stdout)).toMatchObject({
      version: '2.1.0',
      runs: [{ results: [{ ruleId: 'IST0002' }, { ruleId: 'IST0101', level: 'error' }] }],
    });
    io.stdout = '';
    await analyze('-', '-o', 'yaml');
    expect(parse(io.stdout)).toMatchObject([{ code: 'IST0002' }, { code: 'IST0101' }]);
    io.stdout = '';
    await analyze('-', '-o', 'table');
    expect(io.stdout).toMatch(
      /^LEVEL +CODE +RESOURCE.*\nwarning +IST0002 .*\nerror +IST0101 +VirtualService\/shop\/reviews +stdin:10 /,
    );
  });

  it('takes the settings of the mesh from a file', async () => {
    write(
      'mesh.yaml',
      'defaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true", ISTIO_META_DNS_AUTO_ALLOCATE: "true"}}',
    );
    io.stdin = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db}
spec: {hosts: [db.example.com], resolution: DNS, ports: [{number: 5432, name: tcp, protocol: TCP}]}
`;
    await analyze('-', '-o', 'json');
    expect(codes()).toContain('IST0134');
    io.stdout = '';
    await analyze('-', '-o', 'json', '--mesh-config', 'mesh.yaml');
    expect(codes()).not.toContain('IST0134');
  });

  it('takes the networks of the mesh from a file', async () => {
    write('networks.yaml', 'networks: {east: {endpoints: [{fromRegistry: nowhere}]}}');
    io.stdin = service;
    expect(await analyze('-', '-o', 'json', '-S', 'IST0118', '--mesh-networks', 'networks.yaml')).toBe(1);
    expect(json()).toMatchObject([{ code: 'IST0126', resource: 'MeshNetworks/istio-system/meshnetworks' }]);
  });

  it('has nothing to say of what is right', async () => {
    io.stdin = service.replace('name: web, port', 'name: http, port');
    expect([await analyze('-'), io.stdout, io.stderr]).toEqual([0, '', 'no issues found, 1 object analyzed\n']);
    expect([await analyze('-', '-o', 'json'), json()]).toEqual([0, []]);
  });

  it.each([
    [['nowhere'], 1, 'there is no file or directory nowhere'],
    [['.'], 1, 'there is no object in .'],
    [['-', '--analyzer', 'x'], 2, 'there is no analyzer x; -L lists them'],
    [['-', '--mesh-config', 'x'], 1, 'cannot read x'],
  ])('analyze %j ends with %d', async (args, code, said) => {
    io.stdin = service;
    expect(await analyze(...args)).toBe(code);
    expect(io.stderr).toContain(said);
  });

  it('lists the analyzers under the names that istioctl has for them', async () => {
    expect(await analyze('-L')).toBe(0);
    expect(io.stdout).toMatch(/^gateway\.ConflictingGatewayAnalyzer /m);
  });
});

describe('analyze without a path', () => {
  let server: FakeConfigApi;
  const stored = (text: string, origin: string) => {
    const object = parse(text) as ConfigObject;
    const { kind, metadata } = object;
    const group = object.apiVersion.split('/').slice(0, -1).join();
    const id = { group, kind, namespace: metadata.namespace, name: metadata.name };
    return { id, json: JSON.stringify(object), origin, shadowed: [], resourceVersion: '1' };
  };
  const told = (code: string) => ({ severity: 'error', code, message: 'm', object: null, path: '', position: null });

  beforeEach(async () => {
    write('web.yaml', service);
    const objects = [stored(routes, 'applied'), stored(service, `file:${path.join(folder, 'web.yaml')}`)];
    server = new FakeConfigApi({
      List: () => ({ objects, revision: 1 }),
      ListDiagnostics: () => ({ diagnostics: [told('SEINE-YAML'), told('IST0101')] }),
    });
    io.env['SEINE_CONFIG_API'] = await server.start();
  });
  afterEach(() => server.stop());

  it('analyzes all that is in force, with the places of what stands in files', async () => {
    expect(await analyze('-o', 'json')).toBe(1);
    const found = json().map(({ code, resource, file, line }) => [code, resource, file && path.basename(file), line]);
    expect(found).toEqual([
      ['SEINE-YAML', undefined, undefined, undefined],
      ['IST0002', 'VirtualService/shop/reviews', undefined, undefined],
      ['IST0101', 'VirtualService/shop/reviews', undefined, undefined],
      ['IST0118', 'Service/other/web', 'web.yaml', 4],
    ]);
  });
});
