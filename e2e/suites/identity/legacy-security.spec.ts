import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TokenIssuer } from '@seine/jwks-fetch/testing';
import { poll } from '@seine/testing';
import { documents, request, type RequestOptions, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
const issuer = new TokenIssuer();
let mesh: TestMesh;

beforeAll(async () => {
  await issuer.listen();
  mesh = await TestMesh.start({
    identity: true,
    workloads: [
      { name: 'reviews-v1', sidecar: true },
      { name: 'ratings-v1', sidecar: true },
    ],
    pilotArguments: ['--jwks-allow', '127.0.0.0/8', '--jwks-refresh', '1s'],
  });
});
afterAll(async () => {
  await mesh.stop();
  await issuer.close();
});
beforeEach(() => mesh.resetUpstreams());

const old = (group: string, kind: string, name: string, spec: object, namespace?: string): string =>
  `apiVersion: ${group}.istio.io/v1alpha1
kind: ${kind}
metadata: { name: ${name}${namespace === undefined ? '' : `, namespace: ${namespace}`} }
spec: ${JSON.stringify(spec)}
`;
const policy = (name: string, spec: object): string => old('authentication', 'Policy', name, spec, 'default');
const rbac = (kind: string, name: string, spec: object): string =>
  old('rbac', kind, name, spec, kind === 'ClusterRbacConfig' ? undefined : 'default');

/** The status that a caller without an identity gets from the Envoy of a workload. */
async function plain(workload: string, target = '/', options: RequestOptions = {}): Promise<number | undefined> {
  const { address } = mesh.workloads.get(workload)!;
  const headers = { host: workload, ...options.headers };
  return await request(address, 8080, target, { ...options, headers }).then(
    ({ status }) => status,
    () => undefined,
  );
}

/** The status that the client gets, whose Envoy has an identity. */
const called = async (target: string, options: RequestOptions = {}) =>
  (await mesh.call(`http://reviews:8080${target}`, options)).status;
/** Workers of an Envoy take a change over one after the other: the last one decides. */
async function eventually<T>(look: () => Promise<T>, expected: T): Promise<void> {
  let seen: T | undefined;
  await poll(async () => JSON.stringify((seen = await look())) === JSON.stringify(expected), 'all workers').catch(
    () => undefined,
  );
  expect(seen).toEqual(expected);
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

describe('Policy', () => {
  const origin = (more: object = {}) => [
    { jwt: { issuer: issuer.issuer, jwksUri: issuer.jwksUri, audiences: ['shop'], ...more } },
  ];

  async function applyTokens(spec: object): Promise<void> {
    await mesh.apply('policies', policy('tokens', { targets: [{ name: 'reviews' }], ...spec }));
    await poll(async () => (await plain('reviews-v1', '/', bearer(issuer.token()))) === 200, 'tokens to be accepted');
  }

  it('asks for a token at its targets, as the first tutorials do: 401 without a good one', async () => {
    await applyTokens({ origins: origin(), principalBinding: 'USE_ORIGIN' });
    await eventually(() => plain('reviews-v1'), 401);
    await eventually(() => plain('reviews-v1', '/', bearer('nonsense')), 401);
    await eventually(() => plain('reviews-v1', '/', bearer(issuer.token({ iss: 'https://other' }))), 401);
    await eventually(() => plain('reviews-v1', '/', bearer(issuer.token())), 200);
    expect(mesh.echo('reviews-v1').seen.at(-1)?.headers['authorization']).toMatch(/^Bearer /);
    await eventually(() => plain('ratings-v1'), 200);
  });

  it('asks where trigger rules say, and nowhere else', async () => {
    const triggerRules = [{ includedPaths: [{ prefix: '/admin' }], excludedPaths: [{ exact: '/admin/health' }] }];
    await applyTokens({ origins: origin({ triggerRules }) });
    const paths = ['/', '/admin/health', '/admin', '/admin/users'];
    const statuses = () => Promise.all(paths.map((target) => plain('reviews-v1', target)));
    await eventually(statuses, [200, 200, 401, 401]);
    await eventually(() => plain('reviews-v1', '/admin/users', bearer(issuer.token())), 200);
  });

  it('asks nobody where the origin is optional', async () => {
    await applyTokens({ origins: origin(), originIsOptional: true });
    await eventually(() => plain('reviews-v1'), 200);
    await eventually(() => plain('reviews-v1', '/', bearer('nonsense')), 401);
  });

  it('asks callers for mutual TLS, of a service before the namespace before the mesh', async () => {
    const mtls = (mode: string) => ({ peers: [{ mtls: { mode } }] });
    await mesh.apply(
      'policies',
      documents(
        old('authentication', 'MeshPolicy', 'default', mtls('STRICT')),
        policy('open', { targets: [{ name: 'ratings' }] }),
      ),
    );
    await poll(async () => (await plain('reviews-v1')) === undefined, 'plain text to be refused');
    await eventually(() => plain('ratings-v1'), 200);
    await eventually(() => called('/'), 200);
    await mesh.apply(
      'policies',
      documents(old('authentication', 'MeshPolicy', 'default', mtls('STRICT')), policy('default', {})),
    );
    await poll(async () => (await plain('reviews-v1')) === 200, 'plain text to be taken');
  });
});

describe('ServiceRole', () => {
  const client = 'cluster.local/ns/default/sa/client';
  const config = (spec: object = { mode: 'ON_WITH_INCLUSION', inclusion: { namespaces: ['default'] } }) =>
    rbac('ClusterRbacConfig', 'default', spec);
  const role = (rule: object) =>
    rbac('ServiceRole', 'viewer', { rules: [{ services: ['reviews.default.svc.cluster.local'], ...rule }] });
  const bound = (subject: object, more: object = {}) =>
    rbac('ServiceRoleBinding', 'bind', {
      subjects: [subject],
      roleRef: { kind: 'ServiceRole', name: 'viewer' },
      ...more,
    });

  it('lets in whom it is bound to, to do what it says', async () => {
    await mesh.apply(
      'policies',
      documents(config(), role({ methods: ['GET'], paths: ['/books*'] }), bound({ user: client })),
    );
    const of = (target: string, method: string) => called(target, { method });
    await eventually(
      async () => [await of('/books/1', 'GET'), await of('/books/1', 'POST'), await of('/', 'GET')],
      [200, 403, 403],
    );
    await eventually(async () => [await plain('reviews-v1', '/books/1'), await plain('ratings-v1')], [403, 403]);
    expect((await mesh.call('http://ratings:8080/')).status).toBe(403);
  });

  it('lets in everybody, or by properties', async () => {
    await mesh.apply('policies', documents(config(), role({}), bound({ user: '*' })));
    await eventually(async () => [await plain('reviews-v1'), await called('/')], [200, 200]);
    await mesh.apply(
      'policies',
      documents(
        config(),
        role({}),
        bound({ properties: { 'source.namespace': 'default', 'request.headers[x-team]': 'a' } }),
      ),
    );
    const team = { headers: { 'x-team': 'a' } };
    await eventually(
      async () => [await called('/', team), await called('/'), await plain('reviews-v1', '/', team)],
      [200, 403, 403],
    );
  });

  it('says nothing where roles do not decide', async () => {
    const roles = [role({ methods: ['GET'] }), bound({ user: client })];
    await mesh.apply('policies', documents(config({ mode: 'OFF' }), ...roles));
    await eventually(() => plain('reviews-v1', '/', { method: 'POST' }), 200);
    const reviews = { services: ['reviews.default.svc.cluster.local'] };
    await mesh.apply('policies', documents(config({ mode: 'ON_WITH_EXCLUSION', exclusion: reviews }), ...roles));
    await eventually(
      async () => [await plain('reviews-v1', '/', { method: 'POST' }), await plain('ratings-v1')],
      [200, 403],
    );
  });

  it('decides nothing while it is tried out', async () => {
    await mesh.apply(
      'policies',
      documents(
        config({ mode: 'ON', enforcementMode: 'PERMISSIVE' }),
        role({ methods: ['GET'] }),
        bound({ user: client }),
      ),
    );
    await eventually(
      async () => [await plain('reviews-v1', '/', { method: 'POST' }), await plain('ratings-v1')],
      [200, 200],
    );
    // A binding that is tried out lets nobody in.
    await mesh.apply('policies', documents(config(), role({}), bound({ user: client }, { mode: 'PERMISSIVE' })));
    await eventually(() => called('/'), 403);
  });
});
