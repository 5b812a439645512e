import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  type Certificate,
  documents,
  istioYaml,
  rawGet,
  rawRequest,
  type Seen,
  SpiffeAuthority,
  TestMesh,
  tlsRequest,
} from '../../src/index.js';
import { type Forgery, forgedSvid } from './forged-svid.js';

jest.setTimeout(180_000);

const xfcc = 'x-forwarded-client-cert';
const idOf = (account: string, namespace = 'default', domain = 'cluster.local') =>
  `spiffe://${domain}/ns/${namespace}/sa/${account}`;

/** The apps, by what their port is declared as, and how the client calls them. */
const apps = ['web', 'bytes', 'any'] as const;
type App = (typeof apps)[number];

let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    identity: { trustDomainAliases: ['old.example'] },
    gateway: true,
    workloads: [...apps.map((app) => ({ name: `${app}-v1`, sidecar: true })), { name: 'legacy-v1' }],
    services: [
      { name: 'bytes', ports: [{ name: 'tcp', port: 9000, targetPort: 8080 }] },
      { name: 'any', ports: [{ name: 'whatever', port: 8080 }] },
    ],
  });
});
afterAll(() => mesh.stop());

const applied = new Set<string>();
async function apply(name: string, yaml: string): Promise<void> {
  applied.add(name);
  await mesh.apply(name, yaml);
}
afterEach(async () => {
  for (const name of applied) await mesh.remove(name);
  applied.clear();
  mesh.resetUpstreams();
});

function peerAuthentication(name: string, spec: object, namespace = 'default', created?: string): string {
  const yaml = istioYaml('PeerAuthentication', name, spec, namespace).replace('networking.', 'security.');
  return created ? yaml.replace(' }', `, creationTimestamp: '${created}' }`) : yaml;
}
/** Of certificates that are nobody's own (X509-SVID, section 5.2). */
const authorityUse = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,digitalSignature'];
const signingUse = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature,keyCertSign'];
const mode = (value: string) => ({ mtls: { mode: value } });
const of = (app: App) => ({ selector: { matchLabels: { app } } });
const wholeMesh = (value: string) => peerAuthentication('default', mode(value), 'istio-system');

function addressOf(app: App): string {
  const workload = mesh.workloads.get(`${app}-v1`);
  if (!workload) throw new Error(`no workload ${app}`);
  return workload.address;
}

/** By the client's sidecar. */
async function inMesh(app: App): Promise<{ readonly status: number; readonly seen: Seen | undefined }> {
  if (app === 'bytes') {
    const { status, body } = await rawRequest(await mesh.loopbackOf(9000), 9000, rawGet('/'));
    return { status, seen: status === 200 ? (JSON.parse(body) as Seen) : undefined };
  }
  const { status, body } = await mesh.call(`http://${app}:8080/`);
  return { status, seen: status === 200 ? (JSON.parse(body) as Seen) : undefined };
}

/** From outside the mesh, past the client's sidecar. 0 = cut off. */
async function inPlainText(app: App, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  return (await rawRequest(addressOf(app), 8080, rawGet('/', headers))).status;
}

async function withCertificate(app: App, client: Certificate | undefined): Promise<number | undefined> {
  const { status } = await tlsRequest(addressOf(app), 8080, {
    servername: app,
    client,
    alpn: ['istio-http/1.1', 'istio'],
  });
  return status;
}

/** `openssl s_client`, which says nothing and ends. */
function sClient(host: string, port: number) {
  const args = ['s_client', '-connect', `${host}:${port}`, '-alpn', 'istio'];
  return spawnSync('openssl', args, { input: '', encoding: 'utf8' });
}

describe('when nobody says anything', () => {
  it.each(['web', 'any'] as const)(
    'the sidecars of client and %s speak mutual TLS, and the application learns who called',
    async (app) => {
      const { seen } = await inMesh(app);
      expect(seen?.headers[xfcc]).toMatch(/^By=spiffe:\/\/.*;Hash=\w{64};/);
      expect(seen?.headers[xfcc]).toContain(`By=${idOf(app)};`);
      expect(seen?.headers[xfcc]).toMatch(new RegExp(`URI=${idOf('client')}$`));
    },
  );

  it.each(apps)('J-17: %s is reached in the mesh and in plain text', async (app) => {
    expect((await inMesh(app)).status).toBe(200);
    expect(await inPlainText(app)).toBe(200);
  });

  it('A-24: who comes in plain text has no identity, whatever it says', async () => {
    expect(await inPlainText('web', { [xfcc]: `URI=${idOf('admin')}` })).toBe(200);
    expect(mesh.echo('web-v1').seen.map(({ headers }) => headers[xfcc])).toEqual([undefined]);
  });

  it('a workload without a sidecar is called in plain text', async () => {
    expect((await mesh.call('http://legacy:8080/')).status).toBe(200);
    expect(mesh.echo('legacy-v1').seen[0]?.headers[xfcc]).toBeUndefined();
  });

  it('A-24: the gateway is a client like others, and nobody outside can be another', async () => {
    await apply(
      'edge',
      documents(
        istioYaml('Gateway', 'edge', {
          selector: { istio: 'ingressgateway' },
          servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
        }),
        istioYaml('VirtualService', 'edge', {
          hosts: ['*'],
          gateways: ['edge'],
          http: [{ route: [{ destination: { host: 'web', port: { number: 8080 } } }] }],
        }),
      ),
    );
    const headers = { [xfcc]: `By=x;URI=${idOf('admin')}` };
    const { status, body } = await mesh.callGateway('web.example.com', '/', { headers });
    expect(status).toBe(200);
    const identity = (JSON.parse(body) as Seen).headers[xfcc];
    expect(identity).toContain(`URI=${idOf('istio-ingressgateway-service-account', 'istio-system')}`);
    expect(identity).not.toContain('admin');
  });
});

