import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { documents, istioYaml, RateLimitService, request, type RequestOptions, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
const url = 'http://reviews:8080/';
const selector = { matchLabels: { app: 'reviews' } };
const service = new RateLimitService();
let mesh: TestMesh;

beforeAll(async () => {
  await service.listen();
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1', sidecar: true }],
    gateway: true,
    config: {
      service: documents(
        istioYaml('ServiceEntry', 'limits', {
          hosts: ['limits.example.com'],
          ports: [{ number: 8081, name: 'grpc', protocol: 'GRPC' }],
          resolution: 'STATIC',
          endpoints: [{ address: '127.0.0.1', ports: { grpc: service.port } }],
        }),
        // A connection keeps the filters it began with; the next test's requests shall meet the next test's.
        istioYaml('DestinationRule', 'reviews', {
          host: 'reviews',
          trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } },
        }),
        istioYaml('Gateway', 'front', {
          selector: { istio: 'ingressgateway' },
          servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
        }),
        istioYaml('VirtualService', 'front', {
          hosts: ['front.example.com'],
          gateways: ['front'],
          http: [{ route: [{ destination: { host: 'reviews' } }] }],
        }),
      ),
    },
  });
});
afterAll(async () => {
  await mesh.stop();
  service.close();
});
beforeEach(() => {
  mesh.resetUpstreams();
  service.reset();
});

let number = 0;

/**
 * Puts a RateLimit into force, under a new name, so that no bucket of another test is left. Envoy acknowledges a listener
 * before its workers use it: a script in front of the limits, which answers a path of its own, says when they do.
 * @param probe asks for a path where the limit is
 * @returns the limit's name
 */
async function limit(
  spec: { readonly selector: object } & Record<string, unknown>,
  namespace = 'default',
  probe = async (path: string) => (await mesh.call(url.slice(0, -1) + path)).status,
): Promise<string> {
  const name = `limit-${++number}`;
  const inlineCode = `function envoy_on_request(handle)
  if handle:headers():get(":path") == "/${name}" then handle:respond({[":status"] = "204"}, "") end
end`;
  const yaml = documents(
    `apiVersion: policy.seine.dev/v1alpha1
kind: RateLimit
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${JSON.stringify(spec)}
`,
    `apiVersion: extensions.istio.io/v1alpha1
kind: TrafficExtension
metadata: { name: probe, namespace: ${namespace} }
spec: ${JSON.stringify({ selector: spec.selector, phase: 'AUTHN', match: [{ mode: 'SERVER' }, { mode: 'CLIENT', ports: [{ number: 8080 }] }], lua: { inlineCode } })}
`,
  );
  await mesh.apply('rate-limit', yaml);
  // Each worker takes it by itself, and any of them may get a request.
  let inForce = 0;
  await poll(async () => {
    inForce = (await probe(`/${name}`)) === 204 ? inForce + 1 : 0;
    return inForce === 10;
  }, `${name} to be in force`);
  mesh.resetUpstreams();
  service.reset();
  return name;
}

async function statuses(count: number, target = url, options: RequestOptions = {}): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i++) found.push((await mesh.call(target, options)).status);
  return found;
}

