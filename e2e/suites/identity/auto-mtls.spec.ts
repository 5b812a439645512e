import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  type Certificate,
  documents,
  EchoServer,
  istioYaml,
  LoopbackAddresses,
  podYaml,
  rawGet,
  rawRequest,
  type Seen,
  serviceYaml,
  SpiffeAuthority,
  TestMesh,
  tlsRequest,
} from '../../src/index.js';

jest.setTimeout(180_000);

const tlsMode = (value: string) => ({ 'security.istio.io/tlsMode': value });
const servers: EchoServer[] = [];
const addresses = new LoopbackAddresses();
let mesh: TestMesh;
beforeAll(async () => {
  // Beyond those that the mesh itself takes.
  for (let i = 0; i < 100; i++) addresses.next();
  mesh = await TestMesh.start({
    identity: { trustDomainAliases: ['old.example'] },
    gateway: true,
    workloads: [{ name: 'reviews-v1', sidecar: true }],
  });
});
afterAll(async () => {
  await mesh.stop();
  await Promise.all(servers.map((server) => server.close()));
});
afterEach(async () => {
  for (const name of applied) await mesh.remove(name);
  applied.clear();
});

const applied = new Set<string>();
async function apply(name: string, ...yaml: readonly string[]): Promise<void> {
  applied.add(name);
  await mesh.apply(name, documents(...yaml));
}

interface ServerOptions {
  /** What it takes by ALPN: a client that offers none of them is refused. */
  readonly alpn?: readonly string[];
  /** Whose certificate it shows; default the account of its pod. */
  readonly shows?: string;
  readonly trustDomain?: string;
  readonly portName?: string;
  /** Of the label; default `istio`. */
  readonly tlsMode?: string;
}

/**
 * A service `name` on `port`, its pod a server that ends mutual TLS itself: it sees what the client's sidecar sends.
 * @returns the pod's address
 */
async function serve(name: string, port: number, options: ServerOptions = {}): Promise<string> {
  const { alpn = ['istio'], shows = name, trustDomain, portName = 'http' } = options;
  const { key, cert, ca } = await mesh.svid(shows, trustDomain === undefined ? {} : { trustDomain });
  const address = addresses.next();
  const server = await EchoServer.listen(name, address, 8443, { key, cert, ca, ALPNProtocols: [...alpn] });
  servers.push(server);
  const labels = { app: name, ...tlsMode(options.tlsMode ?? 'istio') };
  await apply(
    name,
    podYaml({ name, address, labels, serviceAccount: name }),
    serviceYaml({ name, ports: [{ name: portName, port, targetPort: 8443 }] }),
  );
  return address;
}

const seenIn = (body: string) => JSON.parse(body) as Seen;

describe('on the wire', () => {
  it.each([
    ['http', 'istio-http/1.1'],
    ['http', 'istio'],
    ['whatever', 'istio-http/1.1'],
  ])('a port named %s: requests offer %s, and the SNI is the cluster', async (portName, protocol) => {
    await serve('wire', 8081, { portName, alpn: [protocol] });
    const { status, body } = await mesh.call('http://wire:8081/');
    expect([status, status === 200 && seenIn(body).servername]).toEqual([
      200,
      'outbound_.8081_._.wire.default.svc.cluster.local',
    ]);
  });

  it('requests do not offer what says TCP', async () => {
    await serve('wire', 8081, { alpn: ['istio-peer-exchange'] });
    expect((await mesh.call('http://wire:8081/')).status).toBe(503);
  });

  it.each(['istio-peer-exchange', 'istio'])('connections of TCP offer %s', async (protocol) => {
    await serve('bytes', 9100, { portName: 'tcp', alpn: [protocol] });
    const { status, body } = await rawRequest(await mesh.loopbackOf(9100), 9100, rawGet('/'));
    expect([status, status === 200 && seenIn(body).servername]).toEqual([
      200,
      'outbound_.9100_._.bytes.default.svc.cluster.local',
    ]);
  });

  it('a subset has an SNI of its own', async () => {
    await serve('wire', 8081);
    await apply(
      'subset',
      istioYaml('DestinationRule', 'wire', { host: 'wire', subsets: [{ name: 'all' }] }),
      istioYaml('VirtualService', 'wire', {
        hosts: ['wire'],
        http: [{ route: [{ destination: { host: 'wire', subset: 'all' } }] }],
      }),
    );
    expect(seenIn((await mesh.call('http://wire:8081/')).body).servername).toBe(
      'outbound_.8081_.all_.wire.default.svc.cluster.local',
    );
  });
});

