import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  documents,
  ExtAuthzService,
  istioYaml,
  rawGet,
  rawRequest,
  request,
  type RequestOptions,
  TestMesh,
} from '../../src/index.js';
import { meshConfigYaml, policyYaml, whenHeader } from './policy-yaml.js';

jest.setTimeout(180_000);
const service = new ExtAuthzService();
let mesh: TestMesh;
let reviews: string;

beforeAll(async () => {
  await service.listen();
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1', sidecar: true }],
    services: [
      {
        name: 'reviews',
        ports: [
          { name: 'http', port: 80, targetPort: 8080 },
          { name: 'grpc', port: 8081 },
          { name: 'tcp', port: 9000 },
        ],
      },
    ],
    gateway: true,
    config: {
      front: documents(
        istioYaml('Gateway', 'front', {
          selector: { istio: 'ingressgateway' },
          servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
        }),
        istioYaml('VirtualService', 'front', {
          hosts: ['front.example.com'],
          gateways: ['front'],
          http: [{ route: [{ destination: { host: 'reviews', port: { number: 80 } } }] }],
        }),
        istioYaml('ServiceEntry', 'ext-authz', {
          hosts: ['ext-authz.example.com'],
          ports: [
            { number: 8000, name: 'http', protocol: 'HTTP' },
            { number: 9000, name: 'grpc', protocol: 'GRPC' },
          ],
          resolution: 'STATIC',
          endpoints: [{ address: '127.0.0.1', ports: { http: service.ports.http, grpc: service.ports.grpc } }],
        }),
      ),
    },
  });
  reviews = mesh.workloads.get('reviews-v1')?.address ?? '';
});
afterAll(async () => {
  await mesh.stop();
  await service.close();
});
beforeEach(() => {
  mesh.resetUpstreams();
  service.reset();
});

/** Puts these policies in force, and no others. */
async function inForce(...policies: readonly string[]): Promise<void> {
  const some = policies.length > 0;
  if (some) await mesh.apply('policies', documents(...policies));
  else if (areSome) await mesh.remove('policies');
  areSome = some;
}
let areSome = false;

/** The status that a caller without an Envoy gets from the workload's. */
async function status(target: string, options: RequestOptions = {}): Promise<number> {
  return (await request(reviews, 8080, target, { headers: { host: 'reviews' }, ...options })).status;
}

async function raw(target: string, headers: Readonly<Record<string, string>> = {}, from?: string): Promise<number> {
  return (await rawRequest(reviews, 8080, rawGet(target, headers), from === undefined ? {} : { from })).status;
}

const to = (operation: object) => ({ to: [{ operation }] });
const deny = (...rules: readonly object[]) => policyYaml('no', { action: 'DENY', rules });
const allow = (...rules: readonly object[]) => policyYaml('yes', { action: 'ALLOW', rules });