describe('local', () => {
  it('lets 2 requests through, refuses the third, and lets requests through again later', async () => {
    const name = await limit({ selector, local: [{ requests: 2, per: '60s' }] });
    expect(await statuses(3)).toEqual([200, 200, 429]);
    expect(mesh.echo('reviews-v1').count()).toBe(2);
    expect(await mesh.envoy('reviews-v1').stat(`rate_limit.default.${name}.0.http_local_rate_limit.rate_limited`)).toBe(
      1,
    );
    const clientSees = 'cluster.outbound|8080||reviews.default.svc.cluster.local;.upstream_rq_429';
    expect(await mesh.client.stat(clientSees)).toBeGreaterThanOrEqual(1);
    await limit({ selector, local: [{ requests: 1, per: '1s' }] });
    await poll(async () => (await statuses(1))[0] === 429, 'a request to be over the limit');
    await poll(async () => (await statuses(1))[0] === 200, 'the bucket to be filled again');
  });

  it('takes a burst', async () => {
    await limit({ selector, local: [{ requests: 1, per: '60s', burst: 3 }] });
    expect(await statuses(4)).toEqual([200, 200, 200, 429]);
  });

  it('counts each value of a header apart, and leaves alone what has none', async () => {
    await limit({ selector, local: [{ requests: 1, per: '60s', descriptors: [{ fromHeader: 'x-user' }] }] });
    const as = (user: string) => ({ headers: { 'x-user': user } });
    expect(await statuses(2, url, as('anna'))).toEqual([200, 429]);
    expect(await statuses(2, url, as('ben'))).toEqual([200, 429]);
    expect(await statuses(2, url)).toEqual([200, 200]);
  });

  it.each([
    ['path', { path: { exact: '/a.b' } }, ['/a.b?x=1', {}], ['/axb', {}]],
    ['path prefix', { path: { prefix: '/a' } }, ['/ab', {}], ['/b', {}]],
    ['path expression', { path: { regex: '/[0-9]+' } }, ['/12?x=1', {}], ['/12/a', {}]],
    ['method', { methods: ['POST', 'PUT'] }, ['/', { method: 'POST' }], ['/', { method: 'GET' }]],
    ['header', { headers: { 'x-a': { exact: '1' } } }, ['/', { headers: { 'x-a': '1' } }], ['/', {}]],
  ] as const)('counts only what a match takes: %s', async (_what, match, [taken, options], [left, others]) => {
    await limit({ selector, local: [{ requests: 1, per: '60s', match }] });
    const at = (path: string) => url.slice(0, -1) + path;
    expect(await statuses(2, at(taken), options as RequestOptions)).toEqual([200, 429]);
    expect(await statuses(2, at(left), others as RequestOptions)).toEqual([200, 200]);
  });

  it('answers with a status and headers of one’s own', async () => {
    await limit({
      selector,
      local: [{ requests: 1, per: '60s', statusCode: 503, headers: { 'retry-after': '60', 'x-why': '100% used' } }],
    });
    await mesh.call(url);
    expect(await mesh.call(url)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '60', 'x-why': '100% used' },
    });
  });

  it('only counts where it is told to', async () => {
    const name = await limit({ selector, local: [{ requests: 1, per: '60s', mode: 'COUNT_ONLY' }] });
    expect(await statuses(3)).toEqual([200, 200, 200]);
    const prefix = `rate_limit.default.${name}.0.http_local_rate_limit`;
    expect(await mesh.envoy('reviews-v1').stat(`${prefix}.rate_limited`)).toBe(2);
    expect(await mesh.envoy('reviews-v1').stat(`${prefix}.enforced`)).toBe(0);
  });

  it('counts each connection apart', async () => {
    await limit({ selector, local: [{ requests: 1, per: '60s', perConnection: true }] });
    const address = mesh.workloads.get('reviews-v1')?.address ?? '';
    const call = async (headers = {}) => (await request(address, 8080, '/', { headers })).status;
    expect([await call(), await call()]).toEqual([200, 429]);
    const closing = { connection: 'close' };
    await call(closing);
    expect([await call(closing), await call(closing), await call()]).toEqual([200, 200, 200]);
  });

  it('limits what gateways take in', async () => {
    const call = async (path: string) =>
      (await mesh.callGateway('front.example.com', path, { headers: { connection: 'close' } })).status;
    await limit(
      { selector: { matchLabels: { istio: 'ingressgateway' } }, local: [{ requests: 1, per: '60s' }] },
      'istio-system',
      (path) => call(path),
    );
    expect([await call('/'), await call('/')]).toEqual([200, 429]);
    expect(await statuses(3)).toEqual([200, 200, 200]);
  });
});

describe('global', () => {
  const rls = { host: 'limits.example.com', port: 8081 };

  it('asks the service with the limit’s name, its values, and the limit itself', async () => {
    const name = await limit({
      selector,
      service: rls,
      global: [
        {
          requests: 2,
          per: '5s',
          exact: true,
          descriptors: [
            { fromHeader: 'x-user' },
            { fromPath: true },
            { key: 'verb', fromMethod: true },
            { fromQueryParameter: 'id' },
            { remoteAddress: true },
            { sourceIdentity: true },
            { key: 'of', genericKey: '100%' },
          ],
        },
      ],
    });
    const call = () => statuses(1, `${url}p?id=7`, { headers: { 'x-user': 'anna' } });
    expect([await call(), await call(), await call()]).toEqual([[200], [200], [429]]);
    expect(service.asked).toHaveLength(3);
    const address = expect.stringMatching(/^remote_address=127\./) as unknown;
    expect(service.asked[0]).toEqual({
      domain: 'policy.seine.dev',
      policy: `"default/${name}/0";q=2;w=5;exact`,
      descriptors: [
        [
          `rate_limit=default/${name}/0`,
          'x-user=anna',
          'path=/p?id=7',
          'verb=GET',
          'id=7',
          address,
          'source_identity=-',
          'of=100%',
        ],
      ],
    });
    await statuses(1);
    // Without the values there is nothing to ask.
    expect(service.asked).toHaveLength(3);
  });

  it('sends a domain of the user’s nothing but the user’s descriptors', async () => {
    await limit({
      selector,
      service: rls,
      global: [
        {
          requests: 100,
          per: '1m',
          domain: 'bookinfo',
          match: { path: { prefix: '/ratings' } },
          descriptors: [{ key: 'PATH', genericKey: 'ratings' }, { fromHeader: 'x-user' }],
        },
      ],
    });
    await statuses(1, `${url}ratings`, { headers: { 'x-user': 'anna' } });
    await statuses(1, `${url}other`, { headers: { 'x-user': 'anna' } });
    expect(service.asked.map(({ domain, descriptors }) => [domain, descriptors])).toEqual([
      ['bookinfo', [['PATH=ratings', 'x-user=anna']]],
    ]);
  });

  it.each([
    ['refuses requests', false, 500],
    ['lets requests through', true, 200],
  ])('%s while the service is down, with failOpen %s', async (_what, failOpen, status) => {
    await limit({ selector, service: rls, global: [{ requests: 100, per: '1s', failOpen, timeout: '5s' }] });
    expect(await statuses(1)).toEqual([200]);
    service.close();
    try {
      expect(await statuses(2)).toEqual([status, status]);
      expect(service.asked).toHaveLength(1);
    } finally {
      await service.listen();
    }
    await poll(async () => {
      await statuses(1);
      return service.asked.length > 1;
    }, 'the service to be asked again');
    expect(await statuses(1)).toEqual([200]);
  });
});