describe('the client knows the server by its account', () => {
  it('and calls no other', async () => {
    await serve('wire', 8081, { shows: 'impostor' });
    expect((await mesh.call('http://wire:8081/')).status).toBe(503);
  });

  it('also of an aliased trust domain', async () => {
    await serve('wire', 8081, { trustDomain: 'old.example' });
    expect((await mesh.call('http://wire:8081/')).status).toBe(503);
    await apply(
      'settings',
      `apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data: { mesh: 'trustDomainAliases: [old.example]' }
`,
    );
    expect((await mesh.call('http://wire:8081/')).status).toBe(200);
  });

  it('or by what a ServiceEntry says', async () => {
    const address = await serve('vm', 8082, { tlsMode: 'disabled', shows: 'elsewhere' });
    const entry = (subjectAltNames: readonly string[]) =>
      istioYaml('ServiceEntry', 'vms', {
        hosts: ['vms.example'],
        location: 'MESH_INTERNAL',
        resolution: 'STATIC',
        ports: [{ number: 8080, name: 'http', protocol: 'HTTP', targetPort: 8443 }],
        endpoints: [{ address, serviceAccount: 'vm' }],
        subjectAltNames,
      });
    await apply('entry', entry([]));
    expect((await mesh.call('http://vms.example:8080/')).status).toBe(503);
    await apply('entry', entry(['spiffe://cluster.local/ns/default/sa/elsewhere']));
    expect((await mesh.call('http://vms.example:8080/')).status).toBe(200);
  });
});

describe('it is not used', () => {
  it('with endpoints that do not say that they take it', async () => {
    await serve('wire', 8081, { tlsMode: 'disabled' });
    expect((await mesh.call('http://wire:8081/')).status).toBe(503);
  });

  it('where the mesh says enableAutoMtls: false', async () => {
    await serve('wire', 8081);
    expect((await mesh.call('http://wire:8081/')).status).toBe(200);
    await apply(
      'settings',
      `apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data: { mesh: 'enableAutoMtls: false' }
`,
    );
    expect((await mesh.call('http://wire:8081/')).status).toBe(503);
    expect((await mesh.call('http://reviews:8080/')).status).toBe(200);
  });
});

it('a gateway that demands ISTIO_MUTUAL takes callers of the mesh, and calls on with its own identity', async () => {
  await apply(
    'edge',
    istioYaml('Gateway', 'edge', {
      selector: { istio: 'ingressgateway' },
      servers: [
        { port: { number: 15443, name: 'https', protocol: 'HTTPS' }, hosts: ['*'], tls: { mode: 'ISTIO_MUTUAL' } },
      ],
    }),
    istioYaml('VirtualService', 'edge', {
      hosts: ['*'],
      gateways: ['edge'],
      http: [{ route: [{ destination: { host: 'reviews', port: { number: 8080 } } }] }],
    }),
  );
  const call = (client: Certificate | undefined) =>
    tlsRequest(mesh.gatewayAddress, 15443, { servername: 'any.example.com', client });
  const { status, body, subjectAltName } = await call(await mesh.svid('friend', { namespace: 'others' }));
  expect([status, subjectAltName]).toEqual([
    200,
    'URI:spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account',
  ]);
  // The body comes in chunks.
  const callers =
    seenIn(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1)).headers['x-forwarded-client-cert']?.split(',') ??
    [];
  expect(callers.map((caller) => /URI=([^;]*)/.exec(caller)?.[1])).toEqual([
    'spiffe://cluster.local/ns/others/sa/friend',
    'spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account',
  ]);
  expect((await call(undefined)).status).toBeUndefined();
  const stranger = await SpiffeAuthority.make();
  expect((await call(await stranger.issue({ serviceAccount: 'friend' }))).status).toBeUndefined();
});

it('a WorkloadEntry says by its label whether it takes it', async () => {
  const address = await serve('vm', 8082, { tlsMode: 'disabled' });
  const entry = (label: string) =>
    documents(
      istioYaml('ServiceEntry', 'vms', {
        hosts: ['vms.example'],
        location: 'MESH_INTERNAL',
        resolution: 'STATIC',
        ports: [{ number: 8080, name: 'http', protocol: 'HTTP', targetPort: 8443 }],
        workloadSelector: { labels: { app: 'outside' } },
      }),
      istioYaml('WorkloadEntry', 'vm', {
        address,
        labels: { app: 'outside', ...tlsMode(label) },
        serviceAccount: 'vm',
      }),
    );
  await apply('entry', entry('disabled'));
  expect((await mesh.call('http://vms.example:8080/')).status).toBe(503);
  await apply('entry', entry('istio'));
  expect((await mesh.call('http://vms.example:8080/')).status).toBe(200);
});
