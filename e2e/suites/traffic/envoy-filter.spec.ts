import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Diagnostic } from '@seine/diagnostics';
import { poll } from '@seine/testing';
import {
  casesFolder,
  closeConnections,
  documents,
  httpRoutesYaml,
  istioYaml,
  many,
  RateLimitService,
  request,
  type Seen,
  TestMesh,
  to,
} from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    gateway: true,
    workloads: [
      { name: 'reviews-v1', sidecar: true },
      { name: 'reviews-v2', sidecar: true },
      { name: 'ratings-v1' },
      { name: 'productpage-v1', sidecar: true },
    ],
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

type Json = Readonly<Record<string, unknown>>;
const url = 'http://reviews:8080/';
const manager = 'envoy.filters.network.http_connection_manager';
const router = 'envoy.filters.http.router';
const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.http.${name}`;

function envoyFilter(name: string, configPatches: readonly Json[], more: Json = {}): string {
  return istioYaml('EnvoyFilter', name, { ...more, configPatches }).replace('istio.io/v1', 'istio.io/v1alpha3');
}
const httpFilter = (
  context: string,
  operation: string,
  value?: Json,
  subFilter: string | undefined = router,
): Json => ({
  applyTo: 'HTTP_FILTER',
  match: { context, listener: { filterChain: { filter: { name: manager, subFilter: { name: subFilter } } } } },
  patch: { operation, ...(value && { value }) },
});
const lua = (name: string, code: string): Json => ({
  name,
  typed_config: { '@type': type('lua.v3.Lua'), default_source_code: { inline_string: code } },
});
/** Writes a word behind what the request header says already. */
const writes = (word: string) =>
  lua(
    `lua.${word}`,
    `function envoy_on_request(handle)
       local old = handle:headers():get("x-order")
       handle:headers():replace("x-order", (old and old .. "," or "") .. "${word}")
     end`,
  );
/** Connections stay with the listener that took them; a new listener has its say on new ones. */
async function put(name: string, yaml: string): Promise<void> {
  await mesh.apply(name, yaml);
  closeConnections();
}
async function remove(name: string): Promise<void> {
  await mesh.remove(name);
  closeConnections();
}
const seenBy = async (target = url): Promise<Seen> => JSON.parse((await mesh.call(target)).body) as Seen;
const noRejections = async () => {
  for (const envoy of mesh.envoys) expect(await envoy.rejections()).toMatchObject({ count: 0 });
};

it('adds a Lua filter to inbound traffic of the workloads that it selects', async () => {
  const code = `function envoy_on_request(handle) handle:headers():add("x-lua", "in") end
                function envoy_on_response(handle) handle:headers():add("x-lua", "out") end`;
  const patch = httpFilter('SIDECAR_INBOUND', 'INSERT_BEFORE', lua('envoy.filters.http.lua', code));
  await put('lua', envoyFilter('lua', [patch], { workloadSelector: { labels: { version: 'v1' } } }));
  const replies = await many(20, () => mesh.call(url));
  const marked = replies.map(({ body, headers }) => {
    const { workload, headers: sent } = JSON.parse(body) as Seen;
    return [workload, sent['x-lua'], headers['x-lua']].join(' ');
  });
  expect([...new Set(marked)].sort()).toEqual(['reviews-v1 in out', 'reviews-v2  ']);
  await remove('lua');
  // The client's Envoy keeps connections to the old listener until that has drained them.
  await poll(async () => {
    const after = await many(20, () => mesh.call(url));
    return after.every(({ headers }) => headers['x-lua'] === undefined);
  }, 'the filter to be gone from every connection');
  await noRejections();
});

it('applies filters in the order of their priority', async () => {
  const [one, two] = ['one', 'two'].map((word) => httpFilter('SIDECAR_OUTBOUND', 'INSERT_BEFORE', writes(word)));
  const both = (first: number, second: number) =>
    documents(envoyFilter('one', [one!], { priority: first }), envoyFilter('two', [two!], { priority: second }));
  await put('order', both(-1, 5));
  expect((await seenBy()).headers['x-order']).toBe('one,two');
  await put('order', both(5, -1));
  expect((await seenBy()).headers['x-order']).toBe('two,one');
  await remove('order');
});

it('limits requests locally, as in Istio’s task', async () => {
  const limit = {
    stat_prefix: 'limited',
    token_bucket: { max_tokens: 2, tokens_per_fill: 1, fill_interval: '3600s' },
    filter_enabled: { default_value: { numerator: 100, denominator: 'HUNDRED' } },
    filter_enforced: { default_value: { numerator: 100, denominator: 'HUNDRED' } },
    response_headers_to_add: [{ append: false, header: { key: 'x-local-rate-limit', value: 'true' } }],
  };
  const opaque = {
    name: 'envoy.filters.http.local_ratelimit',
    typed_config: {
      '@type': 'type.googleapis.com/udpa.type.v1.TypedStruct',
      type_url: type('local_ratelimit.v3.LocalRateLimit'),
      value: { stat_prefix: 'http_local_rate_limiter' },
    },
  };
  const onRoute = {
    applyTo: 'HTTP_ROUTE',
    match: {
      context: 'SIDECAR_INBOUND',
      routeConfiguration: { vhost: { name: 'inbound|http|8080', route: { action: 'ANY' } } },
    },
    patch: {
      operation: 'MERGE',
      value: {
        typed_per_filter_config: {
          'envoy.filters.http.local_ratelimit': { '@type': type('local_ratelimit.v3.LocalRateLimit'), ...limit },
        },
      },
    },
  };
  const selector = { workloadSelector: { labels: { version: 'v1' } } };
  await put('limit', envoyFilter('limit', [httpFilter('SIDECAR_INBOUND', 'INSERT_BEFORE', opaque), onRoute], selector));
  const address = mesh.workloads.get('reviews-v1')!.address;
  const replies = await many(4, () => request(address, 8080, '/', { headers: { host: 'reviews' } }), 1);
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
  expect(replies[3]!.headers['x-local-rate-limit']).toBe('true');
  await remove('limit');
  await noRejections();
});

describe('Istio’s samples', () => {
  const sample = (file: string) => fs.readFileSync(path.join(casesFolder(), 'samples', file), 'utf8');

  it('limit productpage locally, by path', async () => {
    await put(
      'sample',
      sample('ratelimit/local-rate-limit-service.yaml').replace('inbound|http|8000', 'inbound|http|8080'),
    );
    const address = mesh.workloads.get('productpage-v1')!.address;
    const ask = (count: number, target: string) =>
      many(count, () => request(address, 8080, target, { headers: { host: 'productpage' } }), 1);
    const pages = await ask(12, '/productpage');
    expect(pages.map(({ status }) => status)).toEqual([...Array<number>(10).fill(200), 429, 429]);
    expect(pages.map(({ headers }) => headers['x-local-rate-limit'])).toContain('true');
    expect((await ask(5, '/static')).map(({ status }) => status)).toEqual(Array(5).fill(200));
    await remove('sample');
    await noRejections();
  });

  it('ask a rate limit service at the gateway, and refuse when it is gone', async () => {
    const service = new RateLimitService();
    await service.listen();
    try {
      const yaml = sample('bookinfo/policy/productpage_envoy_ratelimit.yaml')
        .replace('address: ratelimit.default.svc.cluster.local', 'address: 127.0.0.1')
        .replace('port_value: 8081', `port_value: ${service.port}`);
      const servers = [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }];
      await put(
        'sample',
        documents(
          istioYaml('Gateway', 'ingress', { selector: { istio: 'ingressgateway' }, servers }),
          httpRoutesYaml('edge.example.com', [{ route: [to('ratings')] }], { gateways: ['ingress'] }),
          yaml,
        ),
      );
      expect((await mesh.callGateway('edge.example.com', '/productpage')).status).toBe(200);
      expect(service.asked).toEqual([
        { domain: 'productpage-ratelimit', descriptors: [['PATH=/productpage']], policy: '' },
      ]);
      service.close();
      await poll(
        async () => (await mesh.callGateway('edge.example.com', '/productpage')).status === 500,
        'requests to be refused',
      );
    } finally {
      service.close();
    }
    await remove('sample');
    await noRejections();
  });
});

describe('MERGE', () => {
  it('of a route: the call is given up in time', async () => {
    const match = {
      context: 'SIDECAR_OUTBOUND',
      routeConfiguration: { portNumber: 8080, vhost: { name: 'ratings.default.svc.cluster.local:8080' } },
    };
    const value = { route: { timeout: '0.2s' } };
    await put(
      'timeout',
      envoyFilter('timeout', [{ applyTo: 'HTTP_ROUTE', match, patch: { operation: 'MERGE', value } }]),
    );
    mesh.echo('ratings-v1').answer = () => ({ delayMs: 1500 });
    expect((await mesh.call('http://ratings:8080/')).status).toBe(504);
    await remove('timeout');
    expect((await mesh.call('http://ratings:8080/')).status).toBe(200);
  });

  it('of a cluster: a host that fails once is ejected', async () => {
    const match = { context: 'SIDECAR_OUTBOUND', cluster: { service: 'reviews.default.svc.cluster.local' } };
    const value = {
      outlier_detection: { consecutive_5xx: 1, base_ejection_time: '3600s', max_ejection_percent: 50 },
    };
    await put('outlier', envoyFilter('outlier', [{ applyTo: 'CLUSTER', match, patch: { operation: 'MERGE', value } }]));
    mesh.echo('reviews-v2').answer = () => ({ status: 500 });
    await poll(async () => {
      await many(4, () => mesh.call(url), 1);
      return mesh.echo('reviews-v2').count() > 0;
    }, 'the failing host to be asked');
    mesh.resetUpstreams();
    expect(await mesh.split(20, url)).toEqual({ 'reviews-v1': 20 });
    await remove('outlier');
  });
});

it('REMOVE of a filter: what it did is not done any more', async () => {
  const fault = { abort: { httpStatus: 418, percentage: { value: 100 } } };
  await put('fault', httpRoutesYaml('ratings', [{ fault, route: [to('ratings')] }]));
  expect((await mesh.call('http://ratings:8080/')).status).toBe(418);
  const without = httpFilter('SIDECAR_OUTBOUND', 'REMOVE', undefined, 'envoy.filters.http.fault');
  await put('no-fault', envoyFilter('no-fault', [without]));
  expect((await mesh.call('http://ratings:8080/')).status).toBe(200);
  await remove('no-fault');
  expect((await mesh.call('http://ratings:8080/')).status).toBe(418);
  await remove('fault');
});

it('ADD: a virtual host, the cluster it leads to, and a filter that discovers its config', async () => {
  const ratings = mesh.workloads.get('ratings-v1')!.address;
  const cluster = {
    name: 'my-cluster',
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: 'my-cluster',
      endpoints: [
        { lb_endpoints: [{ endpoint: { address: { socket_address: { address: ratings, port_value: 8080 } } } }] },
      ],
    },
  };
  const host = {
    name: 'mine',
    domains: ['mine.example.com'],
    routes: [{ match: { prefix: '/' }, route: { cluster: 'my-cluster' } }],
  };
  const discovered = {
    name: 'my-config',
    config_discovery: { config_source: { ads: {} }, type_urls: [type('lua.v3.Lua')] },
  };
  const patches = [
    { applyTo: 'CLUSTER', patch: { operation: 'ADD', value: cluster } },
    {
      applyTo: 'VIRTUAL_HOST',
      match: { context: 'SIDECAR_OUTBOUND', routeConfiguration: { name: 'http_proxy' } },
      patch: { operation: 'ADD', value: host },
    },
    httpFilter('SIDECAR_OUTBOUND', 'INSERT_BEFORE', discovered),
    { applyTo: 'EXTENSION_CONFIG', patch: { operation: 'ADD', value: { ...writes('discovered'), name: 'my-config' } } },
  ];
  await put('mine', envoyFilter('mine', patches, { workloadSelector: { labels: { app: 'client' } } }));
  const { workload, headers } = await seenBy('http://mine.example.com/');
  expect([workload, headers['x-order']]).toEqual(['ratings-v1', 'discovered']);
  await remove('mine');
  await noRejections();
});

it('patches a gateway by the port of its Service, and no sidecar', async () => {
  const servers = [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }];
  await put(
    'gateway',
    documents(
      istioYaml('Gateway', 'ingress', { selector: { istio: 'ingressgateway' }, servers }),
      httpRoutesYaml('edge.example.com', [{ route: [to('ratings')] }], { gateways: ['ingress'] }),
      envoyFilter('edge', [
        {
          applyTo: 'VIRTUAL_HOST',
          match: { context: 'GATEWAY', routeConfiguration: { portNumber: 80 } },
          patch: {
            operation: 'MERGE',
            value: { response_headers_to_add: [{ header: { key: 'x-edge', value: 'patched' } }] },
          },
        },
      ]).replace('namespace: default', 'namespace: istio-system'),
    ),
  );
  expect((await mesh.callGateway('edge.example.com', '/')).headers['x-edge']).toBe('patched');
  expect((await mesh.call('http://ratings:8080/')).headers['x-edge']).toBeUndefined();
  await remove('gateway');
});

describe('bad patches', () => {
  const diagnostics = async (): Promise<readonly Diagnostic[]> => {
    const { body } = await request('127.0.0.1', mesh.pilot.ports.admin, '/debug/diagnostics');
    return (JSON.parse(body) as { readonly diagnostics: readonly Diagnostic[] }).diagnostics;
  };

  it('that Envoy would refuse are left out, and said; the good ones of the same object are in force', async () => {
    const good = httpFilter('SIDECAR_OUTBOUND', 'INSERT_BEFORE', writes('good'));
    const behind = httpFilter('SIDECAR_OUTBOUND', 'INSERT_AFTER', writes('behind'));
    const timeout = { applyTo: 'CLUSTER', patch: { operation: 'MERGE', value: { connect_timeout: '-1s' } } };
    await put('bad', envoyFilter('bad', [good, behind, timeout]));
    expect((await seenBy()).headers['x-order']).toBe('good');
    const found = (await diagnostics()).filter(({ code }) => code === 'SEINE-PATCH');
    expect(new Set(found.map(({ object, path }) => `${object?.name} ${path}`))).toEqual(
      new Set(['bad spec.configPatches[1]', 'bad spec.configPatches[2]']),
    );
    await noRejections();
    await remove('bad');
  });

  it('that cannot be read leave the last good version in force', async () => {
    const good = httpFilter('SIDECAR_OUTBOUND', 'INSERT_BEFORE', writes('last-good'));
    await put('broken', envoyFilter('broken', [good]));
    const typo = { name: 'x', typed_config: { '@type': type('lua.v3.Lau') } };
    mesh.write('broken', envoyFilter('broken', [httpFilter('SIDECAR_OUTBOUND', 'INSERT_BEFORE', typo)]));
    await put('other', envoyFilter('other', [httpFilter('SIDECAR_OUTBOUND', 'INSERT_BEFORE', writes('other'))]));
    expect((await seenBy()).headers['x-order']).toBe('last-good,other');
    await noRejections();
  });
});