describe('what decides', () => {
  it('A-1: without a policy all is allowed', async () => {
    await inForce();
    expect(await status('/')).toBe(200);
  });

  it('A-3, A-4: a policy without rules allows nothing; an empty rule is about everything; DENY without rules is refused', async () => {
    await inForce(policyYaml('yes', {}));
    expect(await status('/')).toBe(403);
    expect((await request(reviews, 8080, '/')).body).toBe('RBAC: access denied');
    await inForce(allow({}));
    expect(await status('/')).toBe(200);
    await inForce(deny({}));
    expect(await status('/')).toBe(403);
    await inForce(policyYaml('no', { action: 'DENY', rules: [] }));
    expect(await status('/')).toBe(200);
    expect(mesh.echo('reviews-v1').count()).toBe(2);
  });

  // Rules on headers, so that a request says itself which policies hold for it.
  const policies = {
    custom: policyYaml('ask', { action: 'CUSTOM', provider: { name: 'by-http' }, rules: [whenHeader('x-ask')] }),
    deny: deny(whenHeader('x-deny')),
    allow: allow(whenHeader('x-allow')),
    audit: policyYaml('note', { action: 'AUDIT', rules: [{}] }),
  };
  const kinds = Object.keys(policies) as (keyof typeof policies)[];
  const subsets = <T>(items: readonly T[]) =>
    Array.from({ length: 2 ** items.length }, (_, bits) => items.filter((_item, i) => bits & (1 << i)));

  it.each(subsets(kinds).map((there) => [there.join(' '), there] as const))(
    'A-2, A-5: with (%s): CUSTOM, then DENY, then ALLOW; AUDIT decides nothing',
    async (_name, there) => {
      await mesh.apply('mesh-config', meshConfig());
      await inForce(...there.map((kind) => policies[kind]));
      for (const headers of subsets(['x-ask', 'x-refuse', 'x-deny', 'x-allow'])) {
        const has = (name: string) => headers.includes(name);
        const refused =
          (there.includes('custom') && has('x-ask') && has('x-refuse')) ||
          (there.includes('deny') && has('x-deny')) ||
          (there.includes('allow') && !has('x-allow'));
        const options = { headers: { host: 'reviews', ...Object.fromEntries(headers.map((name) => [name, '1'])) } };
        expect([headers, await status('/', options)]).toEqual([headers, refused ? 403 : 200]);
      }
    },
  );

  it('A-7: policies of the mesh, the namespace and the workload add up', async () => {
    const everywhere = { selector: undefined };
    await inForce(
      policyYaml(
        'mesh',
        { ...everywhere, action: 'DENY', rules: [whenHeader('x-mesh')] },
        { namespace: 'istio-system' },
      ),
      policyYaml('namespace', { ...everywhere, action: 'DENY', rules: [whenHeader('x-namespace')] }),
      policyYaml('workload', { action: 'DENY', rules: [whenHeader('x-workload')] }),
      policyYaml('other', { selector: { matchLabels: { app: 'other' } } }),
      policyYaml('elsewhere', { ...everywhere }, { namespace: 'elsewhere' }),
      policyYaml('gateway', { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'front' }] }),
    );
    const withHeader = (name: string) => status('/', { headers: { host: 'reviews', [name]: '1' } });
    expect(await Promise.all(['x-mesh', 'x-namespace', 'x-workload', 'x-none'].map(withHeader))).toEqual([
      403, 403, 403, 200,
    ]);
    // Those of the mesh are for its gateways too; those of a namespace are not for another's.
    const through = async (name: string) =>
      (await mesh.callGateway('front.example.com', '/', { headers: { [name]: '1' } })).status;
    expect(await Promise.all(['x-mesh', 'x-none'].map(through))).toEqual([403, 200]);
  });
});

/** The mesh config with the providers that CUSTOM names. */
function meshConfig(more: object = {}): string {
  const at = { service: 'ext-authz.example.com' };
  const config = {
    extensionProviders: [
      { name: 'by-http', envoyExtAuthzHttp: { ...at, port: 8000, includeRequestHeadersInCheck: ['x-refuse'] } },
      { name: 'by-grpc', envoyExtAuthzGrpc: { ...at, port: 9000 } },
    ],
    ...more,
  };
  return meshConfigYaml(config);
}

