import { create, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, type ServiceError, status as grpcStatus } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type CheckRequest, CheckRequestSchema } from '@seine/envoy/envoy/service/auth/v3/external_auth_pb.js';
import { poll } from '@seine/testing';
import { documents, type Reply, request, type Seen, SpiffeAuthority, type Svid } from '../../src/index.js';
import { bookinfoWorkloads, mixerYaml, PolicyMesh, untilStatus } from './policy-mesh.js';

jest.setTimeout(240_000);
let bookinfo: PolicyMesh;
beforeAll(async () => {
  bookinfo = await PolicyMesh.start({
    workloads: [...bookinfoWorkloads, { name: 'store-v1', sidecar: true }],
    services: [{ name: 'store', ports: [{ name: 'tcp', port: 7000, targetPort: 8080 }] }],
  });
});
afterAll(() => bookinfo.stop());
afterEach(() => bookinfo.clear());

const ratings = 'http://ratings:8080/ratings/0?id=7';

const denier = (name: string, params: object): string =>
  documents(
    mixerYaml('handler', name, { compiledAdapter: 'denier', params }),
    mixerYaml('instance', name, { compiledTemplate: 'checknothing' }),
  );
const rule = (name: string, match: string, handler: string, more: object = {}): string =>
  mixerYaml('rule', name, { match, actions: [{ handler, instances: [handler] }], ...more });

const seen = ({ body }: Reply): Seen => JSON.parse(body) as Seen;

describe('attributes of real traffic', () => {
  /** Each attribute in a header that the upstream sees. */
  const shown = {
    'x-source-labels-version': 'source.labels["version"] | "-"',
    'x-source-workload': 'source.workload.name | "-"',
    'x-source-namespace': 'source.namespace | "-"',
    'x-source-principal': 'source.principal | "-"',
    'x-source-user': 'source.user | "-"',
    'x-destination-workload': 'destination.workload.name | "-"',
    'x-destination-labels-app': 'destination.labels["app"] | "-"',
    'x-destination-service-host': 'destination.service.host | "-"',
    'x-destination-service-name': 'destination.service.name | "-"',
    'x-destination-principal': 'destination.principal | "-"',
    'x-request-method': 'request.method',
    'x-request-path': 'request.path',
    'x-request-url-path': 'request.url_path',
    'x-request-host': 'request.host',
    'x-request-query': 'request.query_params["id"] | "-"',
    'x-request-useragent': 'request.useragent | "-"',
    'x-request-api-key': 'request.api_key | "-"',
    'x-context-protocol': 'context.protocol',
    'x-context-reporter-kind': 'context.reporter.kind',
  };

  it('are what they were in Istio, on both ends', async () => {
    await bookinfo.apply(
      documents(
        denier('nobody', { status: { code: 7 } }),
        mixerYaml('rule', 'show', {
          match: 'destination.labels["app"] == "ratings"',
          requestHeaderOperations: Object.entries(shown).map(([name, value]) => ({ name, values: [value] })),
        }),
      ),
    );
    const options = { headers: { 'user-agent': 'curl/8', 'x-api-key': 'secret' } };
    let headers: Seen['headers'] = {};
    await poll(async () => {
      const reply = await bookinfo.callFrom('reviews-v3', ratings, options);
      if (reply.status === 200) headers = seen(reply).headers;
      return headers['x-request-method'] !== undefined;
    }, 'the headers');
    expect(Object.fromEntries(Object.keys(shown).map((name) => [name, headers[name]]))).toEqual({
      'x-source-labels-version': 'v3',
      'x-source-workload': 'reviews-v3',
      'x-source-namespace': 'default',
      'x-source-principal': 'cluster.local/ns/default/sa/bookinfo-reviews',
      'x-source-user': 'cluster.local/ns/default/sa/bookinfo-reviews',
      'x-destination-workload': 'ratings-v1',
      'x-destination-labels-app': 'ratings',
      'x-destination-service-host': 'ratings.default.svc.cluster.local',
      'x-destination-service-name': 'ratings',
      'x-destination-principal': 'cluster.local/ns/default/sa/bookinfo-ratings',
      'x-request-method': 'GET',
      'x-request-path': '/ratings/0?id=7',
      'x-request-url-path': '/ratings/0',
      'x-request-host': 'ratings:8080',
      'x-request-query': '7',
      'x-request-useragent': 'curl/8',
      'x-request-api-key': 'secret',
      'x-context-protocol': 'http',
      'x-context-reporter-kind': 'inbound',
    });
  });

  it('let a rule on source.labels["version"] match what this version sends, and nothing else', async () => {
    await bookinfo.apply(
      documents(
        denier('old', { status: { code: 7, message: 'too old' } }),
        rule('old', 'source.labels["version"] == "v3"', 'old'),
      ),
    );
    await untilStatus(403, () => bookinfo.callFrom('reviews-v3', ratings));
    expect((await bookinfo.callFrom('reviews-v2', ratings)).status).toBe(200);
    expect((await bookinfo.callFrom('productpage-v1', ratings)).status).toBe(200);
  });
});

