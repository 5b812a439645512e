import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Asked, bagOf, checkByMixer, poll, RandomPolicies, RandomRules } from '@seine/testing';
import { serviceAttributes, type Value, workloadAttributes } from '@seine/mixer';
import type { MeshService, Workload } from '@seine/model';
import {
  documents,
  ExtAuthzService,
  many,
  podYaml,
  rawGet,
  rawRequest,
  serviceYaml,
  TestMesh,
  tlsRequest,
} from '../../src/index.js';
import { meshConfigYaml } from '../identity/policy-yaml.js';
import { mixerYaml } from './policy-mesh.js';

jest.setTimeout(300_000);

/** A handler that refuses, and what it is handed. */
const denier = (status: object, namespace = 'default'): string =>
  documents(
    mixerYaml('handler', 'no', { compiledAdapter: 'denier', params: { status } }, { namespace }),
    mixerYaml('instance', 'no', { compiledTemplate: 'checknothing' }, { namespace }),
  );
const rule = (name: string, match: string, namespace = 'default'): string =>
  mixerYaml('rule', name, { match, actions: [{ handler: 'no', instances: ['no'] }] }, { namespace });

/** Whether some listener of a workload's proxy asks mixer. */
async function asks(mesh: TestMesh, name: string): Promise<boolean> {
  return (await mesh.envoy(name).admin('/config_dump?resource=dynamic_listeners')).includes('ext_authz.v3.ExtAuthz"');
}

const reviews = { host: 'reviews.default.svc.cluster.local', name: 'reviews', namespace: 'default' };
const services = [{ name: 'store', ports: [{ name: 'tcp', port: 7000, targetPort: 8080 }] }];

