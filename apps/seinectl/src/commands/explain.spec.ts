import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { parse } from 'yaml';
import { run } from '../program.js';
import { FakeConfigApi } from '../testing/fake-config-api.js';
import { FakeIo } from '../testing/fake-io.js';

const object = (apiVersion: string, kind: string, name: string, spec: object, namespace = 'default') =>
  JSON.stringify({ apiVersion, kind, metadata: { name, namespace }, spec });
const mixer = (kind: string, name: string, spec: object) => object('config.istio.io/v1alpha2', kind, name, spec);

const deployment = (app: string) =>
  object('apps/v1', 'Deployment', `${app}-v1`, {
    selector: { matchLabels: { app } },
    template: { metadata: { labels: { app } }, spec: { containers: [{ name: app }] } },
  });
const service = (app: string) =>
  object('v1', 'Service', app, { selector: { app }, ports: [{ name: 'http', port: 9080 }] });

const mesh = [
  ...['ratings', 'reviews', 'details', 'productpage'].flatMap((app) => [service(app), deployment(app)]),
  mixer('handler', 'no', { compiledAdapter: 'denier' }),
  mixer('instance', 'request', { compiledTemplate: 'checknothing' }),
  mixer('rule', 'anonymous', {
    match: '(request.headers["x-user"] | "") == ""',
    actions: [{ handler: 'no', instances: ['request'] }],
  }),
  mixer('rule', 'v3', {
    match: 'destination.labels["app"] == "ratings" && source.labels["version"] == "v3"',
    actions: [{ handler: 'no', instances: ['request'] }],
  }),
  object('policy.seine.dev/v1alpha1', 'RateLimit', 'limits', {
    selector: { matchLabels: { app: 'ratings' } },
    local: [{ requests: 1, per: '1s' }],
    global: [{ requests: 1, per: '1s' }],
  }),
  object('security.istio.io/v1', 'AuthorizationPolicy', 'nobody', { action: 'DENY', rules: [{}] }),
].join('\n---\n');

const three = 'details-v1.default productpage-v1.default ratings-v1.default';
let io: FakeIo;
beforeEach(() => {
  io = new FakeIo();
  io.stdin = mesh;
});

describe('explain policy', () => {
  it('tells where each policy is decided, and why', async () => {
    expect([await run(['explain', 'policy', '-f', '-'], io), io.stderr]).toEqual([0, '']);
    expect(io.stdout).toBe(
      [
        'POLICY                               PART                                            DECIDED IN   FILTER            WORKLOADS',
        `AuthorizationPolicy default/nobody   DENY                                            proxy        rbac              ${three} and 1 more`,
        'RateLimit default/limits             global[0]                                       mixer        ratelimit         ratings-v1.default',
        '    it counts over all proxies',
        'RateLimit default/limits             local[0]                                        proxy        local_ratelimit   ratings-v1.default',
        `rule default/anonymous               no.handler.default ← request.instance.default   proxy        rbac              ${three} and 1 more`,
        'rule default/v3                      no.handler.default ← request.instance.default   mixer        ext_authz         ratings-v1.default',
        '    source.labels["version"] is looked up by mixer: a proxy knows of callers what their certificates say',
        'rule default/v3                      no.handler.default ← request.instance.default   never        -                 details-v1.default productpage-v1.default reviews-v1.default',
        '    its match never holds there',
        '',
      ].join('\n'),
    );
  });

  it('tells it of one workload', async () => {
    expect(await run(['explain', 'policy', 'ratings-v1', '-f', '-', '-o', 'json'], io)).toBe(0);
    const told = JSON.parse(io.stdout) as readonly Record<string, unknown>[];
    expect(told.map(({ name, part, place }) => [name, part, place])).toEqual([
      ['nobody', 'DENY', 'proxy'],
      ['limits', 'global[0]', 'service'],
      ['limits', 'local[0]', 'proxy'],
      ['anonymous', 'no.handler.default ← request.instance.default', 'proxy'],
      ['v3', 'no.handler.default ← request.instance.default', 'service'],
    ]);
  });

  it('names the workloads there are', async () => {
    expect(await run(['explain', 'policy', 'nobody', '-f', '-'], io)).toBe(1);
    expect(io.stderr).toContain('error: there is no workload nobody; there are details-v1.default, ');
  });

  it('tells it of the running mesh', async () => {
    const objects = mesh.split('\n---\n').map((json) => {
      const { apiVersion, kind, metadata } = JSON.parse(json) as ConfigObject;
      const group = apiVersion.split('/').slice(0, -1).join();
      const id = { group, kind, namespace: metadata.namespace, name: metadata.name };
      return { id, json, origin: 'applied', shadowed: [], resourceVersion: '1' };
    });
    const server = new FakeConfigApi({
      List: () => ({ objects, revision: 1 }),
      ListDiagnostics: () => ({ diagnostics: [] }),
    });
    io.env['SEINE_CONFIG_API'] = await server.start();
    try {
      expect([await run(['explain', 'policy', 'details-v1', '-o', 'yaml'], io), io.stderr]).toEqual([0, '']);
    } finally {
      server.stop();
    }
    const told = parse(io.stdout) as readonly Record<string, unknown>[];
    expect(told.map(({ kind, name, place, filter }) => [kind, name, place, filter])).toEqual([
      ['AuthorizationPolicy', 'nobody', 'proxy', 'rbac'],
      ['rule', 'anonymous', 'proxy', 'rbac'],
      ['rule', 'v3', 'never', undefined],
    ]);
  });
});