describe('values', () => {
  it.each([
    ['/a/b', ['/a/b', '/a/b?x=1'], ['/a/b/', '/a/bc', '/A/b', '/']],
    ['/a/*', ['/a/', '/a/b', '/a/b/c?x'], ['/a', '/ab', '/b/a/']],
    ['*/b', ['/b', '/a/b', '/a/b?x'], ['/b/', '/ab', '/a?/b']],
    ['*', ['/', '/a'], []],
    ['/a*b', ['/a*b'], ['/ab', '/axb']],
    ['/v/{*}/b', ['/v/1/b', '/v/x.y/b?q'], ['/v/b', '/v/1/2/b', '/v/1/b/c']],
    ['/v/{**}', ['/v/1', '/v/1/2'], ['/w/1']],
    ['/{*}/x/{**}', ['/a/x/1', '/a/x/1/2'], ['/a/b/x', '/x/1']],
  ])('A-10, A-15, A-17: a DENY on the path %s holds for %j and not for %j', async (path, denied, others) => {
    await inForce(deny(to({ paths: [path] })));
    for (const target of denied) expect([target, await raw(target)]).toEqual([target, 403]);
    for (const target of others) expect([target, await raw(target)]).toEqual([target, 200]);
  });

  it('A-15: a fragment, which no client may send, is refused', async () => {
    await inForce(deny(to({ paths: ['/a/b'] })));
    expect([await raw('/a/b#x'), await raw('/#/a/b'), await raw('/a/b?#x')]).toEqual([400, 400, 400]);
  });

  it('A-9: paths and notPaths both hold', async () => {
    await inForce(deny(to({ paths: ['/a*'], notPaths: ['/a/open'] })));
    expect([await status('/a/x'), await status('/a/open'), await status('/b')]).toEqual([403, 200, 200]);
  });

  it.each([
    [
      'secret.com',
      ['secret.com', 'Secret.COM', 'secret.com:8080', 'SECRET.com:1'],
      ['secret.com.evil', 'x.secret.com', 'secret.co'],
    ],
    ['*.secret.com', ['a.secret.com', 'A.SECRET.com:443'], ['secret.com', 'secret.com.a']],
    ['secret.*', ['secret.com', 'Secret.org:80'], ['a.secret.com']],
  ])('A-13: hosts %s are %j and not %j', async (host, denied, others) => {
    await inForce(deny(to({ hosts: [host] })));
    for (const name of denied) expect([name, await raw('/', { host: name })]).toEqual([name, 403]);
    for (const name of others) expect([name, await raw('/', { host: name })]).toEqual([name, 200]);
    await inForce(deny(to({ notHosts: [host] })));
    for (const name of denied) expect([name, await raw('/', { host: name })]).toEqual([name, 200]);
    for (const name of others) expect([name, await raw('/', { host: name })]).toEqual([name, 403]);
  });

  it('A-13: a host with a dot at its end is the same host', async () => {
    await inForce(deny(to({ hosts: ['secret.com'] })));
    expect(await raw('/', { host: 'secret.com.' })).toBe(403);
    expect(await raw('/', { host: 'secret.com.:80' })).toBe(403);
  });

  it('A-14: names of headers compare without case; their values, methods and paths with it', async () => {
    await inForce(deny(whenHeader('X-Team', 'Red'), to({ methods: ['PUT'] }), to({ paths: ['/Admin'] })));
    const team = (name: string, value: string) => raw('/', { [name]: value });
    expect(await Promise.all([team('x-team', 'Red'), team('X-TEAM', 'Red'), team('x-team', 'red')])).toEqual([
      403, 403, 200,
    ]);
    expect([await status('/', { method: 'PUT' }), await raw('/Admin'), await raw('/admin')]).toEqual([403, 403, 200]);
  });

  it('A-20: conditions on the connection', async () => {
    const rows: readonly (readonly [object, number])[] = [
      [{ key: 'source.ip', values: ['127.0.0.0/8'] }, 403],
      [{ key: 'source.ip', values: ['10.0.0.0/8'] }, 200],
      [{ key: 'source.ip', notValues: ['10.0.0.0/8'] }, 403],
      [{ key: 'remote.ip', values: ['127.0.0.1'] }, 403],
      [{ key: 'destination.ip', values: [reviews] }, 403],
      [{ key: 'destination.ip', values: ['127.0.0.1'] }, 200],
      [{ key: 'destination.port', values: ['8080'] }, 403],
      [{ key: 'destination.port', values: ['80'] }, 200],
      [{ key: 'connection.sni', values: ['*'] }, 200],
      [{ key: 'connection.sni', notValues: ['a.example.com'] }, 403],
      [{ key: 'request.headers[x-a]', notValues: ['1'] }, 403],
      [{ key: 'request.auth.principal', values: ['*'] }, 200],
      [{ key: 'request.auth.claims[iss]', notValues: ['a'] }, 403],
      [{ key: 'source.namespace', values: ['default'] }, 200],
      [{ key: 'source.principal', notValues: ['a/ns/b/sa/c'] }, 403],
      [{ key: 'experimental.envoy.filters.a.b[c]', values: ['d'] }, 200],
    ];
    for (const [condition, expected] of rows) {
      await inForce(deny({ when: [condition] }));
      expect([condition, await raw('/')]).toEqual([condition, expected]);
    }
  });

  it('A-18: ports are those of the workload', async () => {
    await inForce(deny(to({ ports: ['80'] })));
    expect(await status('/')).toBe(200);
    await inForce(deny(to({ ports: ['8080'] })));
    expect(await status('/')).toBe(403);
    await inForce(deny(to({ notPorts: ['80'] })));
    expect(await status('/')).toBe(403);
    const atGateway = (port: string) =>
      policyYaml(
        'gw',
        { selector: { matchLabels: { istio: 'ingressgateway' } }, action: 'DENY', rules: [to({ ports: [port] })] },
        { namespace: 'istio-system' },
      );
    const through = async () => (await mesh.callGateway('front.example.com', '/')).status;
    await inForce(atGateway('80'));
    expect(await through()).toBe(200);
    await inForce(atGateway('8080'));
    expect(await through()).toBe(403);
  });
});

