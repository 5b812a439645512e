import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import {
  binomialRange,
  documents,
  EchoServer,
  LoopbackAddresses,
  many,
  secretYaml,
  type Seen,
  TestAuthority,
  TestMesh,
  tlsRequest,
} from '../../src/index.js';

jest.setTimeout(180_000);
const tlsPort = 8443;
const tcpPort = 9000;
let mesh: TestMesh;
let authority: TestAuthority;
let secure: EchoServer;
let secureAddress: string;
beforeAll(async () => {
  mesh = await TestMesh.start({
    gateway: true,
    workloads: [{ name: 'reviews-v1' }, { name: 'ratings-v1' }, { name: 'shadow-v1' }],
    services: [
      {
        name: 'reviews',
        ports: [
          { name: 'http', port: 8080 },
          { name: 'tcp', port: tcpPort, targetPort: 8080 },
        ],
      },
    ],
  });
  authority = new TestAuthority(path.join(mesh.folder, 'authority'));
  const pool = new LoopbackAddresses();
  for (let i = 0; i < 230; i++) pool.next();
  secureAddress = pool.next();
  secure = await EchoServer.listen('secure', secureAddress, tlsPort, authority.issue('bank.example.com'));
});
afterAll(async () => {
  await secure.close();
  await mesh.stop();
});
beforeEach(() => mesh.resetUpstreams());

/** An object of the Gateway API; JSON is YAML. */
const object = (kind: string, name: string, spec: unknown, namespace = 'default', version = 'v1') =>
  `apiVersion: gateway.networking.k8s.io/${version}
kind: ${kind}
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${JSON.stringify(spec)}
`;
const http = { name: 'http', port: 80, protocol: 'HTTP' };
const gateway = (...listeners: object[]) => object('Gateway', 'shop', { gatewayClassName: 'istio', listeners });
const parentRefs = [{ name: 'shop' }];
const route = (rules: unknown[], more: object = {}, name = 'shop') =>
  object('HTTPRoute', name, { parentRefs, rules, ...more });
const to = (name: string, weight?: number) => ({ name, port: 8080, ...(weight !== undefined && { weight }) });
const under = (value: string) => ({ path: { type: 'PathPrefix', value } });

const seenAt = async (target: string, host = 'shop.example.com', headers: Record<string, string> = {}) => {
  const { status, body } = await mesh.callGateway(host, target, { headers });
  return status === 200 ? (JSON.parse(body) as Seen) : status;
};
const workloadAt = async (target: string, host?: string, headers?: Record<string, string>) => {
  const seen = await seenAt(target, host, headers);
  return typeof seen === 'number' ? seen : seen.workload;
};

describe('a Gateway that nobody deployed is served by the ingress gateway', () => {
  it('by host and path, the most exact rule of all routes first', async () => {
    await mesh.apply(
      'api',
      documents(
        gateway({ ...http, hostname: '*.example.com' }),
        route([{ backendRefs: [to('ratings')] }], { hostnames: ['shop.example.com'] }),
        route(
          [
            { matches: [under('/reviews')], backendRefs: [to('reviews')] },
            { matches: [{ path: { type: 'Exact', value: '/reviews/none' } }], backendRefs: [to('ratings')] },
            {
              matches: [{ ...under('/'), headers: [{ name: 'X-To', value: 'reviews' }] }],
              backendRefs: [to('reviews')],
            },
          ],
          { hostnames: ['shop.example.com', 'elsewhere.net'] },
          'more',
        ),
      ),
    );
    expect(await workloadAt('/')).toBe('ratings-v1');
    expect(await workloadAt('/', undefined, { 'x-to': 'reviews' })).toBe('reviews-v1');
    expect(await workloadAt('/reviews/1')).toBe('reviews-v1');
    expect(await workloadAt('/reviews')).toBe('reviews-v1');
    expect(await workloadAt('/reviews/none')).toBe('ratings-v1');
    // A prefix ends where a segment of the path does.
    expect(await workloadAt('/reviewsmore')).toBe('ratings-v1');
    expect(await workloadAt('/', 'other.example.com')).toBe(404);
    expect(await workloadAt('/', 'elsewhere.net')).toBe(404);
  });

  it('only for namespaces that it lets in', async () => {
    const attached = (namespace: string) =>
      object(
        'HTTPRoute',
        'from-outside',
        {
          parentRefs: [{ name: 'shop', namespace: 'default' }],
          rules: [{ backendRefs: [{ ...to('reviews'), namespace: 'default' }] }],
        },
        namespace,
      );
    const grant = object(
      'ReferenceGrant',
      'outside',
      {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'outside' }],
        to: [{ group: '', kind: 'Service' }],
      },
      'default',
      'v1beta1',
    );
    await mesh.apply('api', documents(gateway(http), attached('outside'), grant));
    expect(await workloadAt('/')).toBe(404);
    const open = { ...http, allowedRoutes: { namespaces: { from: 'All' } } };
    await mesh.apply('api', documents(gateway(open), attached('outside')));
    // Without the grant the backend is not to be had.
    expect(await workloadAt('/')).toBe(500);
    await mesh.apply('api', documents(gateway(open), attached('outside'), grant));
    expect(await workloadAt('/')).toBe('reviews-v1');
  });

  it('on its own ports too, as for Gateways of Istio', async () => {
    await mesh.apply(
      'api',
      documents(
        gateway(http, { name: 'tcp', port: tcpPort, protocol: 'TCP' }),
        object('TCPRoute', 'tcp', {
          parentRefs: [{ name: 'shop', sectionName: 'tcp' }],
          rules: [{ backendRefs: [{ name: 'reviews', port: tcpPort }] }],
        }),
      ),
    );
    const reply = await fetch(`http://${mesh.gatewayAddress}:${tcpPort}/through-tcp`);
    expect((await reply.json()) as Seen).toMatchObject({ workload: 'reviews-v1', path: '/through-tcp' });
  });
});

