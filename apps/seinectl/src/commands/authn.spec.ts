import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type ConfigObject, groupOf } from '@seine/k8s';
import { run } from '../program.js';
import { compiledDump } from '../testing/compiled-dump.js';
import { FakeConfigApi } from '../testing/fake-config-api.js';
import { FakeHttp } from '../testing/fake-http.js';
import { FakeIo } from '../testing/fake-io.js';
import { FakeState, runWorkload } from '../testing/fake-state.js';

// The compiler is loaded when it is first asked.
jest.setTimeout(60_000);

const address = '10.0.0.9';
const pod = (name: string, app: string, ip: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { app, 'security.istio.io/tlsMode': 'istio' } },
  spec: { containers: [{ name: app, ports: [{ containerPort: 9080 }, { containerPort: 9081 }] }] },
  status: { podIP: ip },
});
const mesh: readonly object[] = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'reviews', namespace: 'default' },
    spec: {
      selector: { app: 'reviews' },
      ports: [
        { name: 'http', port: 80, targetPort: 9080 },
        { name: 'http-admin', port: 81, targetPort: 9081 },
      ],
    },
  },
  pod('reviews-v1', 'reviews', address),
  pod('web', 'web', '10.0.0.8'),
];
const peerAuthentication = (name: string, spec: object): object => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'PeerAuthentication',
  metadata: { name, namespace: 'default' },
  spec,
});
const rule = (mode: string): object => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: 'plain', namespace: 'default' },
  spec: { host: 'reviews', trafficPolicy: { tls: { mode } } },
});

let io: FakeIo;
let state: FakeState;
let api: FakeConfigApi | undefined;
const servers: FakeHttp[] = [];

beforeEach(async () => {
  io = new FakeIo();
  state = await FakeState.create({});
  io.env['SEINE_STATE'] = state.dir;
});
afterEach(async () => {
  api?.stop();
  api = undefined;
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  await state.remove();
});

async function envoyOf(workload: string, ip: string, app: string, objects: readonly object[]): Promise<number> {
  const dump = await compiledDump(objects.map((object) => JSON.stringify(object)).join('\n---\n'), workload, {
    interceptionMode: 'NONE',
    ipAddresses: [ip],
    labels: { app },
    workloadCertificates: true,
  });
  const server = new FakeHttp({ '/config_dump?include_eds': JSON.stringify(dump), '/clusters?format=json': '{}' });
  servers.push(server);
  return await server.start();
}

/** Runs `authn tls-check web` in a mesh that has these objects too. @returns the exit code */
async function check(objects: readonly object[], ...args: readonly string[]): Promise<number> {
  const all = [...mesh, ...objects];
  const [web, reviews] = [
    await envoyOf('web', '10.0.0.8', 'web', all),
    await envoyOf('reviews-v1', address, 'reviews', all),
  ];
  await state.write({
    workloads: [
      runWorkload({ name: 'web', address: '10.0.0.8', adminPort: web }),
      runWorkload({ name: 'reviews-v1', address, adminPort: reviews }),
    ],
  });
  const listed = (objects as readonly ConfigObject[]).map((object) => ({
    id: { group: groupOf(object.apiVersion), kind: object.kind, namespace: 'default', name: object.metadata.name },
    json: JSON.stringify(object),
    origin: 'applied',
    shadowed: [],
  }));
  api = new FakeConfigApi({
    List: ({ kind }) => ({ revision: 1, objects: listed.filter(({ id }) => id.kind === kind) }),
  });
  io.env['SEINE_CONFIG_API'] = await api.start();
  return await run(['authn', 'tls-check', 'web', ...args], io);
}

const rows = () =>
  io.stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
const host = 'reviews.default.svc.cluster.local';
const selector = { matchLabels: { app: 'reviews' } };

describe('authn tls-check', () => {
  it('shows that mutual TLS is spoken by itself', async () => {
    expect(await check([], 'reviews-v1')).toBe(0);
    expect(rows()).toEqual([
      ['HOST', 'PORT', 'STATUS', 'CLIENT', 'SERVER', 'DESTINATIONRULE', 'PEERAUTHENTICATION', 'WORKLOAD'],
      [host, '80', 'OK', 'mTLS (auto)', 'PERMISSIVE', '-', '-', 'reviews-v1.default'],
      [host, '81', 'OK', 'mTLS (auto)', 'PERMISSIVE', '-', '-', 'reviews-v1.default'],
    ]);
  });

  it('names who speaks for each side, port by port', async () => {
    const policies = [
      peerAuthentication('default', { mtls: { mode: 'STRICT' } }),
      peerAuthentication('own', { selector, portLevelMtls: { 9081: { mode: 'DISABLE' } } }),
    ];
    expect(await check(policies)).toBe(0);
    expect(rows().slice(1)).toEqual([
      [host, '80', 'OK', 'mTLS (auto)', 'STRICT', '-', 'default.default', 'reviews-v1.default'],
      [host, '81', 'OK', expect.stringContaining('PLAIN TEXT'), 'DISABLE', '-', 'own.default', 'reviews-v1.default'],
    ]);
  });

  it.each<[what: string, objects: readonly object[], client: string, server: string]>([
    [
      'plain text where mutual TLS is asked for',
      [peerAuthentication('p', { mtls: { mode: 'STRICT' } }), rule('DISABLE')],
      'PLAIN TEXT',
      'STRICT',
    ],
    [
      'mutual TLS where none is taken',
      [peerAuthentication('p', { mtls: { mode: 'DISABLE' } }), rule('ISTIO_MUTUAL')],
      'mTLS',
      'DISABLE',
    ],
  ])('finds %s, and fails', async (_what, objects, client, server) => {
    expect(await check(objects, '-o', 'json')).toBe(1);
    expect(JSON.parse(io.stdout)).toMatchObject([
      {
        host,
        port: 80,
        status: 'CONFLICT',
        client,
        server,
        destinationRule: 'plain.default',
        peerAuthentication: 'p.default',
      },
      { port: 81, status: 'CONFLICT' },
    ]);
    expect(io.stderr).toBe('error: 2 of 2 do not agree: such calls fail\n');
  });

  it('names PeerAuthentications that old policies act as', async () => {
    const derived = peerAuthentication('old-reviews', { selector, mtls: { mode: 'STRICT' } });
    const old = {
      apiVersion: 'authentication.istio.io/v1alpha1',
      kind: 'Policy',
      metadata: { name: 'old', namespace: 'default' },
      spec: { targets: [{ name: 'reviews' }], peers: [{ mtls: {} }] },
      status: { actsAs: [derived] },
    };
    expect(await check([old])).toBe(0);
    expect(rows()[1]?.slice(4, 7)).toEqual(['STRICT', '-', 'old-reviews.default']);
  });

  it('works without the config API', async () => {
    await check([]);
    io.env['SEINE_CONFIG_API'] = '127.0.0.1:1';
    expect(await run(['authn', 'tls-check', 'web'], io)).toBe(0);
    expect(io.stderr).toMatch(/^warning: PeerAuthentications are not named: /);
  });
});