describe('J-17: STRICT', () => {
  it.each(apps)('%s takes mutual TLS, and no plain text', async (app) => {
    await apply('strict', wholeMesh('STRICT'));
    expect((await inMesh(app)).status).toBe(200);
    expect(await inPlainText(app)).toBe(0);
    expect(mesh.echo(`${app}-v1`).count()).toBe(1);
  });

  it.each(apps)('C-20: the sidecar of %s judges certificates', async (app) => {
    await apply('strict', wholeMesh('STRICT'));
    const { authority, cacertsDir } = mesh.identity;
    const other = await SpiffeAuthority.make();
    const day = 86_400_000;
    const callers: readonly (readonly [string, Certificate | undefined])[] = [
      ['of the mesh', await mesh.svid('friend')],
      ['of the mesh, by openssl', forgedSvid({ uris: [idOf('friend')] }, cacertsDir)],
      ['none', undefined],
      ['self-signed', forgedSvid({ uris: [idOf('client')] })],
      ['of another root', await other.issue({ serviceAccount: 'client' })],
      ['expired', await authority.issue({ serviceAccount: 'client', now: Date.now() - 2 * day, lifetimeMs: day })],
      ['of another trust domain', await mesh.svid('client', { trustDomain: 'elsewhere.example' })],
      ['without an identity', forgedSvid({ uris: [] }, cacertsDir)],
    ];
    const taken = await Promise.all(
      callers.map(async ([name, client]) => [name, (await withCertificate(app, client)) === 200]),
    );
    expect(Object.fromEntries(taken)).toEqual(Object.fromEntries(callers.map(([name], i) => [name, i < 2])));
    expect(mesh.echo(`${app}-v1`).count()).toBe(2);
  });

  it('C-20: where bytes are spoken, an authority’s certificate is nobody’s, whatever its name', async () => {
    await apply('strict', wholeMesh('STRICT'));
    for (const extensions of [authorityUse, signingUse]) {
      const client = forgedSvid({ uris: [idOf('client')], extensions }, mesh.identity.cacertsDir);
      expect(await withCertificate('bytes', client)).toBeUndefined();
    }
    expect(mesh.echo('bytes-v1').count()).toBe(0);
  });

  it('an authority’s certificate without a workload’s name, as authorities are to have, is nobody’s over HTTP either', async () => {
    await apply('strict', wholeMesh('STRICT'));
    const { trustDomain } = mesh.identity.authority;
    for (const uris of [[], [`spiffe://${trustDomain}`], [`spiffe://${trustDomain}/`]]) {
      const client = forgedSvid({ uris, extensions: authorityUse }, mesh.identity.cacertsDir);
      expect(await withCertificate('web', client)).toBeUndefined();
    }
    expect(mesh.echo('web-v1').count()).toBe(0);
  });

  it('a client without a certificate finishes its handshake, learns whose server it is, and hears no reason', async () => {
    await apply('strict', wholeMesh('STRICT'));
    // The exit code is that of a connection that nobody has broken: five times, as an alert may be late.
    for (let times = 0; times < 5; times++) {
      const { status, stdout } = sClient(addressOf('web'), 8080);
      expect([status, stdout.includes('BEGIN CERTIFICATE')]).toEqual([0, true]);
    }
  });

  it.each<[string, Forgery]>([
    ['two identities', { uris: [idOf('client'), idOf('admin')] }],
    ['an identity of the mesh and one of another', { uris: [idOf('client'), idOf('x', 'y', 'elsewhere.example')] }],
  ])('C-20: a certificate of the mesh with %s is refused', async (_what, forgery) => {
    await apply('strict', wholeMesh('STRICT'));
    expect(await withCertificate('web', forgedSvid(forgery, mesh.identity.cacertsDir))).toBeUndefined();
  });

  it('the identities of a former trust domain are taken where it is an alias', async () => {
    const client = await mesh.svid('client', { trustDomain: 'old.example' });
    await apply('strict', wholeMesh('STRICT'));
    expect(await withCertificate('web', client)).toBeUndefined();
    await apply(
      'settings',
      `apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data: { mesh: 'trustDomainAliases: [old.example]' }
`,
    );
    expect(await withCertificate('web', client)).toBe(200);
    expect((await inMesh('web')).status).toBe(200);
  });
});