describe('backends', () => {
  it('are weighed', async () => {
    await mesh.apply(
      'api',
      documents(gateway(http), route([{ backendRefs: [to('reviews', 1), to('ratings', 3), to('shadow', 0)] }])),
    );
    const seen = await many(800, () => workloadAt('/'));
    const { low, high } = binomialRange(800, 0.25);
    const first = seen.filter((workload) => workload === 'reviews-v1').length;
    expect(first).toBeGreaterThanOrEqual(low);
    expect(first).toBeLessThanOrEqual(high);
    expect(seen.filter((workload) => workload === 'ratings-v1').length).toBe(800 - first);
  });

  it.each([
    ['that are not there', { backendRefs: [to('lost')] }],
    ['of which there are none', {}],
    ['that get nothing', { backendRefs: [to('reviews', 0)] }],
    [
      'of a kind that is unknown',
      { backendRefs: [{ ...to('reviews'), kind: 'Bucket', group: 'storage.example.com' }] },
    ],
    [
      'behind a filter that is unknown',
      {
        filters: [{ type: 'ExtensionRef', extensionRef: { group: 'example.com', kind: 'Filter', name: 'f' } }],
        backendRefs: [to('reviews')],
      },
    ],
  ])('%s answer 500, and other rules stay', async (_, rule) => {
    await mesh.apply(
      'api',
      documents(gateway(http), route([{ ...rule, matches: [under('/bad')] }, { backendRefs: [to('ratings')] }])),
    );
    expect(await workloadAt('/bad')).toBe(500);
    expect(await workloadAt('/good')).toBe('ratings-v1');
  });
});