describe('without identities', () => {
  let mesh: TestMesh;
  let address: string;
  const mixer = new ExtAuthzService();
  const normalized = { pathNormalization: { normalization: 'BASE' } };
  beforeAll(async () => {
    await mixer.listen();
    const place = { name: 'mixer', namespace: 'istio-system' };
    const ports = [{ name: 'grpc', containerPort: mixer.ports.grpc }];
    mesh = await TestMesh.start({
      workloads: [
        { name: 'reviews-v1', sidecar: true },
        { name: 'ratings-v1', sidecar: true },
        { name: 'store-v1', sidecar: true },
      ],
      services,
      config: {
        'mesh-config': meshConfigYaml(normalized),
        mixer: documents(
          serviceYaml({ ...place, ports: [{ name: 'grpc', port: 9091, targetPort: 'grpc' }] }),
          podYaml({ ...place, address: '127.0.0.1', labels: { app: 'mixer' }, ports }),
        ),
      },
    });
    address = mesh.workloads.get('reviews-v1')?.address ?? '';
  });
  afterAll(async () => {
    await mesh.stop();
    await mixer.close();
  });
  afterEach(async () => {
    mixer.reset();
    await mesh.apply('rules', '');
  });

  const ask = async (asked: Pick<Asked, 'method' | 'target' | 'host' | 'headers' | 'sourceIp'>) => {
    const { method, target, host, headers, sourceIp } = asked;
    const all = { host, ...headers, 'content-length': '0', connection: 'close' };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    const bytes = `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
    const { status, body } = await rawRequest(address, 8080, bytes, { from: sourceIp });
    return { status, body };
  };
  const get = (headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
    ask({ method, target: '/', host: 'a.com', headers, sourceIp: '127.0.0.1' });

  let applied = 0;
  /** Puts rules into force, with one that tells when they are: workers take a listener over one after the other. */
  const apply = async (...yaml: readonly string[]) => {
    // The first of all rules, in force even where another refuses everything.
    const before = `0-marker-${applied}`;
    const name = `0-marker-${++applied}`;
    const marker = documents(
      mixerYaml('handler', name, { compiledAdapter: 'denier', params: { status: { code: 7, message: name } } }),
      mixerYaml('instance', name, { compiledTemplate: 'checknothing' }),
      mixerYaml('rule', name, {
        match: `request.path == "/${name}"`,
        actions: [{ handler: name, instances: [name] }],
      }),
    );
    await mesh.apply('rules', documents(marker, ...yaml));
    const answers = (marker: string) =>
      many(4, () => ask({ method: 'GET', target: `/${marker}`, host: 'a', headers: {}, sourceIp: '127.0.0.9' }));
    // What is gone from a file goes one step later than what is new in it.
    await poll(async () => {
      const [news, olds] = [await answers(name), await answers(before)];
      return news.every(({ body }) => body.endsWith(name)) && olds.every(({ body }) => !body.endsWith(before));
    }, `the rules of ${name}`);
  };

  const sets = 40;
  const requestsEach = 10;
  it(`decides ${sets * requestsEach} generated cases as mixer does, with its answers, and asks nobody`, async () => {
    const [rules, requests] = [new RandomRules(11), new RandomPolicies(11)];
    const workload = {
      name: 'reviews-v1',
      namespace: 'default',
      labels: { app: 'reviews', version: 'v1' },
      inbound: [],
    } as unknown as Workload;
    const constants = new Map<string, Value>([
      ...workloadAttributes('destination', workload),
      ...serviceAttributes('destination', reviews as MeshService),
      ['destination.port', 8080],
      ['context.reporter.kind', 'inbound'],
    ]);
    const seen = { passed: 0, refused: 0 };
    for (let i = 0; i < sets; i++) {
      const objects = rules.objects();
      await apply(...objects.map((object) => `${JSON.stringify(object)}\n`));
      const all = Array.from({ length: requestsEach }, () => requests.request({ identities: false, ports: [8080] }));
      const got = await many(requestsEach, (j) => ask(all[j]!), 4);
      all.forEach((asked, j) => {
        const { refused } = checkByMixer(objects, bagOf(asked, constants));
        const { status, body } = got[j]!;
        seen[refused.length > 0 ? 'refused' : 'passed']++;
        const isRight =
          refused.length === 0
            ? status === 200
            : // Of several the proxy tells the first, mixer all behind it.
              refused[0]?.status === status && refused[0].body === body;
        if (!isRight) throw new Error(JSON.stringify({ case: `${i}.${j}`, objects, asked, refused, got: got[j] }));
      });
    }
    expect(seen.passed).toBeGreaterThan(80);
    expect(seen.refused).toBeGreaterThan(80);
    expect(mixer.asked).toEqual([]);
    expect(await mesh.envoy('reviews-v1').rejections()).toEqual({ count: 0, messages: [] });
  });

  it.each([
    [16, 401, 'UNAUTHENTICATED'],
    [7, 403, 'PERMISSION_DENIED'],
    [8, 429, 'RESOURCE_EXHAUSTED'],
    [14, 503, 'UNAVAILABLE'],
  ])('answers for the code %d with status %d', async (code, status, name) => {
    await apply(denier({ code, message: '100 % no' }), rule('all', 'true'));
    expect(await get()).toEqual({ status, body: `${name}:no.default:100 % no` });
    expect(mixer.asked).toEqual([]);
  });

  it('asks mixer only of requests that its rules may be about, and says who asks', async () => {
    const match = 'source.labels["version"] == "v3" && request.method == "POST"';
    await apply(denier({ code: 7 }), rule('v3', match));
    expect((await get()).status).toBe(200);
    expect(mixer.asked).toEqual([]);
    expect((await get({}, 'POST')).status).toBe(200);
    expect((await get({ 'x-refuse': 'yes' }, 'POST')).status).toBe(403);
    expect(mixer.asked).toHaveLength(2);
    expect(mixer.asked[0]).toMatchObject({
      method: 'POST',
      context: {
        'seine.reporter': 'inbound',
        'seine.workload': 'default/reviews-v1',
        'seine.service': 'reviews.default.svc.cluster.local',
      },
    });
  });

  it('leaves the proxies of other workloads, and what no rule is about, as they are', async () => {
    const match = 'destination.labels["app"] == "ratings" && source.labels["version"] == "v3"';
    await apply(denier({ code: 7 }), rule('v3', match));
    expect([await asks(mesh, 'reviews-v1'), await asks(mesh, 'ratings-v1')]).toEqual([false, true]);
  });

  it('refuses connections of which no HTTP is known', async () => {
    const store = mesh.workloads.get('store-v1')!;
    const greeting = async () => (await rawRequest(store.address, 8080, rawGet('/'))).status;
    const tcp = 'context.protocol == "tcp" && destination.labels["app"] == "store"';
    await apply(denier({ code: 16 }), rule('tcp', tcp));
    await poll(async () => (await greeting()) === 0, 'a connection to be cut off');
    expect((await get()).status).toBe(200);
    expect(await mesh.envoy('store-v1').stat('mixer.rbac.denied')).toBeGreaterThan(0);
    await apply(denier({ code: 16 }), rule('tcp', 'request.method == "GET"'));
    await poll(async () => (await greeting()) === 200, 'a connection to be let through');
    expect((await get()).status).toBe(401);
  });

  it('refuses what nobody answers for, unless policyCheckFailOpen says otherwise', async () => {
    await apply(denier({ code: 7 }), rule('v3', 'source.labels["version"] == "v3"'));
    expect((await get()).status).toBe(200);
    mixer.decide = () => undefined;
    expect((await get()).status).toBe(503);
    await mesh.apply('mesh-config', meshConfigYaml({ ...normalized, policyCheckFailOpen: true }));
    await poll(async () => (await get()).status === 200, 'requests to pass without an answer');
    mixer.reset();
    const refused = { 'x-refuse': 'yes' };
    expect((await get(refused)).status).toBe(403);
    await mesh.apply('mesh-config', meshConfigYaml({ ...normalized, disablePolicyChecks: true }));
    await poll(async () => (await get(refused)).status === 200, 'nobody to be asked');
    await mesh.apply('mesh-config', meshConfigYaml(normalized));
  });

  it('keeps a rule in force whose new version is none', async () => {
    await apply(denier({ code: 7 }), rule('all', 'request.method == "GET"'));
    expect((await get()).status).toBe(403);
    await apply(denier({ code: 7 }), rule('all', 'request.methd == "GET"'));
    expect((await get()).status).toBe(403);
  });

  it('refuses nobody by a mixer that is not in the mesh but where one would have to be asked', async () => {
    await mesh.apply('mixer', '');
    await apply(denier({ code: 7 }), rule('all', 'request.method == "PUT"'));
    expect([(await get()).status, (await get({}, 'PUT')).status]).toEqual([200, 403]);
    await apply(denier({ code: 7 }), rule('v3', 'source.labels["version"] == "v3"'));
    expect((await get()).status).toBe(503);
  });
});

describe('with identities', () => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await TestMesh.start({ identity: true, workloads: [{ name: 'reviews-v1', sidecar: true }] });
  });
  afterAll(() => mesh.stop());

  const as = async (serviceAccount: string, namespace = 'default') => {
    const { address } = mesh.workloads.get('reviews-v1')!;
    const client = await mesh.svid(serviceAccount, { namespace });
    const { status, body } = await tlsRequest(address, 8080, {
      ...{ servername: 'reviews', client, alpn: ['istio-http/1.1', 'istio'], path: '/' },
    });
    return { status, body: status === 200 ? '' : body };
  };

  // There is no mixer: who had to be asked about would get 503.
  it('refuses callers by their certificates', async () => {
    const principals = { overrides: ['cluster.local/ns/default/sa/anna'], blacklist: false };
    await mesh.apply(
      'rules',
      documents(
        denier({ code: 7, message: 'not from there' }),
        rule('namespace', 'connection.mtls && source.namespace == "bank"'),
        mixerYaml('handler', 'who', { compiledAdapter: 'listchecker', params: principals }, { namespace: 'default' }),
        mixerYaml(
          'instance',
          'who',
          { compiledTemplate: 'listentry', params: { value: 'source.principal | ""' } },
          { namespace: 'default' },
        ),
        mixerYaml(
          'rule',
          'who',
          { match: 'source.namespace != "bank" && connection.mtls', actions: [{ handler: 'who', instances: ['who'] }] },
          { namespace: 'default' },
        ),
      ),
    );
    await poll(async () => (await as('anna', 'bank')).status === 403, 'the rules to be in force');
    expect(await as('anna')).toEqual({ status: 200, body: '' });
    expect(await as('ben')).toMatchObject({ status: 403 });
    expect((await as('ben')).body).toContain('ns/default/sa/ben is not whitelisted');
    expect(await as('anna', 'bank')).toEqual({ status: 403, body: 'PERMISSION_DENIED:no.default:not from there' });
  });
});