describe('DISABLE', () => {
  it.each(apps)('J-17: %s is called in plain text by all, also by the mesh', async (app) => {
    await apply('disable', peerAuthentication('default', mode('DISABLE')));
    const { status, seen } = await inMesh(app);
    expect([status, seen?.headers[xfcc]]).toEqual([200, undefined]);
    expect(await inPlainText(app)).toBe(200);
  });

  it('holds at a port of a workload that else demands mutual TLS', async () => {
    const spec = { ...of('web'), ...mode('STRICT'), portLevelMtls: { 8080: { mode: 'DISABLE' } } };
    await apply('port', peerAuthentication('web', spec));
    expect((await inMesh('web')).seen?.headers[xfcc]).toBeUndefined();
    expect(await inPlainText('web')).toBe(200);
  });
});

describe('J-16: who says what', () => {
  const strict = (name: string, created: string) =>
    peerAuthentication(name, { ...of('web'), ...mode('STRICT') }, 'default', created);
  const permissive = (name: string, created: string) =>
    peerAuthentication(name, { ...of('web'), ...mode('PERMISSIVE') }, 'default', created);
  const port = { portLevelMtls: { 8080: { mode: 'PERMISSIVE' } } };

  it.each<[string, readonly string[], number]>([
    ['the mesh', [wholeMesh('STRICT')], 0],
    ['its namespace, before the mesh', [wholeMesh('STRICT'), peerAuthentication('default', mode('PERMISSIVE'))], 200],
    [
      'its own, before its namespace',
      [peerAuthentication('default', mode('PERMISSIVE')), strict('web', '2026-01-01T00:00:00Z')],
      0,
    ],
    ['of its port, before its own', [peerAuthentication('web', { ...of('web'), ...mode('STRICT'), ...port })], 200],
    ['the older of two', [strict('b', '2025-01-01T00:00:00Z'), permissive('a', '2026-01-01T00:00:00Z')], 0],
    [
      'the older of two, the other way',
      [strict('b', '2026-01-01T00:00:00Z'), permissive('a', '2025-01-01T00:00:00Z')],
      200,
    ],
  ])('%s', async (_who, policies, status) => {
    await apply('policies', documents(...policies));
    expect(await inPlainText('web')).toBe(status);
    expect((await inMesh('web')).status).toBe(200);
  });
});

describe('a DestinationRule', () => {
  const rule = (host: string, tls: object) => istioYaml('DestinationRule', host, { host, trafficPolicy: { tls } });

  it('that says DISABLE goes before', async () => {
    await apply('rule', rule('web', { mode: 'DISABLE' }));
    expect((await inMesh('web')).seen?.headers[xfcc]).toBeUndefined();
  });

  it('that says DISABLE meets what the server demands', async () => {
    await apply('strict', wholeMesh('STRICT'));
    await apply('rule', rule('web', { mode: 'DISABLE' }));
    expect((await inMesh('web')).status).toBe(503);
  });

  it('that says ISTIO_MUTUAL demands of the server that it speaks it', async () => {
    await apply('rule', documents(rule('web', { mode: 'ISTIO_MUTUAL' }), rule('legacy', { mode: 'ISTIO_MUTUAL' })));
    expect((await inMesh('web')).seen?.headers[xfcc]).toContain(idOf('client'));
    expect((await mesh.call('http://legacy:8080/')).status).toBe(503);
  });

  it('that names other identities finds no server', async () => {
    await apply('rule', rule('web', { mode: 'ISTIO_MUTUAL', subjectAltNames: [idOf('another')] }));
    expect((await inMesh('web')).status).toBe(503);
  });
});

it('J-17: switching between PERMISSIVE and STRICT costs clients of the mesh no request', async () => {
  let running = true;
  const failures: string[] = [];
  let calls = 0;
  const caller = async (app: App) => {
    while (running) {
      const { status } = await inMesh(app).catch((error: unknown) => ({ status: String(error) }));
      calls++;
      if (status !== 200) failures.push(`${app}: ${status}`);
    }
  };
  const load = [...apps, ...apps].map(caller);
  const turns = ['STRICT', 'PERMISSIVE', 'STRICT', 'PERMISSIVE'];
  const before = async (count: number) => {
    while (calls < count && failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  for (const turn of turns) {
    await before(calls + 200);
    await apply('turn', wholeMesh(turn));
  }
  await before(calls + 200);
  running = false;
  await Promise.all(load);
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(1000);
});