describe('filters', () => {
  it('change headers', async () => {
    const filters = [
      {
        type: 'RequestHeaderModifier',
        requestHeaderModifier: {
          set: [{ name: 'X-Set', value: 'new' }],
          add: [{ name: 'X-Add', value: 'b' }],
          remove: ['X-Gone'],
        },
      },
      { type: 'ResponseHeaderModifier', responseHeaderModifier: { add: [{ name: 'X-Answer', value: 'yes' }] } },
    ];
    await mesh.apply('api', documents(gateway(http), route([{ filters, backendRefs: [to('reviews')] }])));
    const { headers, body } = await mesh.callGateway('shop.example.com', '/', {
      headers: { 'x-set': 'old', 'x-gone': '1' },
    });
    const seen = JSON.parse(body) as Seen;
    expect(seen.headers).toMatchObject({ 'x-set': 'new', 'x-add': 'b' });
    expect(seen.headers).not.toHaveProperty('x-gone');
    expect(headers['x-answer']).toBe('yes');
  });

  it.each([
    ['/old', { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' }, '/old/1?q=2', '/new/1?q=2'],
    ['/old', { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new/' }, '/old/1', '/new/1'],
    ['/old', { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' }, '/old/1', '/1'],
    ['/old', { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' }, '/old', '/'],
    ['/', { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' }, '/1', '/new/1'],
    ['/old', { type: 'ReplaceFullPath', replaceFullPath: '/all' }, '/old/1', '/all'],
  ])('rewrite under %s by %j: %s becomes %s', async (prefix, modifier, target, expected) => {
    const filters = [{ type: 'URLRewrite', urlRewrite: { hostname: 'inner.example.com', path: modifier } }];
    await mesh.apply(
      'api',
      documents(gateway(http), route([{ matches: [under(prefix)], filters, backendRefs: [to('reviews')] }])),
    );
    expect(await seenAt(target)).toMatchObject({ path: expected, headers: { host: 'inner.example.com' } });
  });

  it.each([
    [{ scheme: 'https' }, '/a', 302, 'https://shop.example.com/a'],
    [{ hostname: 'new.example.com', statusCode: 301 }, '/a', 301, 'http://new.example.com/a'],
    [
      { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' }, port: 8081 },
      '/old/a',
      302,
      'http://shop.example.com:8081/a',
    ],
    [
      { path: { type: 'ReplaceFullPath', replaceFullPath: '/all' }, scheme: 'https', port: 8443 },
      '/old',
      302,
      'https://shop.example.com:8443/all',
    ],
  ])('redirect by %j', async (requestRedirect, target, status, location) => {
    const filters = [{ type: 'RequestRedirect', requestRedirect }];
    const matches = [under(target.startsWith('/old') ? '/old' : '/')];
    await mesh.apply('api', documents(gateway(http), route([{ matches, filters }])));
    const reply = await mesh.callGateway('shop.example.com', target);
    expect([reply.status, reply.headers.location]).toEqual([status, location]);
  });

  it('mirror a share of the requests', async () => {
    const filters = [
      {
        type: 'RequestMirror',
        requestMirror: { backendRef: to('shadow'), fraction: { numerator: 1, denominator: 4 } },
      },
    ];
    await mesh.apply('api', documents(gateway(http), route([{ filters, backendRefs: [to('reviews')] }])));
    expect(new Set(await many(800, () => workloadAt('/')))).toEqual(new Set(['reviews-v1']));
    await poll(async () => {
      const active = await mesh.gateway.stats('^cluster\\.outbound.*upstream_rq_active$');
      return [...active.values()].every((value) => value === 0);
    }, 'mirrored calls to end');
    const { low, high } = binomialRange(800, 0.25);
    expect(mesh.echo('shadow-v1').count()).toBeGreaterThanOrEqual(low);
    expect(mesh.echo('shadow-v1').count()).toBeLessThanOrEqual(high);
  });

  it('let scripts of other sites call', async () => {
    const filters = [{ type: 'CORS', cors: { allowOrigins: ['https://*.example.com'], allowMethods: ['PUT'] } }];
    await mesh.apply('api', documents(gateway(http), route([{ filters, backendRefs: [to('reviews')] }])));
    const preflight = async (origin: string) =>
      await mesh.callGateway('shop.example.com', '/', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'PUT' },
      });
    expect((await preflight('https://a.example.com')).headers['access-control-allow-origin']).toBe(
      'https://a.example.com',
    );
    expect((await preflight('https://evil.net')).headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('gRPC', () => {
  it('is routed by service and method', async () => {
    const grpc = (rules: unknown[]) => object('GRPCRoute', 'calls', { parentRefs, rules });
    const rules = [
      { matches: [{ method: { service: 'shop.Cart', method: 'Add' } }], backendRefs: [to('reviews')] },
      { matches: [{ method: { service: 'shop.Cart' } }], backendRefs: [to('ratings')] },
      { matches: [{ method: { type: 'RegularExpression', method: 'Pay.*' } }], backendRefs: [to('shadow')] },
    ];
    await mesh.apply('api', documents(gateway(http), grpc(rules)));
    expect(await workloadAt('/shop.Cart/Add')).toBe('reviews-v1');
    expect(await workloadAt('/shop.Cart/Remove')).toBe('ratings-v1');
    expect(await workloadAt('/shop.Till/PayAll')).toBe('shadow-v1');
    expect(await workloadAt('/shop.Till/Open')).toBe(404);
  });
});

describe('TLS', () => {
  const call = (servername: string) => tlsRequest(mesh.gatewayAddress, tlsPort, { servername });

  it('is ended with the certificate of a Secret, by host', async () => {
    const certificate = authority.issue('shop.example.com');
    const listener = {
      name: 'https',
      port: tlsPort,
      protocol: 'HTTPS',
      hostname: 'shop.example.com',
      tls: { certificateRefs: [{ name: 'shop' }] },
    };
    const secret = secretYaml('shop', { 'tls.crt': certificate.cert, 'tls.key': certificate.key }, 'default');
    await mesh.apply('api', documents(gateway(listener), secret, route([{ backendRefs: [to('reviews')] }])));
    expect(await call('shop.example.com')).toMatchObject({
      status: 200,
      workload: 'reviews-v1',
      fingerprint: new X509Certificate(certificate.cert).fingerprint256,
    });
    expect((await call('elsewhere.net')).status).toBeUndefined();
  });

  it('is passed on by the host that is asked for', async () => {
    const entry = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: bank, namespace: default }
spec:
  hosts: [bank.example.com]
  ports: [{ number: ${tlsPort}, name: tls, protocol: TLS }]
  resolution: STATIC
  endpoints: [{ address: ${secureAddress} }]
`;
    const listener = {
      name: 'tls',
      port: tlsPort,
      protocol: 'TLS',
      hostname: '*.example.com',
      tls: { mode: 'Passthrough' },
    };
    const backend = { group: 'networking.istio.io', kind: 'Hostname', name: 'bank.example.com', port: tlsPort };
    const tls = object('TLSRoute', 'bank', {
      parentRefs,
      hostnames: ['bank.example.com'],
      rules: [{ backendRefs: [backend] }],
    });
    await mesh.apply('api', documents(gateway(listener), entry, tls));
    expect(await call('bank.example.com')).toMatchObject({ status: 200, workload: 'secure' });
    expect((await call('other.example.com')).status).toBeUndefined();
  });

  it('goes on to a backend, which must show the right certificate', async () => {
    const service = (hostname: string) => `apiVersion: v1
kind: Service
metadata: { name: secure, namespace: default }
spec: { ports: [{ name: http, port: 80, targetPort: ${tlsPort} }] }
---
apiVersion: v1
kind: Endpoints
metadata: { name: secure, namespace: default }
subsets: [{ addresses: [{ ip: ${secureAddress} }], ports: [{ name: http, port: ${tlsPort} }] }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: authority, namespace: default }
data: { ca.crt: ${JSON.stringify(authority.certificate.toString())} }
---
${object('BackendTLSPolicy', 'secure', {
  targetRefs: [{ group: '', kind: 'Service', name: 'secure' }],
  validation: { hostname, caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'authority' }] },
})}`;
    const plain = route([{ backendRefs: [{ name: 'secure', port: 80 }] }]);
    await mesh.apply('api', documents(gateway(http), plain, service('bank.example.com')));
    expect(await workloadAt('/')).toBe('secure');
    // Sidecars verify it too, although the certificates to trust are in no Secret of theirs.
    const { status, body } = await mesh.call('http://secure/');
    expect([status, (JSON.parse(body) as Seen).workload]).toEqual([200, 'secure']);
    await mesh.apply('api', documents(gateway(http), plain, service('other.example.com')));
    expect(await workloadAt('/')).toBe(503);
  });
});

describe('inside the mesh', () => {
  const service = (name: string, more: object = {}) => ({ group: '', kind: 'Service', name, ...more });
  const inMesh = (parent: object, rules: unknown[], namespace = 'default') =>
    object('HTTPRoute', 'in-mesh', { parentRefs: [parent], rules }, namespace);

  it('a route of the Service splits calls by weight', async () => {
    await mesh.apply('api', inMesh(service('reviews'), [{ backendRefs: [to('reviews', 1), to('ratings', 3)] }]));
    const counts = await mesh.split(800, 'http://reviews:8080/');
    const { low, high } = binomialRange(800, 0.25);
    expect(counts['reviews-v1']).toBeGreaterThanOrEqual(low);
    expect(counts['reviews-v1']).toBeLessThanOrEqual(high);
    expect((counts['reviews-v1'] ?? 0) + (counts['ratings-v1'] ?? 0)).toBe(800);
  });

  it('answers 404 what no rule takes, on the port that it names only', async () => {
    await mesh.apply(
      'api',
      inMesh(service('reviews', { port: 8080 }), [{ matches: [under('/v1')], backendRefs: [to('reviews')] }]),
    );
    expect((await mesh.call('http://reviews:8080/v1/a')).status).toBe(200);
    expect((await mesh.call('http://reviews:8080/v2')).status).toBe(404);
    await mesh.apply(
      'api',
      inMesh(service('reviews', { port: 8081 }), [{ matches: [under('/v1')], backendRefs: [to('reviews')] }]),
    );
    expect((await mesh.call('http://reviews:8080/v2')).status).toBe(200);
  });

  it('of another namespace is for clients there only', async () => {
    const foreign = (namespace: string) =>
      inMesh(
        service('reviews', { namespace: 'default' }),
        [{ backendRefs: [{ ...to('ratings'), namespace: 'default' }] }],
        namespace,
      );
    await mesh.apply('api', foreign('elsewhere'));
    expect(await mesh.split(5, 'http://reviews:8080/')).toEqual({ 'reviews-v1': 5 });
  });
});
