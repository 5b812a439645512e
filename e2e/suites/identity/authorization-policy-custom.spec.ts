import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StatusCode } from '@seine/envoy/envoy/type/v3/http_status_pb.js';
import {
  documents,
  ExtAuthzService,
  istioYaml,
  request,
  type RequestOptions,
  type Seen,
  TestMesh,
} from '../../src/index.js';
import { meshConfigYaml, policyYaml } from './policy-yaml.js';

jest.setTimeout(180_000);
const service = new ExtAuthzService();
const at = { service: 'ext-authz.example.com' };
const http = { ...at, port: 8000, timeout: '1s' };
const grpc = { ...at, port: 9000, timeout: '1s' };
let mesh: TestMesh;
let reviews: string;

beforeAll(async () => {
  await service.listen();
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1', sidecar: true }],
    config: {
      'ext-authz': istioYaml('ServiceEntry', 'ext-authz', {
        hosts: [at.service],
        ports: [
          { number: 8000, name: 'http', protocol: 'HTTP' },
          { number: 9000, name: 'grpc', protocol: 'GRPC' },
        ],
        resolution: 'STATIC',
        endpoints: [{ address: '127.0.0.1', ports: { http: service.ports.http, grpc: service.ports.grpc } }],
      }),
      'mesh-config': meshConfigYaml({
        extensionProviders: [
          {
            name: 'by-http',
            envoyExtAuthzHttp: {
              ...http,
              pathPrefix: '/check',
              includeRequestHeadersInCheck: ['x-refuse', 'x-team-*'],
              includeAdditionalHeadersInCheck: { 'x-from': 'mesh' },
              headersToUpstreamOnAllow: ['x-user'],
              headersToDownstreamOnDeny: ['x-why'],
              headersToDownstreamOnAllow: ['x-welcome'],
              includeRequestBodyInCheck: { maxRequestBytes: 4, allowPartialMessage: true },
            },
          },
          { name: 'by-grpc', envoyExtAuthzGrpc: grpc },
          { name: 'http-open', envoyExtAuthzHttp: { ...http, failOpen: true } },
          { name: 'grpc-open', envoyExtAuthzGrpc: { ...grpc, failOpen: true } },
          { name: 'http-503', envoyExtAuthzHttp: { ...http, statusOnError: '503' } },
          { name: 'nowhere', envoyExtAuthzGrpc: { service: 'nowhere.example.com', port: 9000 } },
        ],
      }),
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

const ask = (provider: string, paths: readonly string[] = ['/private*'], name = 'ask') =>
  policyYaml(name, { action: 'CUSTOM', provider: { name: provider }, rules: [{ to: [{ operation: { paths } }] }] });
const call = (path: string, options: RequestOptions = {}) =>
  request(reviews, 8080, path, { ...options, headers: { host: 'reviews', ...options.headers } });
const refused = { headers: { 'x-refuse': '1' } };

describe.each(['by-http', 'by-grpc'])('A-6: a provider %s', (provider) => {
  it('decides on what the rules name, and is not asked of anything else', async () => {
    await mesh.apply('policies', ask(provider));
    const answers = [await call('/private'), await call('/private', refused), await call('/open', refused)];
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 200]);
    expect(service.asked).toHaveLength(2);
    expect(mesh.echo('reviews-v1').seen.map(({ path }) => path)).toEqual(['/private', '/open']);
  });

  it('asks several, of whom each may refuse', async () => {
    const other = provider === 'by-http' ? 'by-grpc' : 'by-http';
    await mesh.apply('policies', documents(ask(provider), ask(other, ['/private/2'], 'second')));
    service.decide = ({ by }) => ({ allow: provider === `by-${by}` });
    expect((await call('/private/1')).status).toBe(200);
    expect((await call('/private/2')).status).toBe(403);
  });

  it('lets nobody in while it is down, and all with failOpen', async () => {
    await mesh.apply('policies', ask(provider));
    expect((await call('/private')).status).toBe(200);
    await service.close();
    try {
      expect((await call('/private')).status).toBe(403);
      expect((await call('/open')).status).toBe(200);
      await mesh.apply('policies', ask(`${provider.slice(3)}-open`));
      expect((await call('/private')).status).toBe(200);
    } finally {
      await service.listen();
    }
  });

  it('is not waited for longer than its timeout', async () => {
    await mesh.apply('policies', ask(provider));
    service.decide = () => undefined;
    const reply = await call('/private');
    expect(reply.status).toBe(403);
    // It did wait: the timeout, and not some other failure, ended it.
    expect(reply.took).toBeGreaterThan(900);
    expect(mesh.echo('reviews-v1').count()).toBe(0);
  });
});

it('A-6: statusOnError is the answer when nobody can be asked', async () => {
  await mesh.apply('policies', ask('http-503'));
  await service.close();
  try {
    expect((await call('/private')).status).toBe(503);
  } finally {
    await service.listen();
  }
});

it.each(['unknown', 'nowhere'])('A-6: a provider that is not to be found (%s) denies', async (provider) => {
  await mesh.apply('policies', ask(provider));
  expect([(await call('/private')).status, (await call('/open')).status]).toEqual([403, 200]);
});

it('asks by HTTP with the headers it is to have, and takes over those of the answer', async () => {
  await mesh.apply('policies', ask('by-http'));
  service.decide = ({ headers }) => ({
    allow: headers['x-refuse'] === undefined,
    headers: { 'x-user': 'anna', 'x-why': 'because', 'x-welcome': 'yes', 'x-other': '1' },
  });
  const sent = { 'x-team-a': 'red', 'x-secret': 's' };
  const allowed = await call('/private/a?b', { method: 'POST', headers: sent, body: '123456' });
  expect(service.asked[0]).toMatchObject({ path: '/check/private/a?b', method: 'POST', body: '1234' });
  expect(service.asked[0]?.headers).toMatchObject({ 'x-team-a': 'red', 'x-from': 'mesh' });
  expect(service.asked[0]?.headers).not.toHaveProperty('x-secret');
  expect(JSON.parse(allowed.body)).toMatchObject({
    headers: { 'x-user': 'anna', 'x-secret': 's' },
    body: '123456',
  } satisfies Partial<Seen>);
  expect(allowed.headers).toMatchObject({ 'x-welcome': 'yes' });
  expect(allowed.headers).not.toHaveProperty('x-other');
  const denied = await call('/private', refused);
  expect(denied.headers).toMatchObject({ 'x-why': 'because' });
  expect(denied.headers).not.toHaveProperty('x-welcome');
});

it('takes over the status, the headers and the text of a gRPC answer', async () => {
  await mesh.apply('policies', ask('by-grpc'));
  service.decide = () => ({
    allow: false,
    status: StatusCode.Unauthorized,
    headers: { 'www-authenticate': 'Bearer' },
    body: 'who?',
  });
  expect(await call('/private')).toMatchObject({
    status: 401,
    body: 'who?',
    headers: { 'www-authenticate': 'Bearer' },
  });
});