it('knows the operations of an API that an HTTPAPISpec describes', async () => {
  const operation = (name: string) => ({ attributes: { 'api.operation': { stringValue: name } } });
  await bookinfo.apply(
    documents(
      mixerYaml('HTTPAPISpec', 'ratings', {
        patterns: [{ httpMethod: 'DELETE', uriTemplate: '/ratings/{id}', attributes: operation('remove') }],
        apiKeys: [{ header: 'x-team' }],
      }),
      mixerYaml('HTTPAPISpecBinding', 'ratings', {
        services: [{ name: 'ratings', namespace: 'default' }],
        apiSpecs: [{ name: 'ratings' }],
      }),
      denier('keep', { status: { code: 7 } }),
      rule('keep', 'api.operation == "remove" && (request.api_key | "") != "books"', 'keep'),
    ),
  );
  const call = (method: string, headers = {}) => bookinfo.callFrom('reviews-v2', ratings, { method, headers });
  await untilStatus(403, () => call('DELETE'));
  expect((await call('DELETE', { 'x-team': 'books' })).status).toBe(200);
  expect((await call('GET')).status).toBe(200);
});

it.each([
  [16, 401, 'UNAUTHENTICATED'],
  [5, 404, 'NOT_FOUND'],
  [8, 429, 'RESOURCE_EXHAUSTED'],
  [14, 503, 'UNAVAILABLE'],
])('answers what a handler refuses by code %d with %d', async (code, status, name) => {
  await bookinfo.apply(
    documents(
      denier('refuse', { status: { code, message: 'because' } }),
      // What only mixer knows: a proxy cannot decide this by itself.
      rule('refuse', 'request.query_params["id"] == "7" && source.labels["app"] == "reviews"', 'refuse'),
    ),
  );
  const { body } = await untilStatus(status, () => bookinfo.callFrom('reviews-v2', ratings));
  expect(body).toBe(`${name}:refuse.istio-system:because`);
  expect((await bookinfo.callFrom('reviews-v2', 'http://ratings:8080/ratings/0?id=8')).status).toBe(200);
});

it('changes headers of requests and answers as matching rules say', async () => {
  await bookinfo.apply(
    mixerYaml('rule', 'headers', {
      match: 'request.headers["x-user"] != ""',
      requestHeaderOperations: [
        { name: 'x-greeting', values: ['"hello " + request.headers["x-user"]'], operation: 'REPLACE' },
        { name: 'x-via', values: ['"mixer"'], operation: 'APPEND' },
        { name: 'x-secret', operation: 'REMOVE' },
      ],
      responseHeaderOperations: [{ name: 'x-checked', values: ['"yes"'], operation: 'REPLACE' }],
    }),
  );
  const headers = { 'x-user': 'anna', 'x-greeting': 'forged', 'x-via': 'client', 'x-secret': '1' };
  let reply: Reply | undefined;
  await poll(async () => {
    reply = await bookinfo.callFrom('reviews-v2', ratings, { headers });
    return reply.headers['x-checked'] !== undefined;
  }, 'the rule to be in force');
  const got = seen(reply!).headers;
  expect(reply!.headers['x-checked']).toBe('yes');
  expect(got['x-greeting']).toBe('hello anna');
  expect(got['x-via']?.replaceAll(' ', '')).toBe('client,mixer');
  expect(got['x-secret']).toBeUndefined();
  const other = await bookinfo.callFrom('reviews-v2', ratings, { headers: { 'x-secret': '1' } });
  expect(other.headers['x-checked']).toBeUndefined();
  expect(seen(other).headers['x-secret']).toBe('1');
});