it('A-23: a dry run refuses nobody, and its result is to be seen', async () => {
  await inForce(
    policyYaml(
      'try',
      { action: 'DENY', rules: [to({ paths: ['/dry'] })] },
      { annotations: { 'istio.io/dry-run': 'true' } },
    ),
    policyYaml('try-allow', { rules: [to({ paths: ['/other'] })] }, { annotations: { 'istio.io/dry-run': 'true' } }),
  );
  expect([await status('/dry'), await status('/other')]).toEqual([200, 200]);
  const stats = await mesh.envoy('reviews-v1').stats('rbac\\..*shadow_(allowed|denied)$');
  const count = (name: string) =>
    [...stats].filter(([key]) => key.endsWith(`.rbac.${name}`)).reduce((sum, [, value]) => sum + value, 0);
  const found = ['deny', 'allow'].flatMap((action) =>
    ['denied', 'allowed'].map((result) => count(`istio_dry_run_${action}_.shadow_${result}`)),
  );
  expect(found).toEqual([1, 1, 1, 1]);
});

it('A-22: gRPC calls are paths by POST', async () => {
  await inForce(deny(to({ paths: ['/pkg.Service/Method'], methods: ['POST'] })));
  const call = (path: string) =>
    status(path, { method: 'POST', headers: { host: 'reviews', 'content-type': 'application/grpc' } });
  // Envoy answers gRPC clients with status 200 and the verdict in trailers, of which HTTP/1.1 callers see headers.
  const reply = await request(reviews, 8080, '/pkg.Service/Method', {
    method: 'POST',
    headers: { host: 'reviews', 'content-type': 'application/grpc' },
  });
  expect(reply.headers['grpc-status']).toBe('7');
  expect(await call('/pkg.Service/Other')).toBe(200);
  expect(mesh.echo('reviews-v1').seen.map(({ path }) => path)).toEqual(['/pkg.Service/Other']);
});

it('holds for the next request of a connection that is there already', async () => {
  await inForce();
  const call = async () => (await mesh.call('http://reviews/')).status;
  expect(await call()).toBe(200);
  const connections = await mesh.client.stat(
    'cluster.outbound|80||reviews.default.svc.cluster.local;.upstream_cx_total',
  );
  for (const [policies, expected] of [
    [[deny({})], 403],
    [[], 200],
    [[allow(to({ methods: ['PUT'] }))], 403],
    [[allow(to({ methods: ['GET'] }))], 200],
  ] as const) {
    await inForce(...policies);
    expect(await call()).toBe(expected);
  }
  expect(await mesh.client.stat('cluster.outbound|80||reviews.default.svc.cluster.local;.upstream_cx_total')).toBe(
    connections,
  );
});

it('was refused by no Envoy', async () => {
  for (const envoy of mesh.envoys) expect(await envoy.rejections()).toEqual({ count: 0, messages: [] });
});