it.each([
  // By its labels only mixer knows a caller.
  ['source.labels["app"] == "productpage"', 'productpage-v1'],
  ['source.user == "cluster.local/ns/default/sa/bookinfo-reviews"', 'reviews-v2'],
])('ends connections that a rule refuses: %s', async (who, workload) => {
  const connect = async (from: string): Promise<boolean> => {
    const address = await bookinfo.mesh.envoy(from).listenerAddress(7000);
    return await request(address, 7000, '/', { headers: { connection: 'close' } }).then(
      ({ status }) => status === 200,
      () => false,
    );
  };
  expect(await connect(workload)).toBe(true);
  await bookinfo.apply(
    documents(
      denier('close', { status: { code: 7 } }),
      rule('close', `context.protocol == "tcp" && destination.service.name == "store" && ${who}`, 'close'),
    ),
  );
  await poll(async () => !(await connect(workload)), 'the connection to be ended');
  expect(await connect('details-v1')).toBe(true);
  await bookinfo.clear();
  await poll(() => connect(workload), 'connections to be let through again');
});

describe('who is believed', () => {
  const noOldVersion = documents(
    denier('old', { status: { code: 7 } }),
    rule('old', 'source.labels["version"] == "v3" && destination.labels["app"] == "ratings"', 'old'),
  );

  it('is no caller that says by a header who it is', async () => {
    await bookinfo.apply(noOldVersion);
    await untilStatus(403, () => bookinfo.callFrom('reviews-v3', ratings));
    const headers = {
      'x-seine-peer': 'w=reviews-v2;n=default;s=reviews;r=v2;a=reviews;v=v2;c=Kubernetes',
      'x-istio-attributes': 'Cj4KE2Rlc3RpbmF0aW9uLnNlcnZpY2U=',
    };
    expect((await bookinfo.callFrom('reviews-v3', ratings, { headers })).status).toBe(403);
  });

  it('is a proxy about its own workload, and about no other', async () => {
    await bookinfo.apply(noOldVersion);
    await untilStatus(403, () => bookinfo.callFrom('reviews-v3', ratings));
    const { ca } = await bookinfo.mesh.svid('any');
    /** Asks as a proxy does, in the name of `ratings-v1`. @returns the status of the call */
    const ask = async ({ key, cert }: Partial<Svid>): Promise<grpcStatus> => {
      const secure = credentials.createSsl(ca, key, cert, { checkServerIdentity: () => undefined });
      const client = new Client(`127.0.0.1:${bookinfo.mixer.port}`, secure);
      const request = create(CheckRequestSchema, {
        attributes: {
          contextExtensions: { 'seine.reporter': 'inbound', 'seine.workload': 'default/ratings-v1' },
          request: { http: { method: 'GET', path: '/' } },
        },
      });
      try {
        return await new Promise((resolve) => {
          client.makeUnaryRequest(
            '/envoy.service.auth.v3.Authorization/Check',
            (message: CheckRequest) => Buffer.from(toBinary(CheckRequestSchema, message)),
            (bytes: Buffer) => bytes,
            request,
            { deadline: Date.now() + 30_000 },
            (error: ServiceError | null) => resolve(error?.code ?? grpcStatus.OK),
          );
        });
      } finally {
        client.close();
      }
    };
    const stranger = await SpiffeAuthority.make();
    expect(await ask(await bookinfo.mesh.svid('bookinfo-ratings'))).toBe(grpcStatus.OK);
    expect(await ask(await bookinfo.mesh.svid('bookinfo-reviews'))).toBe(grpcStatus.PERMISSION_DENIED);
    expect(await ask(await bookinfo.mesh.svid('bookinfo-ratings', { namespace: 'other' }))).toBe(
      grpcStatus.PERMISSION_DENIED,
    );
    expect(await ask({})).toBe(grpcStatus.UNAUTHENTICATED);
    expect(await ask(await stranger.issue({ serviceAccount: 'bookinfo-ratings' }))).toBe(grpcStatus.UNAUTHENTICATED);
  });
});
